"""OpenTelemetry spans of model calls, by the semantic conventions for generative AI.

Who sets up an OpenTelemetry SDK sees every call; without one nothing is recorded and next to nothing is spent. Prompts,
replies and the words of errors, which may quote them, are never recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, Usage
from agentinfra.models.wrapper_model import WrapperModel

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer, TracerProvider

Value = str | int | float | bool | tuple[str, ...]

# Where the conventions call a provider otherwise; unknown ones keep their own name.
_PROVIDERS = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "azure": "azure.ai.openai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}


class TracedModel(WrapperModel):
    """Makes each call of a model a span, child of the caller's span.

    Put it around what tries again and falls back, so that the span covers the whole call.

    Args:
        inner: The model.
        parent: What spans belong to where no span is around the call itself, from :func:`context_here`.
        provider: Where spans go; None is the one that OpenTelemetry holds for the process.
    """

    def __init__(
        self, inner: ChatModel, *, parent: Context | None = None, provider: TracerProvider | None = None
    ) -> None:
        super().__init__(inner)
        self._parent = parent
        self._provider = provider

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; the span ends with the call, however that ends.

        Raises:
            ModelError: As of the inner model.
        """
        with self._span(request) as span:
            try:
                reply = await self._inner.complete(request)
            except BaseException as error:
                if span is not None:
                    _tell_failure(span, error)
                raise
            if span is not None:
                span.set_attributes(_answered(reply))
            return reply

    @cached_property
    def _tracer(self) -> Tracer | None:
        from importlib.metadata import version  # noqa: PLC0415  (as much CPU as all of this package's own)

        try:
            from opentelemetry import trace  # noqa: PLC0415  (50 ms of CPU)
        except ModuleNotFoundError:
            return None
        return trace.get_tracer("agentinfra", version("agentinfra"), self._provider)

    def _span(self, request: ChatRequest) -> AbstractContextManager[Span | None]:
        if self._tracer is None:
            return nullcontext()
        from opentelemetry.trace import SpanKind, get_current_span  # noqa: PLC0415

        is_inside = get_current_span().get_span_context().is_valid
        return self._tracer.start_as_current_span(
            f"chat {_split(self.name)[1]}",
            context=None if is_inside else self._parent,
            kind=SpanKind.CLIENT,
            attributes=_asked(self.name, request),
            record_exception=False,
            set_status_on_exception=False,
        )


def context_here() -> Context | None:
    """The caller's OpenTelemetry context, for calls that are made where it does not reach, such as an engine's steps.

    Returns:
        None where nothing in the process has loaded OpenTelemetry: there can be no span then.
    """
    context = sys.modules.get("opentelemetry.context")
    return context.get_current() if context else None


def add_event(name: str, attributes: Mapping[str, Value]) -> None:
    """Tell the span around the caller that something happened in it; nothing is done where spans cannot be.

    Args:
        name: Of the event.
        attributes: No words of anybody.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        trace.get_current_span().add_event(name, attributes)


def _asked(name: str, request: ChatRequest) -> Mapping[str, Value]:
    provider, model = _split(name)
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
        "gen_ai.request.model": model,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.output.type": _output_type(request),
        "agentinfra.purpose": request.purpose,
    }
    if request.seed is not None:
        attributes["gen_ai.request.seed"] = request.seed
    if request.stop:
        attributes["gen_ai.request.stop_sequences"] = request.stop
    if request.on_delta is not None:
        attributes["gen_ai.request.stream"] = True
    return attributes


def _output_type(request: ChatRequest) -> str:
    if request.schema is not None:
        return "json"
    return {"image": "image", "audio": "speech"}.get(request.output[-1], "text")


def _answered(reply: ChatReply) -> Mapping[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.response.model": _split(reply.model)[1],
        "gen_ai.response.finish_reasons": (reply.stop_reason,),
        **_used(reply.usage),
    }
    if reply.id:
        attributes["gen_ai.response.id"] = reply.id
    return attributes


def _used(usage: Usage) -> Mapping[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }
    if usage.cost_usd is not None:
        attributes["agentinfra.cost_usd"] = usage.cost_usd
    return attributes


def _tell_failure(span: Span, error: BaseException) -> None:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)


def _split(name: str) -> tuple[str, str]:
    """Provider and model of ``provider:model``."""
    provider, _, model = name.partition(":")
    return provider, model or provider
