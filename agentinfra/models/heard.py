"""Whether anything of a reply has been told: from then on its request must not be sent again."""

from __future__ import annotations

from dataclasses import replace

from agentinfra.core.messages import ChatRequest, Delta, ToolCallDelta


class Heard:
    """Stands between a request's listener and the model, and counts what passes.

    Args:
        request: What is asked.

    Attributes:
        request: What to pass on to the model.
        anything: Whether a piece has been told.
        characters: How many characters have been told.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._listener = request.on_delta
        self.request = request if self._listener is None else replace(request, on_delta=self._take)
        self.anything = False
        self.characters = 0

    async def _take(self, piece: Delta) -> None:
        self.anything = True
        self.characters += len(piece.arguments if isinstance(piece, ToolCallDelta) else piece.text)
        if self._listener is not None:
            await self._listener(piece)
