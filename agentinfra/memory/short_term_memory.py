"""A conversation under a token budget: it grows until it is full, then its older middle becomes a few lines.

What stays whatever happens: the system messages, the first thing the user said, and the newest exchange. A tool call
and its result stay or go together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agentinfra.core.errors import ContextOverflow, InputError, ModelError
from agentinfra.core.messages import Message, ToolCall, ToolResult, user
from agentinfra.core.token_estimate import message_tokens
from agentinfra.memory.conversation_digest import DigestLines, digest_lines, shorten_results

Summarise = Callable[[Sequence[Message]], Awaitable[str]]
"""Makes a short text of messages; where some were left out before, the first one is what remained of them."""

KEPT_SHARE = 0.6  # of the budget, after a compaction: the next one is not due at once
DIGEST_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did.

    Attributes:
        before: Tokens before.
        after: Tokens after.
        left_out: Messages that were left out.
        shortened: Tool results that were cut.
        note: Why the summariser's text was not used; "" where it was, or there is none.
    """

    before: int
    after: int
    left_out: int
    shortened: int
    note: str = ""


class ShortTermMemory:
    """What is said in one conversation, kept under a token budget.

    Args:
        budget: Most tokens of all messages.
        count: Tokens of a message; by default an estimate that is rather too high.
        summarise: Makes a text of what is left out. Without one, each exchange leaves a line.
    """

    def __init__(
        self,
        budget: int = 16_000,
        *,
        count: Callable[[Message], int] = message_tokens,
        summarise: Summarise | None = None,
    ) -> None:
        if budget < 1:
            raise InputError("A conversation needs a budget", why=f"{budget} tokens hold nothing")
        self.budget = budget
        self._count = count
        self._summarise = summarise
        self._pinned: list[Message] = []
        self._recent: list[Message] = []
        self._digest = DigestLines()
        self._summary = ""
        self._open: set[str] = set()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation, oldest first, as a model is sent it."""
        remains = self._remains
        middle = (user(self._heading + remains),) if remains else ()
        return (*self._pinned, *middle, *self._recent)

    @property
    def tokens(self) -> int:
        """Tokens of all messages."""
        return sum(self._count(message) for message in self.messages)

    @property
    def is_full(self) -> bool:
        """Whether it is over its budget, and has to be compacted before it is sent."""
        return self.tokens > self.budget

    def add(self, *messages: Message) -> None:
        """Append messages; nothing is left out before :meth:`compact`.

        Raises:
            InputError: A tool result answers no open call, or something else comes while calls are open.
        """
        for message in messages:
            self._admit(message)
            is_asked = any(one.role == "user" for one in self._pinned)
            (self._recent if is_asked and message.role != "system" else self._pinned).append(message)

    def compact(self) -> Compaction | None:
        """Bring the conversation under its budget without a model; None where it is already.

        Raises:
            ContextOverflow: What has to stay is larger than the budget; nothing was changed.
        """
        plan = self._plan()
        return None if plan is None else self._carry_out(plan, "")

    async def acompact(self) -> Compaction | None:
        """The same, with a summary by the summariser; where that fails, with the lines of :meth:`compact`.

        Raises:
            ContextOverflow: What has to stay is larger than the budget; nothing was changed.
        """
        plan = self._plan()
        if plan is None:
            return None
        if self._summarise is None or not plan.dropped:
            return self._carry_out(plan, "")
        before = (user(self._heading + self._remains),) if self._remains else ()
        try:
            summary = await self._summarise((*before, *plan.dropped))
        except ModelError as error:
            return self._carry_out(plan, "", str(error))
        if tuple(self._recent[: len(plan.seen)]) != plan.seen:  # another compaction was faster
            return self.compact()
        note = "" if summary.strip() else "the summary was empty"
        return self._carry_out(plan, summary.strip(), note)

    def _admit(self, message: Message) -> None:
        for part in message.parts:
            if isinstance(part, ToolResult) and part.call_id not in self._open:
                raise InputError(f"There is no open tool call {part.call_id!r}", next_step="Add the call first, once")
        if self._open and not any(isinstance(part, ToolResult) for part in message.parts):
            raise InputError(
                f"{len(self._open)} tool calls have no result yet",
                why="Providers refuse a conversation in which calls go unanswered",
                next_step="Add a ToolResult for each, with is_error where the tool was not run",
            )
        for part in message.parts:
            if isinstance(part, ToolCall):
                self._open.add(part.id)
            elif isinstance(part, ToolResult):
                self._open.discard(part.call_id)

    @property
    def _heading(self) -> str:
        return f"Earlier in this conversation ({self._digest.messages} messages, left out to save room):\n"

    @property
    def _remains(self) -> str:
        return self._summary or self._digest.text

    def _plan(self) -> _Plan | None:
        """What to leave out, and what to cut."""
        if not self.is_full:
            return None
        exchanges = _exchanges(self._recent)
        fixed = sum(self._count(message) for message in self._pinned) + int(self.budget * DIGEST_SHARE)
        room = int(self.budget * KEPT_SHARE) - fixed
        kept: list[list[Message]] = []
        for exchange in reversed(exchanges):
            size = sum(self._count(message) for message in exchange)
            if kept and size > room:
                break
            kept.insert(0, exchange)
            room -= size
        dropped = [message for exchange in exchanges[: len(exchanges) - len(kept)] for message in exchange]
        recent = [message for exchange in kept for message in exchange]
        return self._fitted(dropped, recent, self.budget - fixed)

    def _fitted(self, dropped: list[Message], recent: list[Message], room: int) -> _Plan:
        """The plan, with the newest exchange's long tool results cut where it is too large even alone."""
        size = sum(self._count(message) for message in recent)
        shortened = 0
        if size > room:
            recent, shortened = shorten_results(recent, room, self._count)
            size = sum(self._count(message) for message in recent)
        if size > room:
            raise ContextOverflow(
                f"The conversation does not fit into {self.budget:,} tokens",
                why="What it began with and its newest exchange are larger, and stay",
                next_step="Give it a larger budget, or begin a new conversation",
            )
        return _Plan(tuple(self._recent), dropped, recent, shortened)

    def _carry_out(self, plan: _Plan, summary: str, note: str = "") -> Compaction:
        before = self.tokens
        room = int(self.budget * DIGEST_SHARE)
        self._digest = self._digest.with_more(digest_lines(_exchanges(plan.dropped)), len(plan.dropped))
        self._digest = self._digest.within(room, lambda text: self._count(user(self._heading + text)))
        self._summary = self._cut(summary, room) if plan.dropped else self._summary
        self._recent = [*plan.recent, *self._recent[len(plan.seen) :]]  # and what was said meanwhile
        return Compaction(before, self.tokens, len(plan.dropped), plan.shortened, note)

    def _cut(self, summary: str, room: int) -> str:
        while summary and self._count(user(self._heading + summary)) > room:
            summary = summary[: int(len(summary) * 0.9)]
        return summary


@dataclass(frozen=True, slots=True)
class _Plan:
    seen: tuple[Message, ...]
    dropped: Sequence[Message]
    recent: Sequence[Message]
    shortened: int


def _exchanges(messages: Sequence[Message]) -> list[list[Message]]:
    """The messages in groups that stay or go as one: a call with all that comes until its results are there."""
    groups: list[list[Message]] = []
    waiting: set[str] = set()
    for message in messages:
        if not waiting:
            groups.append([])
        groups[-1].append(message)
        for part in message.parts:
            if isinstance(part, ToolCall):
                waiting.add(part.id)
            elif isinstance(part, ToolResult):
                waiting.discard(part.call_id)
    return groups
