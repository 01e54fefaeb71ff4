"""Refuse before sending what a model cannot take or give."""

from __future__ import annotations

from collections.abc import Iterator

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import Audio, ChatRequest, File, Image, Modality, Part, ToolResult
from agentinfra.models.failures import not_supported

_NEEDS: dict[type[Part], Modality] = {Image: "image", Audio: "audio", File: "file"}
_NAMES: dict[Modality, str] = {"text": "text", "image": "pictures", "audio": "sound", "file": "documents"}


def require_supported(model: str, profile: ModelProfile, request: ChatRequest) -> None:
    """Compare what the request holds and wants with what the model can do.

    Args:
        model: ``provider:model``.
        profile: What it can do.
        request: What is asked.

    Raises:
        NotSupported: A part of a message, or the wanted output, is not within the model's reach.
    """
    for kind in _kinds(request):
        if kind not in profile.inputs:
            raise not_supported(model, f"read {_NAMES[kind]}", "Send text instead, or choose a model that can")
    for kind in request.output:
        if kind not in profile.outputs:
            raise not_supported(model, f"answer with {_NAMES[kind]}", "Ask for text, or choose a model that can")


def _kinds(request: ChatRequest) -> Iterator[Modality]:
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolResult) and part.images:
                yield "image"
            if type(part) in _NEEDS:
                yield _NEEDS[type(part)]
