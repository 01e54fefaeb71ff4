"""What a run's model calls took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentinfra.workflow.event_fields import integer, is_number, number


@dataclass(frozen=True, slots=True)
class Totals:
    """What the run's model calls took; ``cost_usd`` is None as soon as the price of one of them is unknown.

    ``cached_tokens`` came from providers' prompt caches, ``cached_replies`` from our own, without a request.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0
    cached_replies: int = 0

    def plus(self, data: Mapping[str, Any]) -> Totals:
        """The sum with one more call, as its ``usage_update`` tells of it."""
        cost = data.get("cost_usd")
        return Totals(
            self.calls + 1,
            self.input_tokens + integer(data, "input_tokens"),
            self.output_tokens + integer(data, "output_tokens"),
            self.cached_tokens + integer(data, "cached_tokens"),
            None if self.cost_usd is None or not is_number(cost) else self.cost_usd + cost,
            self.seconds + number(data, "seconds"),
            self.cached_replies + integer(data, "cached_replies"),
        )
