"""Limits on time, money, tokens and requests, for a run and for parts of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from agentinfra.core.errors import BudgetExceeded
from agentinfra.core.messages import Usage
from agentinfra.models.per_loop import PerLoop

Kind = Literal["minutes", "requests", "tokens", "usd"]
Counted = Literal["requests", "tokens", "usd"]
_COUNTED: tuple[Counted, ...] = ("requests", "tokens", "usd")
_PER_DOLLAR = 10**12  # whole units add up exactly, in any order


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call may take, or what a budget is extended by.

    Attributes:
        requests: Model calls.
        tokens: Read and written.
        usd: Money; None where the price is unknown.
        minutes: Wall-clock time from now on; of extensions only.
    """

    requests: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    minutes: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Amount(
            self.requests + other.requests, self.tokens + other.tokens, usd, max(self.minutes, other.minutes)
        )


OneCall = Amount(requests=1)
OnExhausted = Callable[["Budget", Kind], Awaitable[Amount | None]]
"""Asked what to add when that kind is used up; None, or an amount without it, is a no and is final."""
_Units = dict[Counted, int]


@dataclass(slots=True)
class _Account:
    """One kind of means, in whole units.

    Attributes:
        limit: What may be spent; None without a limit.
        spent: What was.
        held: What calls in flight and slices may still take.
        earmark: What the budget above still holds for this one.
    """

    limit: int | None
    spent: int
    held: int = 0
    earmark: int = 0

    @property
    def left(self) -> int | None:
        return None if self.limit is None else self.limit - self.spent - self.held


class Reservation:
    """What is held for one call until :meth:`settle`, or :meth:`release` where it was not answered; used once.

    Args:
        budget: Of whom.
        units: What is held.
    """

    def __init__(self, budget: Budget, units: _Units) -> None:
        self._budget = budget
        self._units: _Units | None = units

    def settle(self, usage: Usage, model: str = "the model", *, requests: int = 1, estimated: bool = False) -> None:
        """Book what the call has taken.

        Args:
            usage: Its tokens and money.
            model: Whose price it is, for the error where that is unknown.
            requests: How many requests it counts as.
            estimated: Whether nobody has told the usage, so that it is a guess.
        """
        units, self._units = self._units, None
        if units is not None:
            self._budget._book(units, usage, model, requests, estimated=estimated)  # pyright: ignore[reportPrivateUsage]

    def release(self) -> None:
        """Give everything back but the request itself."""
        self.settle(Usage(cost_usd=0.0))


class Budget:
    """What may be used, and what has been. None means no limit. Belongs to one event loop at a time.

    Before a call, what it may take at most is reserved; after it, what it has taken is booked. So limits are
    overrun by no more than the error of one call's estimate, however many are in flight.

    Args:
        minutes: Wall-clock time from now on.
        usd: Money.
        requests: Number of model calls.
        tokens: Tokens, read and written.
        seconds_spent: Time that was used before now, for a run that is resumed.
        usd_spent: Money that was used before now.
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
        usd_spent: float = 0.0,
        requests_spent: int = 0,
        tokens_spent: int = 0,
        on_exhausted: OnExhausted | None = None,
        name: str = "run",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._minutes = minutes
        self._accounts: dict[Counted, _Account] = {
            "requests": _Account(requests, requests_spent),
            "tokens": _Account(tokens, tokens_spent),
            "usd": _Account(None if usd is None else _units_of(usd), _units_of(usd_spent)),
        }
        self._estimated: dict[Counted, int] = dict.fromkeys(_COUNTED, 0)
        self._on_exhausted = on_exhausted
        self._clock = clock
        self._began = clock() - seconds_spent
        self._unpriced = ""
        self._parent: Budget | None = None
        self._refused: set[Kind] = set()
        self._in_flight = 0
        self._asking = PerLoop(asyncio.Lock)
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def seconds(self) -> float:
        """Time used so far."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Time left, at least 0; None without a limit."""
        above = None if self._parent is None else self._parent.seconds_left
        own = None if self._minutes is None else max(0.0, self._minutes * 60 - self.seconds)
        return min((left for left in (own, above) if left is not None), default=None)

    @property
    def requests(self) -> int:
        """Calls made so far, those in flight included."""
        account = self._accounts["requests"]
        return account.spent + account.held

    @property
    def tokens(self) -> int:
        """Tokens used so far."""
        return self._accounts["tokens"].spent

    @property
    def usd(self) -> float | None:
        """Money used so far; None as soon as one call's price was unknown."""
        return None if self._unpriced else self._accounts["usd"].spent / _PER_DOLLAR

    @property
    def estimated(self) -> Usage:
        """Of the tokens and the money, what nobody has told: calls that broke off. Not told apart by direction."""
        return Usage(self._estimated["tokens"], 0, cost_usd=self._estimated["usd"] / _PER_DOLLAR)

    @property
    def is_counting(self) -> bool:
        """Whether tokens or money are limited, here or above."""
        own = any(self._accounts[kind].limit is not None for kind in ("tokens", "usd"))
        return own or (self._parent is not None and self._parent.is_counting)

    def check(self) -> None:
        """Look at all limits.

        Raises:
            BudgetExceeded: One is reached, or money is limited and cannot be counted.
        """
        if (short := self._short(dict.fromkeys(_COUNTED, 0))) is not None:
            raise short[0]._exceeded(short[1], 0)

    def affords(self, amount: Amount) -> bool:
        """Whether that much may be taken now; for a forecast before the work."""
        return self._short(_units(amount)) is None

    async def reserve(self, amount: Amount = OneCall) -> Reservation:
        """Hold what a call may take, if all limits allow it.

        Where they would, were it not for calls in flight, it waits for these; where they do not, it asks for more.

        Args:
            amount: The most that it may take; of money that is unknown nothing is held.

        Raises:
            BudgetExceeded: A limit does not allow it, and nobody grants more.
        """
        units = _units(amount)
        while (short := self._short(units)) is not None:
            budget, kind = short
            await budget._make_room(kind, units)
        self._hold(units)
        return Reservation(self, units)

    async def require_time(self) -> None:
        """Ask for more time if there is none left.

        Raises:
            BudgetExceeded: It is not granted.
        """
        while (short := self._short_of_time()) is not None:
            await short._extend_or_raise("minutes", 0)

    def extend(self, more: Amount) -> None:
        """Raise the limits; where there is none, there still is none.

        Args:
            more: What is added; minutes count from now. A slice takes it from the budget above.

        Raises:
            BudgetExceeded: The budget above does not have it.
        """
        units = {kind: amount for kind, amount in _units(more).items() if self._accounts[kind].limit is not None}
        if self._parent is not None:
            self._parent._earmark(units)
        for kind, amount in units.items():
            account = self._accounts[kind]
            account.limit = (account.limit or 0) + amount
            account.earmark += amount if self._parent is not None else 0
        if self._minutes is not None and more.minutes > 0:
            self._minutes = max(self._minutes, self.seconds / 60) + more.minutes
        self._wake()

    def slice(
        self,
        *,
        minutes: float | None = None,
        usd: float | None = None,
        requests: int | None = None,
        tokens: int | None = None,
        on_exhausted: OnExhausted | None = None,
        name: str = "slice",
    ) -> Slice:
        """Set a part of these means aside for somebody; what is used of it is used here too.

        Args:
            minutes: As of the budget; None means that only this one's limit counts. So do the others.
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
        child = Slice(
            minutes=minutes,
            usd=usd,
            requests=requests,
            tokens=tokens,
            on_exhausted=on_exhausted,
            name=name,
            clock=self._clock,
        )
        child._adopt(self)
        return child

    def _limits(self) -> _Units:
        return {kind: one.limit for kind, one in self._accounts.items() if one.limit is not None}

    def _short_of_time(self) -> Budget | None:
        """Which budget has no time left: this one or one above."""
        if self._minutes is not None and self.seconds >= self._minutes * 60:
            return self
        return None if self._parent is None else self._parent._short_of_time()

    def _short(self, units: _Units) -> tuple[Budget, Kind] | None:
        """Which budget lacks what for that; this one is asked before those above."""
        if (late := self._short_of_time()) is not None:
            return late, "minutes"
        for kind, amount in units.items():
            left = self._accounts[kind].left
            if left is not None and (left < amount or left <= 0 or (kind == "usd" and self._unpriced)):
                return self, kind
        return None if self._parent is None else self._parent._short(self._passed_up(units))

    def _passed_up(self, units: _Units) -> _Units:
        """What the budget above is asked for: the rest it holds for this one already."""
        return {kind: amount for kind, amount in units.items() if self._accounts[kind].limit is None}

    def _hold(self, units: _Units) -> None:
        self._in_flight += 1
        for kind, amount in units.items():
            self._accounts[kind].held += amount
        if self._parent is not None:
            self._parent._hold(self._passed_up(units))

    def _book(self, units: _Units, usage: Usage, model: str, requests: int, *, estimated: bool) -> None:
        used = _units(Amount(requests, usage.input_tokens + usage.output_tokens, usage.cost_usd))
        self._in_flight -= 1
        above: _Units = {}
        for kind in _COUNTED:
            account = self._accounts[kind]
            account.held -= units.get(kind, 0)
            account.spent += used[kind]
            self._estimated[kind] += used[kind] if estimated else 0
            above[kind] = units.get(kind, 0) if account.limit is None else min(account.earmark, used[kind])
            account.earmark -= above[kind] if account.limit is not None else 0
        if usage.cost_usd is None:
            self._unpriced = model
        if self._parent is not None:
            self._parent._book(above, usage, model, requests, estimated=estimated)
        self._wake()

    def _earmark(self, units: _Units) -> None:
        if (short := self._short(units)) is not None:
            raise short[0]._exceeded(short[1], units.get(_counted(short[1]), 0))
        for kind, amount in units.items():
            self._accounts[kind].held += amount
        if self._parent is not None:
            self._parent._earmark(self._passed_up(units))

    def _give_back(self, units: _Units) -> None:
        for kind, amount in units.items():
            self._accounts[kind].held -= amount
        if self._parent is not None:
            self._parent._give_back(self._passed_up(units))
        self._wake()
