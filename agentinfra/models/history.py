"""Mend a conversation before it is sent: providers refuse one with a single call or result that has no counterpart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from agentinfra.core.messages import Message, Part, Role, ToolCall, ToolResult

NO_RESULT = "There is no result: this call was not run."

_ANY_ID = re.compile(r".+", re.DOTALL)


def repair(messages: Sequence[Message], legal_id: re.Pattern[str] = _ANY_ID) -> tuple[Message, ...]:
    """The same conversation, such that every provider accepts its tool calls.

    Afterwards every call has exactly one result, which stands in the tool messages directly after it; no result is
    without a call, and no id occurs twice. A result that stands elsewhere is moved to its call, a call without one
    is answered with :data:`NO_RESULT`, a result without a call goes, and ids that are empty, illegal or used before
    are exchanged on both sides. What needs no mending is returned as it is, and the beginning of a conversation is
    mended alike however it goes on, so that providers' caches still find it.

    Args:
        messages: The conversation, oldest first.
        legal_id: What an id of a call must look like as a whole.
    """
    ledger = _Ledger(legal_id)
    for index, message in enumerate(messages):
        ledger.enter(index, message)
    return tuple(_mended(messages, ledger))


@dataclass(slots=True)
class _Asked:
    """A call, its id from now on, its answer, and whether that already stands in its place."""

    turn: int
    call: ToolCall
    id: str
    answer: ToolResult | None = None
    in_place: bool = False

    def result(self) -> ToolResult:
        return replace(self.answer, call_id=self.id) if self.answer else ToolResult(self.id, NO_RESULT, is_error=True)


@dataclass(slots=True)
class _Ledger:
    """Which result belongs to which call."""

    legal_id: re.Pattern[str]
    asked: dict[int, list[_Asked]] = field(default_factory=lambda: defaultdict[int, list[_Asked]](list))
    answers: dict[tuple[int, int], _Asked] = field(default_factory=dict[tuple[int, int], _Asked])
    _open: dict[str, list[_Asked]] = field(default_factory=lambda: defaultdict[str, list[_Asked]](list))
    _used: set[str] = field(default_factory=set[str])
    _turn: int | None = None

    def enter(self, index: int, message: Message) -> None:
        """Take note of a message's results, then of its calls."""
        if not _only_results(message):
            self._turn = None
        for place, part in enumerate(message.parts):
            if isinstance(part, ToolResult):
                self._answer(index, place, part)
        if message.role == "assistant":
            self._ask(index, [part for part in message.parts if isinstance(part, ToolCall)])

    def _ask(self, index: int, calls: list[ToolCall]) -> None:
        for call in calls:
            asked = _Asked(index, call, self._fresh(call.id))
            self.asked[index].append(asked)
            self._open[call.id].append(asked)
        self._turn = index if calls else None

    def _answer(self, index: int, place: int, result: ToolResult) -> None:
        waiting = self._open[result.call_id]
        if not waiting:
            return
        # The nearest turn that waits for it, and there the first call.
        first = next(at for at, asked in enumerate(waiting) if asked.turn == waiting[-1].turn)
        asked = waiting.pop(first)
        asked.answer, asked.in_place = result, asked.turn == self._turn
        self.answers[index, place] = asked

    def _fresh(self, wanted: str) -> str:
        name, number = wanted, len(self._used)
        while name in self._used or not self.legal_id.fullmatch(name):
            name, number = f"call_{number}", number + 1
        self._used.add(name)
        return name


def _only_results(message: Message) -> bool:
    return message.role != "assistant" and all(isinstance(part, ToolResult) for part in message.parts)


def _mended(messages: Sequence[Message], ledger: _Ledger) -> Iterator[Message]:
    owed: tuple[ToolResult, ...] = ()
    for index, message in enumerate(messages):
        if owed and not _only_results(message):
            yield Message("tool", owed)
            owed = ()
        parts = tuple(_kept(index, message, ledger))
        if parts == message.parts:
            yield message
        elif parts:
            yield Message(_role(message, parts), parts)
        asked = ledger.asked.get(index, ())
        owed = owed + tuple(one.result() for one in asked if not one.in_place)
    if owed:
        yield Message("tool", owed)


def _kept(index: int, message: Message, ledger: _Ledger) -> Iterator[Part]:
    calls = iter(ledger.asked.get(index, ()))
    for place, part in enumerate(message.parts):
        if isinstance(part, ToolResult):
            asked = ledger.answers.get((index, place))
            if asked is not None and asked.in_place:
                yield asked.result()
        elif isinstance(part, ToolCall):
            if message.role == "assistant":
                asked = next(calls)
                yield part if part.id == asked.id else replace(part, id=asked.id)
        else:
            yield part


def _role(message: Message, parts: tuple[Part, ...]) -> Role:
    """What is left of a tool message that held more than results was said by nobody but the user's side."""
    return "user" if message.role == "tool" and not isinstance(parts[0], ToolResult) else message.role
