"""The providers that speak OpenAI's formats, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agentinfra.core.errors import ConfigError
from agentinfra.core.interfaces import ChatModel

OPENROUTER_URL = "https://openrouter.ai/api/v1"
OPENROUTER_KEY_VARIABLE = "OPENROUTER_API_KEY"
NO_KEY = "none"


def openai_providers(base_url: str | None, env: Mapping[str, str]) -> dict[str, Callable[[str], ChatModel]]:
    """Factories by provider; none connects or imports the SDK.

    Args:
        base_url: The endpoint of ``openai:`` and ``openai-compatible:`` models; None is OpenAI itself.
        env: The environment: keys of OpenRouter, endpoint of Azure.
    """
    return {
        "openai": lambda name: _openai(name, base_url),
        "openai-compatible": lambda name: _compatible(name, base_url),
        "openai-chat": lambda name: chat_completions(f"openai-chat:{name}", base_url),
        "openai-responses": lambda name: _responses(f"openai-responses:{name}", base_url),
        "openrouter": lambda name: chat_completions(
            f"openrouter:{name}",
            OPENROUTER_URL,
            api_key=env.get(OPENROUTER_KEY_VARIABLE),
            key_variable=OPENROUTER_KEY_VARIABLE,
        ),
        "azure": lambda name: _azure(name, env),
    }


def chat_completions(name: str, base_url: str | None, **options: str | None) -> ChatModel:
    """A model behind Chat Completions.

    Args:
        name: ``provider:model``.
        base_url: The endpoint; None is OpenAI itself.
        **options: As of OpenAIChatModel: ``api_key``, ``api_version``, ``key_variable``.
    """
    from agentinfra.models.openai_chat_model import OpenAIChatModel  # noqa: PLC0415  (providers load when chosen)

    return OpenAIChatModel(
        name,
        base_url=base_url,
        api_key=options.get("api_key"),
        api_version=options.get("api_version"),
        key_variable=options.get("key_variable"),
    )


def _responses(name: str, base_url: str | None) -> ChatModel:
    from agentinfra.models.openai_responses_model import OpenAIResponsesModel  # noqa: PLC0415

    return OpenAIResponsesModel(name, base_url=base_url)


def _openai(name: str, base_url: str | None) -> ChatModel:
    """Responses at OpenAI; servers that only resemble it have Chat Completions, and so have its models that speak."""
    from agentinfra.models.openai_client import default_url, dialect_of  # noqa: PLC0415
    from agentinfra.models.openai_request import speaks  # noqa: PLC0415

    if dialect_of(base_url or default_url()) == "openai" and not speaks(name):
        return _responses(f"openai:{name}", base_url)
    return chat_completions(f"openai:{name}", base_url)


def _compatible(name: str, base_url: str | None) -> ChatModel:
    if not base_url:
        raise ConfigError(
            f"openai-compatible:{name} has no address",
            why="Neither --base-url nor OPENAI_BASE_URL is given",
            next_step="Give the server's address, such as --base-url http://127.0.0.1:8000/v1",
        )
    return chat_completions(f"openai-compatible:{name}", base_url)


def _azure(name: str, env: Mapping[str, str]) -> ChatModel:
    """A deployment: over the interface without versions, unless the environment names one."""
    endpoint, version = env.get("AZURE_OPENAI_ENDPOINT", "").rstrip("/"), env.get("OPENAI_API_VERSION")
    if not endpoint:
        raise ConfigError(
            f"azure:{name} has no address",
            why="AZURE_OPENAI_ENDPOINT is not set",
            next_step="Set it to the resource's address, such as https://NAME.openai.azure.com",
        )
    url = endpoint if version else f"{endpoint}/openai/v1"
    return chat_completions(f"azure:{name}", url, api_key=env.get("AZURE_OPENAI_API_KEY"), api_version=version)
