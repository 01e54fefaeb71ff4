"""The budget of a run: what the person allows, what was used before, and the question for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentinfra.core.errors import InputError
from agentinfra.models.amounts import Amount, Kind, money
from agentinfra.models.budget import Budget
from agentinfra.spec.requirements import Question
from agentinfra.workflow.run_options import Human, RunOptions
from agentinfra.workflow.run_state import RunState

STOP = "Stop: what is proven stays"
_UNITS = {"minutes": "minutes", "requests": "model requests", "tokens": "tokens", "usd": "dollars"}


def run_budget(options: RunOptions, earlier: RunState, human: Human, tell: Callable[[str], None]) -> Budget:
    """The budget that a run goes on with.

    Args:
        options: The limits.
        earlier: The run so far; what it has used counts.
        human: Asked for more when a limit is reached, unless the run asks for nothing.
        tell: Puts on record what was granted.
    """
    totals = earlier.totals
    asks = not options.yes and options.mode != "unattended"
    return Budget(
        minutes=options.budget_minutes,
        usd=options.budget_usd,
        requests=options.budget_requests,
        tokens=options.budget_tokens,
        seconds_spent=earlier.elapsed,
        usd_spent=totals.cost_usd,
        requests_spent=totals.calls - totals.cached_replies,
        tokens_spent=totals.input_tokens + totals.output_tokens,
        on_exhausted=MoreOrNot(human, tell) if asks else None,
    )


@dataclass
class MoreOrNot:
    """Asks the person whether to go on beyond a limit, each time with as much more as the limit was at first.

    Args:
        human: The person.
        tell: Told what was granted.
    """

    human: Human
    tell: Callable[[str], None]

    def __post_init__(self) -> None:
        self._slices: dict[Kind, float] = {}

    async def __call__(self, budget: Budget, kind: Kind) -> Amount | None:
        """What to add; None where the person, or their absence, says no.

        Raises:
            RunStopped: The person went away.
        """
        size = self._slices.setdefault(kind, budget.limit(kind) or 0.0)
        more = money(size) if kind == "usd" else f"{size:,g} {_UNITS[kind]}"
        go_on = f"Go on with {more} more"
        text = f"The limit of {more} is reached. Go on beyond it?"
        question = Question(f"budget-{kind}", text, "The run needs more than it may use", (STOP, go_on), STOP)
        try:
            answer = await self.human.answer(question)
        except InputError:  # nobody can be asked
            return None
        if answer != go_on:
            return None
        self.tell(f"The budget grows by {more}")
        return _amount(kind, size)


def _amount(kind: Kind, size: float) -> Amount:
    if kind == "minutes":
        return Amount(minutes=size)
    if kind == "usd":
        return Amount(usd=size)
    return Amount(requests=int(size)) if kind == "requests" else Amount(tokens=int(size))
