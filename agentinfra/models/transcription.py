"""Sound to text, as a call of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from agentinfra.core.messages import Audio, Usage


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said.

    Attributes:
        text: The words.
        model: ``provider:model`` that listened.
        usage: Tokens and money; models that charge by the minute tell no tokens, and cost_usd is None.
    """

    text: str
    model: str
    usage: Usage = field(default_factory=Usage)


class Transcriber(Protocol):
    """Whoever turns sound into text."""

    @property
    def name(self) -> str:
        """``provider:model``."""
        ...

    async def transcribe(self, sound: Audio, *, language: str | None = None, prompt: str = "") -> Transcript:
        """Write down what is said.

        Args:
            sound: The recording.
            language: ISO 639-1 code, where it is known.
            prompt: Words to expect, such as names.

        Raises:
            ModelError: The provider failed.
        """
        ...

    async def aclose(self) -> None:
        """Release connections; safe to call twice."""
        ...
