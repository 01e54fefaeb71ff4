import pytest

from agentinfra.spec.idea_text import find_files, find_symbols, split_requirements

from .ideas import DISTANCE, LIBRARY, TICKETS


@pytest.mark.parametrize(
    ("idea", "files"),
    [
        (TICKETS, ("tickets.py",)),
        (LIBRARY, ("desk.py", "fees.py")),
        ("A package `shop` with `cart.py` and `__main__.py`.", ("shop/cart.py", "shop/__main__.py")),
        ("Package `web`: `web/app.py`, `web/static/index.html`", ("web/app.py", "web/static/index.html")),
        ("Plain words: main.py, then main.py again.", ("main.py",)),
        ("It reads IN.py and data.json, see http://example.org/x.html or 1.5.", ()),
        ("`random.Random`, `f.py(x)`, e.g. this", ()),
        ("", ()),
    ],
)
def test_source_files_are_found(idea: str, files: tuple[str, ...]):
    assert find_files(idea) == files


@pytest.mark.parametrize(
    ("idea", "symbols"),
    [
        (TICKETS, ("price(age)", "seat_label(row, seat)", "tidy_title(text)")),
        (
            LIBRARY,
            (
                "class Desk(limit)",
                "class DeskError(Exception)",
                "class Lost(DeskError)",
                "class Late(DeskError)",
                "Desk.lend(title, days=14)",
                "Desk.count()",
                "Desk.titles()",
                "fee(days_late)",
            ),
        ),
        ("def f(a: int, *, b=()) and `f(1)` and f()", ("f(a: int, *, b=())",)),
        ("`go()` first, `go(fast)` later", ("go(fast)",)),
        ("An exception `EmptyBox`, a subclass of `ValueError`.", ("class EmptyBox(ValueError)",)),
        ("It raises StackError and ValueError.", ("class StackError(Exception)",)),
        ("class `Plain` and `Plain()`", ("class Plain()",)),
        (
            "Class `Box(size)`. `open_it()` opens. A function `pack(box)` packs.",
            ("class Box(size)", "Box.open_it()", "pack(box)"),
        ),
        ("Sort the item(s) with json.dumps(x) or print(), `GET /a(b)`, x (y)", ()),
        ("Rien à voir ici.", ()),
        ("(" * 2000 + "f(" * 500, ()),
    ],
)
def test_signatures_are_found(idea: str, symbols: tuple[str, ...]):
    assert find_symbols(idea) == symbols


def test_each_symbol_gets_its_own_words_and_the_shared_ones():
    segments = {segment.symbol: segment for segment in split_requirements(TICKETS)}
    seat = segments["seat_label(row, seat)"]
    assert seat.file == "tickets.py"
    assert seat.text.startswith("`seat_label(row, seat)` joins")
    assert seat.text.endswith("A seat below 1 raises KeyError.")
    assert seat.shared == "Our cinema wants ticket prices as Python. One module `tickets.py`, three functions."


def test_symbols_of_one_paragraph_are_told_apart():
    texts = {segment.symbol: segment.text for segment in split_requirements(LIBRARY)}
    assert texts["Desk.count()"] == "`count()` is the number of\nbooks out, 0 when nothing is lent."
    assert texts["Desk.titles()"] == "`titles()` returns them in order."
    assert all(text in LIBRARY for text in texts.values())


def test_files_follow_their_symbols():
    files = {segment.symbol: segment.file for segment in split_requirements(LIBRARY)}
    assert files["Desk.lend(title, days=14)"] == "desk.py"
    assert files["fee(days_late)"] == "fees.py"


def test_sentences_about_a_symbol_elsewhere_belong_to_it():
    idea = "`a(x)` doubles.\n\n`b(x)` halves.\n\nBoth `a` and `b` refuse texts. Nothing else matters."
    segments = split_requirements(idea)
    assert [segment.text for segment in segments] == [
        "`a(x)` doubles.\n\nBoth `a` and `b` refuse texts.",
        "`b(x)` halves.\n\nBoth `a` and `b` refuse texts.",
    ]


def test_an_idea_without_signatures_has_no_segments():
    assert split_requirements("Make me a game of chess, please.") == ()


@pytest.mark.parametrize("idea", [TICKETS, LIBRARY, DISTANCE])
def test_line_ends_make_no_difference(idea: str):
    assert find_symbols(idea.replace("\n", "\r\n")) == find_symbols(idea)
    assert find_files(idea.replace("\n", "\r\n")) == find_files(idea)
