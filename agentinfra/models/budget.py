"""Limits of a whole run on time, money and requests, shared by all its models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from agentinfra.core.errors import BudgetExceeded
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.wrapper_model import WrapperModel

OnUsage = Callable[[ChatRequest, ChatReply, float], None]
"""Told the request, the reply and the seconds that it took, after each call."""


class Budget:
    """What a run may use, and what it has used. None means no limit.

    Args:
        minutes: Wall-clock time from now on.
        usd: Money.
        requests: Number of model calls.
        seconds_spent: Time that was used before now, for a run that is resumed.
        usd_spent: Money that was used before now.
        requests_spent: Calls that were made before now.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        minutes: float | None = None,
        usd: float | None = None,
        requests: int | None = None,
        seconds_spent: float = 0.0,
        usd_spent: float = 0.0,
        requests_spent: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._minutes, self._usd, self._requests = minutes, usd, requests
        self._clock = clock
        self._began = clock() - seconds_spent
        self._usd_spent = usd_spent
        self._requests_spent = requests_spent
        self._unpriced = ""

    @property
    def seconds(self) -> float:
        """Time used so far."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Time left, at least 0; None without a limit."""
        return None if self._minutes is None else max(0.0, self._minutes * 60 - self.seconds)

    @property
    def requests(self) -> int:
        """Calls made so far."""
        return self._requests_spent

    @property
    def usd(self) -> float | None:
        """Money used so far; None as soon as one call's price was unknown."""
        return None if self._unpriced else self._usd_spent

    def reserve(self) -> None:
        """Count one more call, if all limits allow it.

        Raises:
            BudgetExceeded: One does not.
        """
        self.check()
        self._requests_spent += 1

    def check(self) -> None:
        """Look at all limits.

        Raises:
            BudgetExceeded: One is reached, or money is limited and cannot be counted.
        """
        if self.seconds_left == 0.0:
            raise self.out_of_time()
        if self._requests is not None and self._requests_spent >= self._requests:
            raise _exceeded(f"{self._requests} model requests are used up", "request limit")
        if self._usd is None:
            return
        if self._unpriced:
            raise _exceeded(f"the price of {self._unpriced} is unknown, so the limit cannot be held", "--budget-usd")
        if self._usd_spent >= self._usd:
            raise _exceeded(f"${self._usd_spent:.2f} of ${self._usd:.2f} are spent", "--budget-usd")

    def settle(self, reply: ChatReply) -> None:
        """Book what a call cost."""
        if reply.usage.cost_usd is None:
            self._unpriced = reply.model
        else:
            self._usd_spent += reply.usage.cost_usd

    def out_of_time(self) -> BudgetExceeded:
        """The error for a run whose time is up."""
        return _exceeded(f"{self._minutes:g} minutes are over", "--budget-minutes")


class BudgetedModel(WrapperModel):
    """A model that asks the run's budget before each call and books after it.

    A call that is still running when the time is up is cut.

    Args:
        inner: The model.
        budget: Shared by all models of the run.
        on_usage: Told each call.
    """

    def __init__(self, inner: ChatModel, budget: Budget, on_usage: OnUsage | None = None) -> None:
        super().__init__(inner)
        self._budget = budget
        self._on_usage = on_usage

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request within the budget.

        Raises:
            BudgetExceeded: A limit is reached.
            ModelError: As of the inner model.
        """
        self._budget.reserve()
        began = time.monotonic()
        limit = asyncio.timeout(self._budget.seconds_left)
        try:
            async with limit:
                reply = await self._inner.complete(request)
        except TimeoutError as error:
            if limit.expired():
                raise self._budget.out_of_time() from error
            raise
        self._budget.settle(reply)
        if self._on_usage is not None:
            self._on_usage(request, reply, time.monotonic() - began)
        return reply


def _exceeded(why: str, option: str) -> BudgetExceeded:
    return BudgetExceeded(
        "The run's budget is used up",
        why=why[0].upper() + why[1:],
        next_step=f"What is proven stays; resume with a larger {option} to go on",
    )
