"""Models: those that can be chosen, and requests to the client's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from agentinfra_server.protocol.message import message

Source = Literal["api", "local"]
Json = Mapping[str, Any]


@message
class ModelInfo:
    """A model that can be chosen.

    Attributes:
        id: ``provider:model``.
        source: Where it runs.
        licence: SPDX name of an embedded model's licence; empty for others.
        size_bytes: Of an embedded model's file; 0 for others.
        is_here: Whether it can be asked at once; the first run fetches it otherwise.
    """

    id: str
    source: Source
    licence: str = ""
    size_bytes: int = 0
    is_here: bool = True


@message
class ModelsListParams:
    """All that this machine and the environment's keys have; the client knows its own."""


@message
class ModelsListResult:
    """The models, the preferred ones first; the embedded one that is advised comes last where it is not here yet."""

    models: list[ModelInfo]


@message
class LmRequestParams:
    """A request to one of the client's models; see docs/reference/models-client.md."""

    request_id: str
    selector: Json
    messages: list[Json]
    max_input_tokens: int
    justification: str
    tools: list[Json] | None = None
    tool_mode: str | None = None
    model_options: Json | None = None


@message
class LmResult:
    """The whole answer; ``content`` counts only where no chunk came."""

    model: str = ""
    content: list[Json] = field(default_factory=list[Json])
    stop_reason: str = "stop"
    usage: Json | None = None


@message
class LmCountParams:
    """A text to count as the model does."""

    selector: Json
    text: str


@message
class LmCountResult:
    """Its tokens."""

    count: int


@message
class LmChunk:
    """A piece of an answer; numbers of a request grow."""

    request_id: str
    seq: int
    part: Json
