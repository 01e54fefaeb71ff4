"""How long Claude is asked to think, in the words that the model at hand understands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentinfra.core.messages import ChatRequest, Effort
from agentinfra.models.claude_models import THINKING_TOKENS, Claude

ROOM: dict[Effort | None, int] = {None: THINKING_TOKENS, "none": 4_096, "low": 4_096, "medium": 8_192, "high": 16_384}
"""Added to the bound of the reply, in tokens: thinking counts against it."""

THOUGHTS = ("thinking", "redacted_thinking")
"""Types of blocks that hold what was thought."""

_OFF: dict[str, dict[str, Any] | None] = {
    "omitted": None,
    "never": None,
    "disabled": {"type": "disabled"},
    "between_tools": {"type": "between_tools"},
}


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a request says about thinking.

    Attributes:
        config: The wire's ``thinking``; None says nothing.
        effort: The wire's ``output_config.effort``; None says nothing.
        room: Tokens that thinking may take.
    """

    config: dict[str, Any] | None = None
    effort: str | None = None
    room: int = 0


def thinking_of(request: ChatRequest, facts: Claude, turns: Sequence[dict[str, Any]]) -> Thinking:
    """Translate the request's effort.

    Args:
        request: What is asked.
        facts: About the model.
        turns: The conversation as it goes onto the wire.
    """
    effort = request.effort
    if effort is None:
        return Thinking(room=ROOM[None] if facts.thinks_by_default else 0)
    if effort == "none":
        lowest = "low" if facts.unthinking == "never" and facts.effort else None
        room = ROOM["none"] if facts.unthinking in ("never", "between_tools") else 0
        return Thinking(_OFF[facts.unthinking], lowest, room)
    told = effort if facts.effort else None
    if facts.adaptive:
        return Thinking({"type": "adaptive", "display": "summarized"}, told, ROOM[effort])
    if _forced(request) or _unthought(turns):
        return Thinking(effort=told)
    budget = min(ROOM[effort], facts.most_output // 2)
    return Thinking({"type": "enabled", "budget_tokens": budget}, told, budget)


def _forced(request: ChatRequest) -> bool:
    """Whether a tool call is demanded, which older models refuse to do while they think."""
    return bool(request.tools) and request.tool_choice not in ("auto", "none")


def _unthought(turns: Sequence[dict[str, Any]]) -> bool:
    """Whether results are awaited by a turn without thoughts, which older models cannot go on from while they think."""
    if len(turns) < 2 or turns[-1]["content"][0]["type"] != "tool_result":
        return False
    return turns[-2]["content"][0]["type"] not in THOUGHTS
