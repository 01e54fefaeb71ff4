"""A model whose replies survive the process: each call is a step of the workflow that makes it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agentinfra.core.errors import BudgetExceeded, ModelUnavailable, RunStopped
from agentinfra.core.events import EventKind
from agentinfra.core.interfaces import ChatModel, DurableEngine
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.reply_json import reply_in, reply_out
from agentinfra.models.wrapper_model import WrapperModel

Emit = Callable[[EventKind, Mapping[str, Any]], Awaitable[None]]


class DurableModel(WrapperModel):
    """Wraps a model so that a resumed run takes its earlier replies from the record, and every call is an event.

    Args:
        inner: The model that answers what is not on record.
        engine: Keeps the record.
        emit: Puts events on the run's log, in the name of the agent that asks.
    """

    def __init__(self, inner: ChatModel, engine: DurableEngine, emit: Emit) -> None:
        super().__init__(inner)
        self._engine = engine
        self._emit = emit

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request, or return the recorded answer.

        Raises:
            BudgetExceeded: The run's limit is reached.
            ModelError: The provider failed.
        """
        await self._emit("tool_call", {"id": request.purpose, "title": request.purpose, "kind": "think"})
        outcome = await self._engine.step(f"model {request.purpose}", lambda: self._ask(request))
        await self._emit(
            "tool_call_update",
            {
                "id": request.purpose,
                "status": "failed" if "limit" in outcome else "completed",
                "seconds": outcome["seconds"],
            },
        )
        if "limit" in outcome:
            raise BudgetExceeded(**outcome["limit"])
        reply = reply_in(outcome["reply"])
        await self._emit("usage_update", _usage_data(reply, request.purpose, outcome["seconds"]))
        return reply

    async def _ask(self, request: ChatRequest) -> dict[str, Any]:
        begun = time.monotonic()
        try:
            reply = await self._inner.complete(request)
        except BudgetExceeded as limit:
            # A value, not an error: reaching a limit is an outcome of the run, and what is proven goes on.
            seconds = round(time.monotonic() - begun, 3)
            return {"seconds": seconds, "limit": {"what": limit.what, "why": limit.why, "next_step": limit.next_step}}
        except ModelUnavailable as error:
            # Not recorded: the same call may well succeed when the run is resumed.
            raise RunStopped(
                error.what, why=error.why, next_step=f"{error.next_step}, then `agentinfra resume`"
            ) from error
        return {"seconds": round(time.monotonic() - begun, 3), "reply": reply_out(reply)}


def _usage_data(reply: ChatReply, purpose: str, seconds: float) -> dict[str, Any]:
    usage = reply.usage
    rare = {
        "reasoning_tokens": usage.reasoning_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cached_replies": usage.cached_replies,
    }
    return {
        "model": reply.model,
        "purpose": purpose,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        **{name: number for name, number in rare.items() if number},
        "cost_usd": usage.cost_usd,
        "seconds": seconds,
        "task": _task_in(purpose),
    }


def _task_in(purpose: str) -> str | None:
    last = purpose.rsplit(" ", 1)[-1]
    return last if last.startswith("T-") else None
