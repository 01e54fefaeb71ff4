"""What Anthropic's interface takes from which Claude: read off the model's name, since asking would be a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agentinfra.core.interfaces import ModelProfile

THINKING_TOKENS = 8_192
"""Room for thinking where the request says nothing about it."""
Unthinking = Literal["omitted", "disabled", "between_tools", "never"]

_NAME = re.compile(r"claude-(?:(?P<family>fable|mythos|opus|sonnet|haiku)-)?(?P<major>\d)(?:[-.](?P<minor>\d))?(?!\d)")
_CURRENT = (5, 5)


@dataclass(frozen=True, slots=True)
class Claude:
    """One Claude model, as far as requests to it differ.

    Attributes:
        adaptive: Whether it decides itself how much it thinks; others are given a budget of tokens.
        effort: Whether it takes a level of effort.
        thinks_by_default: Whether it thinks when the request says nothing about it.
        unthinking: How a request turns thinking off; "never" means that it cannot be.
        forced_tools: Whether a request may demand a tool call.
        schema: Whether it can be held to a JSON Schema.
        most_output: Upper bound of a reply, thinking included, in tokens.
        context: Size of the context window, in tokens.
    """

    adaptive: bool
    effort: bool
    thinks_by_default: bool
    unthinking: Unthinking
    forced_tools: bool
    schema: bool
    most_output: int
    context: int

    @property
    def profile(self) -> ModelProfile:
        """The same as prompts and limits depend on it."""
        return ModelProfile(
            context_tokens=self.context,
            native_schema=self.schema,
            inputs=("text", "image", "file"),
            outputs=("text",),
            thinking_tokens=THINKING_TOKENS if self.thinks_by_default else 0,
        )


def claude(name: str) -> Claude:
    """Facts about the model of that name.

    Args:
        name: As on the wire, such as ``claude-sonnet-5-5`` or ``anthropic.claude-opus-4-6-v1``. A name without a
            version is taken for one of the current models, which accept the least.
    """
    family, version = _parse(name)
    recent = version >= (4, 6)
    return Claude(
        adaptive=recent,
        effort=recent or (family == "opus" and version == (4, 5)),
        thinks_by_default=version >= (5, 0),
        unthinking=_unthinking(family, version),
        forced_tools=version <= (5, 0) or family == "haiku",
        schema=version >= (4, 5),
        most_output=128_000 if recent else 64_000 if version == (4, 5) else 32_000,
        context=1_000_000 if recent else 200_000,
    )


def _parse(name: str) -> tuple[str, tuple[int, int]]:
    found = _NAME.search(name)
    if found is None:
        return ("mythos", (5, 0)) if "mythos" in name else ("", _CURRENT)
    return found["family"] or "", (int(found["major"]), int(found["minor"] or 0))


def _unthinking(family: str, version: tuple[int, int]) -> Unthinking:
    if version < (5, 0):
        return "omitted"
    if family == "sonnet" and version >= (5, 5):
        return "between_tools"
    return "disabled" if family == "haiku" or (family in ("opus", "sonnet") and version < (5, 5)) else "never"
