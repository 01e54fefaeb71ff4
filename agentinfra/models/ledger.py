"""The accounts of a budget and of those above it: what is limited, held and used."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agentinfra.core.messages import Usage
from agentinfra.models.amounts import COUNTED, Account, Amount, Counted, Units


class Ledger:
    """One budget's accounts. What is booked here is booked above too; what is limited here is set aside there.

    Args:
        limits: Of the kinds that have one.
        spent: What was used before.
        above: Whose part it is.

    Attributes:
        accounts: One for each kind.
        in_flight: Calls for which something is held here.
        unpriced: The model whose price was unknown, if there was one.
        unguessed: The model whose price could not even be estimated.
    """

    def __init__(self, limits: Units, spent: Units, above: Ledger | None = None) -> None:
        self.accounts: Mapping[Counted, Account] = {
            kind: Account(limits.get(kind), spent.get(kind, 0)) for kind in COUNTED
        }
        self.in_flight = 0
        self.unpriced = ""
        self.unguessed = ""
        self._above = above
        self._closed = False
        self._waiting: list[asyncio.Future[None]] = []
        if above is not None:
            self._earmark(above, limits)

    @property
    def uncounted(self) -> str:
        """Whose price is unknown, so that a limit on money cannot be held."""
        return self.unpriced or self.unguessed

    def wanted(self, amount: Amount) -> Units:
        """What to hold for an amount."""
        units = amount.units
        if amount.usd is None:
            # Unknown prices go one at a time, so that no second one is paid before the first is known.
            units["usd"] = max(1, self._usd_left())
        return units

    def lacking(self, units: Units) -> Counted | None:
        """Of what there is too little here for that; at least one unit of each kind has to be left."""
        for kind, amount in units.items():
            left = self.accounts[kind].left
            if left is not None and (left < max(1, amount) or (kind == "usd" and self.uncounted)):
                return kind
        return None

    def limited(self, units: Units) -> Units:
        """Of these, what is limited here."""
        return {kind: amount for kind, amount in units.items() if amount and self.accounts[kind].limit is not None}

    def passed_up(self, units: Units) -> Units:
        """What the one above is asked for: of what is limited here, it has set aside enough already."""
        return {kind: amount for kind, amount in units.items() if self.accounts[kind].limit is None}

    def hold(self, units: Units) -> None:
        """Hold that much for a call, here and above."""
        self.in_flight += 1
        for kind, amount in units.items():
            self.accounts[kind].held += amount
        if self._above is not None:
            self._above.hold(self.passed_up(units))

    def settle(self, units: Units, usage: Usage, model: str, *, estimated: bool) -> None:
        """Book a call, here and above.

        Args:
            units: What was held for it.
            usage: What it took; a reply from our own cache is no request.
            model: Whose price it is.
            estimated: Whether the tokens and the money are a guess.
        """
        sent = max(0, units["requests"] - usage.cached_replies)
        used = Amount(sent, usage.input_tokens + usage.output_tokens, usage.cost_usd).units
        self._book(units, used, model if usage.cost_usd is None else "", estimated=estimated)

    def set_aside(self, units: Units) -> None:
        """Hold that much for a part, or give it back where it is negative; here and above."""
        for kind, amount in units.items():
            self.accounts[kind].held += amount
        if self._above is not None:
            self._above.set_aside(self.passed_up(units))
        self._wake()

    def extend(self, units: Units) -> None:
        """Raise limits; they are there, and the one above has that much."""
        for kind, amount in units.items():
            account = self.accounts[kind]
            account.limit = (account.limit or 0) + amount
        if self._above is not None:
            self._earmark(self._above, units)
        self._wake()

    def close(self) -> None:
        """Give back what is left, now and when calls that are still in flight are booked."""
        self._closed = True
        self._wake()

    async def change(self) -> None:
        """Wait until something is booked, given back or extended."""
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(changed)
        await changed

    def _usd_left(self) -> int:
        left = self.accounts["usd"].left
        if left is None:
            return 0 if self._above is None else self._above._usd_left()
        return left

    def _earmark(self, above: Ledger, units: Units) -> None:
        above.set_aside(units)
        for kind, amount in units.items():
            self.accounts[kind].earmark += amount

    def _book(self, units: Units, used: Units, unpriced: str, *, estimated: bool) -> None:
        self.in_flight -= 1
        from_above: Units = {}
        for kind, account in self.accounts.items():
            held = units.get(kind, 0)
            account.book(held, used[kind], estimated=estimated and kind != "requests")
            from_above[kind] = held if account.limit is None else account.take_earmark(used[kind])
        if estimated:
            self.unguessed = unpriced or self.unguessed
        else:
            self.unpriced = unpriced or self.unpriced
        if self._above is not None:
            self._above._book(from_above, used, unpriced, estimated=estimated)
        self._wake()

    def _wake(self) -> None:
        if self._closed and self._above is not None:
            self._above.set_aside({kind: -account.spare() for kind, account in self.accounts.items()})
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():  # it may have been cancelled
                one.set_result(None)
