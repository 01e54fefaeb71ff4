"""Language models behind one protocol, :class:`agentinfra.core.interfaces.ChatModel`.

The names below load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinfra.models.amounts import Amount
    from agentinfra.models.anthropic_model import AnthropicModel
    from agentinfra.models.budget import Budget, Slice
    from agentinfra.models.budgeted_model import BudgetedModel
    from agentinfra.models.cached_model import CachedModel
    from agentinfra.models.client_model import ClientModel
    from agentinfra.models.fallback import FallbackModel
    from agentinfra.models.function_model import FunctionModel
    from agentinfra.models.local_embedder import LocalEmbedder
    from agentinfra.models.local_model import LocalModel
    from agentinfra.models.model_manager import ModelManager, default_model_name
    from agentinfra.models.openai_chat_model import OpenAIChatModel
    from agentinfra.models.openai_embedder import OpenAIEmbedder
    from agentinfra.models.openai_responses_model import OpenAIResponsesModel
    from agentinfra.models.openai_transcriber import OpenAITranscriber
    from agentinfra.models.rate_limit import RateLimitedModel, RateLimiter
    from agentinfra.models.ready_made import ClaudeModel, NamedModel, O1Model
    from agentinfra.models.recorded_model import RecordingModel, ReplayModel
    from agentinfra.models.reply_cache import ReplyCache
    from agentinfra.models.retry import RetryingModel, RetryPolicy
    from agentinfra.models.scripted_model import ScriptedModel
    from agentinfra.models.streaming import stream
    from agentinfra.models.structured import complete_as, stream_as

__all__ = [
    "Amount",
    "AnthropicModel",
    "Budget",
    "BudgetedModel",
    "CachedModel",
    "ClaudeModel",
    "ClientModel",
    "FallbackModel",
    "FunctionModel",
    "LocalEmbedder",
    "LocalModel",
    "ModelManager",
    "NamedModel",
    "O1Model",
    "OpenAIChatModel",
    "OpenAIEmbedder",
    "OpenAIResponsesModel",
    "OpenAITranscriber",
    "RateLimitedModel",
    "RateLimiter",
    "RecordingModel",
    "ReplayModel",
    "ReplyCache",
    "RetryPolicy",
    "RetryingModel",
    "ScriptedModel",
    "Slice",
    "complete_as",
    "default_model_name",
    "stream",
    "stream_as",
]

_HOMES = {
    "Amount": "amounts",
    "AnthropicModel": "anthropic_model",
    "Budget": "budget",
    "BudgetedModel": "budgeted_model",
    "CachedModel": "cached_model",
    "ClaudeModel": "ready_made",
    "ClientModel": "client_model",
    "FallbackModel": "fallback",
    "FunctionModel": "function_model",
    "LocalEmbedder": "local_embedder",
    "LocalModel": "local_model",
    "ModelManager": "model_manager",
    "NamedModel": "ready_made",
    "O1Model": "ready_made",
    "OpenAIChatModel": "openai_chat_model",
    "OpenAIEmbedder": "openai_embedder",
    "OpenAIResponsesModel": "openai_responses_model",
    "OpenAITranscriber": "openai_transcriber",
    "RateLimitedModel": "rate_limit",
    "RateLimiter": "rate_limit",
    "RecordingModel": "recorded_model",
    "ReplayModel": "recorded_model",
    "ReplyCache": "reply_cache",
    "RetryPolicy": "retry",
    "RetryingModel": "retry",
    "ScriptedModel": "scripted_model",
    "Slice": "budget",
    "complete_as": "structured",
    "default_model_name": "model_manager",
    "stream": "streaming",
    "stream_as": "structured",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
