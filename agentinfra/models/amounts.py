"""What budgets count, in whole units that add up exactly in any order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Counted = Literal["requests", "tokens", "usd"]
Kind = Literal["minutes", "requests", "tokens", "usd"]
Units = dict[Counted, int]
COUNTED: tuple[Counted, ...] = ("requests", "tokens", "usd")
PER_DOLLAR = 10**12

_NOUNS: dict[Counted, str] = {"requests": " model requests", "tokens": " tokens", "usd": ""}


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call may take, or what a budget is extended by.

    Attributes:
        requests: Model calls.
        tokens: Read and written.
        usd: Money; None where the price is unknown, which may be all that is left.
        minutes: Wall-clock time; of extensions only.
    """

    requests: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    minutes: float = 0.0

    @property
    def units(self) -> Units:
        """What of it is counted; unknown money is none."""
        return {"requests": self.requests, "tokens": self.tokens, "usd": money_units(self.usd or 0.0)}


ONE_CALL = Amount(requests=1)


@dataclass(slots=True)
class Account:
    """The account of one kind, in whole units.

    Attributes:
        limit: What may be used; None without a limit.
        spent: What was, as told by who was paid.
        guessed: What was, as far as nobody has told.
        held: What calls in flight and slices may still take.
        earmark: What the budget above still holds for this one.
    """

    limit: int | None
    spent: int
    guessed: int = 0
    held: int = 0
    earmark: int = 0

    @property
    def used(self) -> int:
        """What is gone."""
        return self.spent + self.guessed

    @property
    def left(self) -> int | None:
        """What nobody has or may take; below 0 where an estimate was too low; None without a limit."""
        return None if self.limit is None else self.limit - self.used - self.held

    def book(self, held: int, used: int, *, estimated: bool) -> None:
        """Replace what was held for a call by what it took."""
        self.held -= held
        if estimated:
            self.guessed += used
        else:
            self.spent += used

    def take_earmark(self, used: int) -> int:
        """Of what was used, the part that the budget above has held for it till now."""
        taken = min(self.earmark, used)
        self.earmark -= taken
        return taken

    def spare(self) -> int:
        """End the account: nothing more may be used. Returns what the budget above need not hold any longer."""
        if self.limit is None:
            return 0
        self.limit = self.used + self.held
        spare = max(0, self.earmark - self.held)
        self.earmark -= spare
        return spare

    def why_short(self, kind: Counted, wanted: int) -> str:
        """Why that much cannot be had, for people."""
        noun, limit = _NOUNS[kind], self.limit or 0
        held = f", {_figure(kind, self.held)} are reserved" if self.held > 0 else ""
        wish = f", and {_figure(kind, wanted)} may be needed" if wanted > limit - self.used - self.held > 0 else ""
        return f"{_figure(kind, self.used)} of {_figure(kind, limit)}{noun} are spent{held}{wish}"


def limit_units(requests: int | None, tokens: int | None, usd: float | None) -> Units:
    """Limits as whole units; a kind without a limit is left out."""
    limits = {"requests": requests, "tokens": tokens, "usd": None if usd is None else money_units(usd)}
    return {kind: limit for kind in COUNTED if (limit := limits[kind]) is not None}


def money_units(usd: float) -> int:
    """Dollars as whole units."""
    return round(usd * PER_DOLLAR)


def money(usd: float) -> str:
    """Dollars for people; very small amounts keep two digits that tell something."""
    return f"${usd:,.2f}" if usd == 0 or usd >= 0.01 else f"${usd:.2g}"


def _figure(kind: Counted, units: int) -> str:
    return money(units / PER_DOLLAR) if kind == "usd" else f"{units:,}"
