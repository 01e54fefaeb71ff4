"""Requests of the kind that people write, for the tests that read them."""

TICKETS = """Our cinema wants ticket prices as Python. One module `tickets.py`, three functions.

`price(age)` gives the price in cents: children below 6 are free, so 5 gives 0 and 6 gives 450; 66 is 600. A negative
age raises ValueError.

`seat_label(row, seat)` joins row letter and number: `seat_label("c", 7)` returns "C07". Rows must be one of "a" to "k",
otherwise ValueError. A seat below 1 raises KeyError.

`tidy_title(text)` cuts spaces: "  the   fog " becomes "the fog". A leading "the" turns into "The". An empty text gives
an empty string. Anything longer than a poster, or not a title at all ("???", "--"), raises ValueError.
"""

LIBRARY = """I want a small lending desk in two files.

`desk.py`: class `Desk(limit)` and the exceptions `DeskError(Exception)` and two subclasses of it, `Lost` and `Late`.
The limit has to be positive, otherwise ValueError.

Methods: `lend(title, days=14)`, where days must be between 1 and 60, otherwise ValueError. `count()` is the number of
books out, 0 when nothing is lent. `titles()` returns them in order.

`fees.py` has a function `fee(days_late)`: 20 cents a day, at most 500.

- `python desk.py --version` prints `desk 1`
- `python desk.py NAME` prints `hello NAME`, or `hello you`
"""

DISTANCE = """Write `units.py`. `miles(kilometres)` divides by 1.609344 and rounds to three digits.
`total(a, b)` is twice a plus b. `scale(line, factor)` uses `fractions.Fraction`: `scale("2 eggs", Fraction(1, 2))`
gives "1 eggs".
"""
