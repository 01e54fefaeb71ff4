"""A model that hears what the person says to the task that asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from agentinfra.core.events import EventDraft
from agentinfra.core.interfaces import ChatModel, EventLog
from agentinfra.core.messages import ChatReply, ChatRequest, Text, user
from agentinfra.models.wrapper_model import WrapperModel
from agentinfra.workflow.instructions import Instruction, added, in_front

POLL_SECONDS = 0.5


class Instructions:
    """What the person has said in a run, as its log tells it.

    Args:
        log: The log.
        run: The run.
    """

    def __init__(self, log: EventLog, run: str) -> None:
        self._log = log
        self._run = run
        self._seen = 0
        self._said: tuple[Instruction, ...] = ()

    async def of(self, task: str) -> list[Instruction]:
        """What the task is to be told, oldest first."""
        for event in await asyncio.to_thread(self._log.read, self._run, self._seen):
            if event.seq > self._seen:  # several tasks may read at once
                self._seen = event.seq
                self._said = added(self._said, event.data) if event.kind == "instruction" else self._said
        return [one for one in self._said if one.is_for(task)]

    async def tell_used(self, task: str, told: Sequence[Instruction]) -> None:
        """Put on record that a model has been told; once for each message and task."""
        for one in told:
            data = {"id": one.id, "task": task}
            draft = EventDraft("instruction_used", data, key=f"instruction {one.id} {task}")
            await asyncio.to_thread(self._log.append, self._run, draft)


class SteeredModel(WrapperModel):
    """Puts the person's words in front of every request of a task; requests without any go through as they are.

    Args:
        inner: The model that is asked.
        instructions: What the person has said.
        task: The task whose agent asks; "" where the request's purpose names it.
    """

    def __init__(self, inner: ChatModel, instructions: Instructions, task: str = "") -> None:
        super().__init__(inner)
        self._instructions = instructions
        self._task = task

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; what is said meanwhile to be heard now withdraws it and asks again.

        Raises:
            ModelError: The model failed.
        """
        task = self._task or task_in(request.purpose)
        if not task:
            return await self._inner.complete(request)
        while True:
            told = await self._instructions.of(task)
            await self._instructions.tell_used(task, told)
            reply = await self._answer(_with_words(request, told), task, {one.id for one in told})
            if reply is not None:
                return reply

    async def _answer(self, request: ChatRequest, task: str, told: set[str]) -> ChatReply | None:
        """The reply; None where the person said something more that is to be heard now."""
        asking = asyncio.create_task(self._inner.complete(request))
        try:
            while not (await asyncio.wait((asking,), timeout=POLL_SECONDS))[0]:
                new = [one for one in await self._instructions.of(task) if one.id not in told]
                if any(one.when == "now" for one in new):
                    return None
            return asking.result()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def task_in(purpose: str) -> str:
    """The task that a request's purpose, or an agent's name, ends with; "" for none."""
    last = purpose.replace(":", " ").rsplit(" ", 1)[-1]
    return last if last.startswith("T-") else ""


def _with_words(request: ChatRequest, told: Sequence[Instruction]) -> ChatRequest:
    words = in_front(told)
    if not words:
        return request
    messages = list(request.messages)
    place = next((at for at in reversed(range(len(messages))) if messages[at].role == "user"), None)
    if place is None:
        return replace(request, messages=(*messages, user(words.rstrip())))
    # Within the last message, not beside it: some models take turns only.
    messages[place] = replace(messages[place], parts=(Text(words), *messages[place].parts))
    return replace(request, messages=tuple(messages))
