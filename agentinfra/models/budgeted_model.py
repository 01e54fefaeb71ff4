"""A model that reserves before each call what it may take, and books after it what it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from agentinfra.core.errors import BudgetExceeded, ModelError, ReplyError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, Usage
from agentinfra.core.token_estimate import BYTES_PER_TOKEN
from agentinfra.models.amounts import ONE_CALL, Amount
from agentinfra.models.budget import Budget, Reservation
from agentinfra.models.heard import Heard
from agentinfra.models.prices import cost_of
from agentinfra.models.token_estimate import input_tokens, output_tokens
from agentinfra.models.wrapper_model import WrapperModel

OnUsage = Callable[[ChatRequest, ChatReply, float], None]
"""Told the request, the reply and the seconds that it took, after each call."""


class BudgetedModel(WrapperModel):
    """Keeps a model's calls within a budget.

    A call that is still running when the time is up is cut, unless more time is granted. Of a call that breaks off, or
    whose provider does not tell its usage, an estimate is booked; one that was refused costs nothing.

    Args:
        inner: The model.
        budget: Shared by all models of the run, or a slice of that.
        on_usage: Told each call that was answered.
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
        most = most_of(request, self._inner) if self._budget.is_counting else ONE_CALL
        reservation = await self._budget.reserve(most)
        heard = Heard(request)
        began = time.monotonic()
        try:
            reply = await self._in_time(heard.request)
        except BaseException as error:
            self._break_off(reservation, error, heard, request)
            raise
        self._settle(reservation, reply, request)
        if self._on_usage is not None:
            self._on_usage(request, reply, time.monotonic() - began)
        return reply

    async def _in_time(self, request: ChatRequest) -> ChatReply:
        if self._budget.seconds_left is None:
            return await self._inner.complete(request)
        work = asyncio.ensure_future(self._inner.complete(request))
        try:
            while not work.done():
                await asyncio.wait((work,), timeout=self._budget.seconds_left)
                if not work.done():
                    await self._more_time(work)
            return work.result()
        finally:
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    async def _more_time(self, work: asyncio.Future[ChatReply]) -> None:
        try:
            await self._budget.require_time()
        except BudgetExceeded:
            if not work.done():  # what was answered while a person thought about it is paid, and taken
                raise

    def _settle(self, reservation: Reservation, reply: ChatReply, request: ChatRequest) -> None:
        usage = reply.usage
        unknown = usage.input_tokens + usage.output_tokens == 0 and usage.cost_usd is None
        if unknown:
            usage = _usage(request, self.name, output_tokens(request, self.profile))
        reservation.settle(usage, reply.model, estimated=unknown)

    def _break_off(self, reservation: Reservation, error: BaseException, heard: Heard, request: ChatRequest) -> None:
        if not heard.anything and _was_refused(error):
            reservation.release()
        else:
            told = -(-heard.characters // BYTES_PER_TOKEN)
            reservation.settle(_usage(request, self.name, told), self.name, estimated=True)


def most_of(request: ChatRequest, model: ChatModel) -> Amount:
    """The most that a call may take, by an estimate that is rather too high than too low."""
    usage = _usage(request, model.name, output_tokens(request, model.profile))
    return Amount(1, usage.input_tokens + usage.output_tokens, usage.cost_usd)


def _usage(request: ChatRequest, model: str, written: int) -> Usage:
    read = input_tokens(request)
    # To write into the prompt cache is the dearest way of reading.
    usage = Usage(read, written, cache_write_tokens=read if request.cache else 0)
    return replace(usage, cost_usd=cost_of(model, usage))


def _was_refused(error: BaseException) -> bool:
    """Whether the provider has not begun to answer, as far as the error tells."""
    return isinstance(error, ModelError) and (error.transient or not isinstance(error, ReplyError))
