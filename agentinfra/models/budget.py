"""Limits on time, money, tokens and requests, for a run and for parts of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from agentinfra.core.errors import BudgetExceeded, InputError
from agentinfra.core.messages import Usage
from agentinfra.models.amounts import ONE_CALL, PER_DOLLAR, Amount, Kind, Units, limit_units
from agentinfra.models.ledger import Ledger
from agentinfra.models.per_loop import PerLoop

OnExhausted = Callable[["Budget", Kind], Awaitable[Amount | None]]
"""Asked what to add when that kind is used up; None, or an amount without it, is a no and is final."""


class Reservation:
    """What is held for one call, until it is settled or released; what comes after that changes nothing.

    Args:
        ledger: Where it is held.
        units: How much.
    """

    def __init__(self, ledger: Ledger, units: Units) -> None:
        self._ledger = ledger
        self._units: Units | None = units

    def settle(self, usage: Usage, model: str = "the model", *, estimated: bool = False) -> None:
        """Book what the call has taken.

        Args:
            usage: Its tokens and money.
            model: Whose price it is, for the error where that is unknown.
            estimated: Whether nobody has told the usage, so that it is a guess.
        """
        units, self._units = self._units, None
        if units is not None:
            self._ledger.settle(units, usage, model, estimated=estimated)

    def release(self) -> None:
        """Give everything back but the request itself."""
        self.settle(Usage(cost_usd=0.0))


class Budget:
    """What may be used, and what has been. None means no limit. Belongs to one event loop at a time.

    Before a call, what it may take at most is reserved; after it, what it has taken is booked. So no limit is overrun,
    however many calls are in flight, but by what a call takes beyond the estimate that it reserved.

    Args:
        minutes: Wall-clock time from now on.
        usd: Money.
        requests: Number of model calls.
        tokens: Tokens, read and written.
        seconds_spent: Time that was used before now, for a run that is resumed.
        usd_spent: Money that was used before now; None where that is unknown.
        requests_spent: Calls that were made before now.
        tokens_spent: Tokens that were used before now.
        on_exhausted: Asked for more when a limit is reached; None raises at once.
        name: Whose budget it is, for people.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        minutes: float | None = None,
        usd: float | None = None,
        requests: int | None = None,
        tokens: int | None = None,
        seconds_spent: float = 0.0,
        usd_spent: float | None = 0.0,
        requests_spent: int = 0,
        tokens_spent: int = 0,
        on_exhausted: OnExhausted | None = None,
        name: str = "The run",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._minutes = minutes
        self._ledger = Ledger(limit_units(requests, tokens, usd), Amount(requests_spent, tokens_spent, usd_spent).units)
        self._ledger.unpriced = "an earlier call" if usd_spent is None else ""
        self._on_exhausted = on_exhausted
        self._clock = clock
        self._began = clock() - seconds_spent
        self._parent: Budget | None = None
        self._refused: set[Kind] = set()
        # First come, first served: of those for whom there is no room, only the first looks for it.
        self._turn = PerLoop(asyncio.Lock)
        self._asking = PerLoop(asyncio.Lock)

    @property
    def seconds(self) -> float:
        """Time used so far."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Time left, at least 0; None without a limit."""
        own = None if self._minutes is None else max(0.0, self._minutes * 60 - self.seconds)
        above = None if self._parent is None else self._parent.seconds_left
        return min((left for left in (own, above) if left is not None), default=None)

    @property
    def requests(self) -> int:
        """Calls made so far, without those in flight."""
        return self._ledger.accounts["requests"].spent

    @property
    def tokens(self) -> int:
        """Tokens used so far, as the providers have told; :attr:`estimated` comes on top."""
        return self._ledger.accounts["tokens"].spent

    @property
    def usd(self) -> float | None:
        """Money used so far; None as soon as one call's price was unknown. :attr:`estimated` comes on top."""
        return None if self._ledger.unpriced else self._ledger.accounts["usd"].spent / PER_DOLLAR

    @property
    def estimated(self) -> Usage:
        """What calls took whose usage nobody has told, by a guess; limits count it. All tokens stand as input."""
        usd = None if self._ledger.unguessed else self._ledger.accounts["usd"].guessed / PER_DOLLAR
        return Usage(self._ledger.accounts["tokens"].guessed, cost_usd=usd)

    @property
    def is_counting(self) -> bool:
        """Whether tokens or money are limited, here or above."""
        own = self.limit("tokens") is not None or self.limit("usd") is not None
        return own or (self._parent is not None and self._parent.is_counting)

    def limit(self, kind: Kind) -> float | None:
        """The limit of a kind as it stands, here; None where there is none."""
        if kind == "minutes":
            return self._minutes
        limit = self._ledger.accounts[kind].limit
        return limit / PER_DOLLAR if kind == "usd" and limit is not None else limit

    def check(self) -> None:
        """Look at all limits.

        Raises:
            BudgetExceeded: One is reached, or money is limited and cannot be counted.
        """
        self._require(Amount().units)

    def affords(self, amount: Amount) -> bool:
        """Whether that much may be taken now; for a forecast before the work."""
        return self._short(self._ledger.wanted(amount)) is None

    async def reserve(self, amount: Amount = ONE_CALL) -> Reservation:
        """Hold what a call may take, if all limits allow it.

        Where only calls in flight are in the way, it waits for these; where a limit is, it asks for more.

        Args:
            amount: The most that the call may take.

        Raises:
            BudgetExceeded: A limit does not allow it, and nobody grants more.
        """
        async with self._turn.get():
            while (short := self._short(units := self._ledger.wanted(amount))) is not None:
                budget, kind = short
                await budget._make_room(kind, units)
            self._ledger.hold(units)
        return Reservation(self._ledger, units)

    async def require_time(self) -> None:
        """Ask for more time if there is none left.

        Raises:
            BudgetExceeded: It is not granted.
        """
        while (late := self._late()) is not None:
            await late._ask_for_more("minutes", {})

    def extend(self, more: Amount) -> None:
        """Raise the limits; where there is none, there still is none.

        Args:
            more: What is added; minutes count from now where time is over. A slice takes it from the budget above.

        Raises:
            BudgetExceeded: The budget above does not have it.
        """
        if self._parent is not None:
            self._parent._require(self._ledger.limited(more.units))
        if self._minutes is not None and more.minutes > 0:
            self._minutes = max(self._minutes, self.seconds / 60) + more.minutes
        self._ledger.extend(self._ledger.limited(more.units))

    def slice(
        self,
        *,
        minutes: float | None = None,
        usd: float | None = None,
        requests: int | None = None,
        tokens: int | None = None,
        on_exhausted: OnExhausted | None = None,
        name: str = "The slice",
    ) -> Slice:
        """Set a part of these means aside for somebody; what is used of it is used here too.

        Args:
            minutes: Time from now on; None leaves it to this budget's limit, as with the others.
            usd: Money.
            requests: Number of model calls.
            tokens: Tokens.
            on_exhausted: Asked for more when the slice is used up.
            name: Whose slice it is, for people.

        Returns:
            The slice; leaving it as a context manager gives back what is left of it.

        Raises:
            BudgetExceeded: There is not that much.
        """
        limits = limit_units(requests, tokens, usd)
        self._require(limits)
        return Slice(self, limits, minutes=minutes, on_exhausted=on_exhausted, name=name)

    def _require(self, units: Units) -> None:
        if (short := self._short(units)) is not None:
            raise short[0]._exceeded(short[1], units)

    def _late(self) -> Budget | None:
        """Who has no time left: this budget or one above."""
        if self._minutes is not None and self.seconds >= self._minutes * 60:
            return self
        return None if self._parent is None else self._parent._late()

    def _short(self, units: Units) -> tuple[Budget, Kind] | None:
        """Who lacks what for that; this budget is looked at before those above."""
        if (late := self._late()) is not None:
            return late, "minutes"
        if (kind := self._ledger.lacking(units)) is not None:
            return self, kind
        return None if self._parent is None else self._parent._short(self._ledger.passed_up(units))

    async def _make_room(self, kind: Kind, units: Units) -> None:
        """Wait for a call in flight, which may give something back, or else ask for more."""
        gives_back = kind == "tokens" or (kind == "usd" and not self._ledger.uncounted)
        if gives_back and self._ledger.in_flight:
            await self._ledger.change()
        else:
            await self._ask_for_more(kind, units)

    async def _ask_for_more(self, kind: Kind, units: Units) -> None:
        before = self.limit(kind)
        async with self._asking.get():
            if self.limit(kind) != before:  # somebody else has asked meanwhile
                return
            beyond_help = kind in self._refused or (kind == "usd" and self._ledger.uncounted)
            if self._on_exhausted is None or beyond_help:
                raise self._exceeded(kind, units)
            more = await self._on_exhausted(self, kind)
            self._refused.add(kind)
            if more is None or not getattr(more, kind):
                raise self._exceeded(kind, units)
            self.extend(more)
            self._refused.discard(kind)

    def _exceeded(self, kind: Kind, units: Units) -> BudgetExceeded:
        larger = f"--budget-{kind}" if self._parent is None else "slice"
        return BudgetExceeded(
            f"{self.name}'s budget is used up",
            why=self._why(kind, units),
            next_step=f"What is proven stays; with a larger {larger} it goes further",
        )

    def _why(self, kind: Kind, units: Units) -> str:
        if kind == "minutes":
            return f"{self._minutes:g} minutes are over"
        if kind == "usd" and self._ledger.uncounted:
            return f"The price of {self._ledger.uncounted} is unknown, so the limit cannot be held"
        return self._ledger.accounts[kind].why_short(kind, units.get(kind, 0))


class Slice(Budget):
    """A part of a budget, made by :meth:`Budget.slice`; nobody else can use it up, and its owner nothing beyond it.

    Args:
        parent: Whose part it is; it has that much.
        limits: Of the kinds that have one.
        minutes: Time from now on.
        on_exhausted: Asked for more when it is used up.
        name: Whose it is, for people.
    """

    def __init__(
        self, parent: Budget, limits: Units, *, minutes: float | None, on_exhausted: OnExhausted | None, name: str
    ) -> None:
        super().__init__(minutes=minutes, on_exhausted=on_exhausted, name=name, clock=parent._clock)
        self._parent = parent
        self._ledger = Ledger(limits, {}, parent._ledger)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def reserve(self, amount: Amount = ONE_CALL) -> Reservation:
        """Hold what a call may take, as of :class:`Budget`.

        Raises:
            BudgetExceeded: A limit does not allow it, and nobody grants more.
            InputError: The slice is closed.
        """
        if self._closed:
            raise InputError(f"{self.name}'s budget is closed", next_step="Take another slice")
        return await super().reserve(amount)

    def close(self) -> None:
        """Give back what is left, now and when calls that are still in flight have ended; safe to call twice."""
        self._closed = True
        self._on_exhausted = None
        self._ledger.close()
