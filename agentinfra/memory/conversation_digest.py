"""What remains of messages that are left out, made without a model: a line for each exchange, and cut tool results."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agentinfra.core.messages import Message, Part, ToolCall, ToolResult

MAX_LINE = 160
MIN_RESULT = 200  # characters of a tool result that stay in any case
_CUT = "\n… {count} characters left out …\n"


@dataclass(frozen=True, slots=True)
class DigestLines:
    """Lines that stand for messages.

    Attributes:
        lines: Oldest first.
        messages: How many messages they stand for, those whose lines are gone included.
    """

    lines: tuple[str, ...] = ()
    messages: int = 0

    @property
    def text(self) -> str:
        """The lines as a list."""
        return "\n".join(f"- {line}" for line in self.lines)

    def with_more(self, lines: Sequence[str], messages: int) -> DigestLines:
        """Itself with more lines at its end."""
        return DigestLines((*self.lines, *lines), self.messages + messages)

    def within(self, tokens: int, count: Callable[[str], int]) -> DigestLines:
        """Itself without the oldest lines, as far as the budget demands."""
        kept = self
        while kept.lines and count(kept.text) > tokens:
            kept = replace(kept, lines=kept.lines[max(1, len(kept.lines) // 8) :])
        return kept


def digest_lines(exchanges: Sequence[Sequence[Message]]) -> list[str]:
    """A line for each thing said and each tool called."""
    lines: list[str] = []
    for exchange in exchanges:
        results = {part.call_id: part for message in exchange for part in message.parts if isinstance(part, ToolResult)}
        for message in exchange:
            if message.text.strip():
                lines.append(_one_line(f"{message.role}: {message.text}"))
            calls = [part for part in message.parts if isinstance(part, ToolCall)]
            lines += [_call_line(call, results.get(call.id)) for call in calls]
    return lines


def shorten_results(
    messages: Sequence[Message], tokens: int, count: Callable[[Message], int]
) -> tuple[list[Message], int]:
    """Cut the middle out of long tool results, the longest first, until the messages fit or nothing is long.

    Args:
        messages: In order; the same in number come back.
        tokens: The budget.
        count: Tokens of a message.

    Returns:
        The messages, and how many results were cut.
    """
    kept, cut = list(messages), set[str]()
    while sum(count(message) for message in kept) > tokens:
        where, longest = max(
            ((index, part) for index, message in enumerate(kept) for part in message.parts if _is_long(part)),
            key=lambda found: len(found[1].content) if isinstance(found[1], ToolResult) else 0,
            default=(0, None),
        )
        if not isinstance(longest, ToolResult):
            break
        shorter = _halved(longest)
        parts = tuple(shorter if part is longest else part for part in kept[where].parts)
        kept[where] = replace(kept[where], parts=parts)
        cut.add(longest.call_id)
    return kept, len(cut)


def _is_long(part: Part) -> bool:
    return isinstance(part, ToolResult) and (len(part.content) > MIN_RESULT or bool(part.images))


def _halved(result: ToolResult) -> ToolResult:
    """The beginning and the end, half as long; pictures go first."""
    if result.images:
        return replace(result, images=(), content=f"{result.content}\n({len(result.images)} pictures left out)")
    keep = max(len(result.content) // 4, MIN_RESULT // 4)
    gone = len(result.content) - 2 * keep
    return replace(result, content=result.content[:keep] + _CUT.format(count=gone) + result.content[-keep:])


def _call_line(call: ToolCall, result: ToolResult | None) -> str:
    asked = f"called {call.name}({json.dumps(dict(call.arguments), ensure_ascii=False, sort_keys=True)[:80]})"
    if result is None:
        return _one_line(asked)
    return _one_line(f"{asked}, which {'failed' if result.is_error else 'gave'}: {result.content}")


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…"
