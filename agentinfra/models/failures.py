"""One reading of what providers answer when they fail, shared by the files that each know one SDK."""

from __future__ import annotations

from agentinfra.core.errors import ModelError, ModelUnavailable, ReplyError

WAYS_OUT = (
    "use another model (--model local:qwen2.5-coder-1.5b needs no key), or map the name to another one "
    'with the setting [models.aliases] or AGENTINFRA_MODEL_ALIASES="openai:o1=local:qwen2.5-coder-1.5b"'
)


def missing_key(model: str, variable: str) -> ModelUnavailable:
    """The error for a model whose key is not configured; nothing was sent.

    Args:
        model: ``provider:model``.
        variable: Environment variable that would hold the key.
    """
    return ModelUnavailable(
        f"{model} cannot be asked", why=f"{variable} is not set", next_step=f"Set {variable}, or {WAYS_OUT}"
    )


def refused_status(model: str, status: int, message: str, variable: str) -> ModelError:
    """The error for an HTTP status that is not a success.

    Args:
        model: ``provider:model``.
        status: The HTTP status.
        message: The provider's own words.
        variable: Environment variable that holds the key.
    """
    why = f"The provider answered {status}: {_short(message)}"
    if status in (401, 403):
        return ModelUnavailable(f"{model} refused the key", why=why, next_step=f"Check {variable}, or {WAYS_OUT}")
    if status == 404:
        return ModelUnavailable(f"{model} does not exist there", why=why, next_step="Check the model's name")
    if status == 429:
        return ModelUnavailable(
            f"{model} takes no more requests now", why=why, next_step="Wait, check the account's limits, or " + WAYS_OUT
        )
    if status >= 500:
        return ModelUnavailable(f"{model} is out of order", why=why, next_step="Try again later, or " + WAYS_OUT)
    return ModelError(f"{model} did not accept the request", why=why, next_step="Shorten it or choose another model")


def unreachable(model: str, where: str, message: str) -> ModelUnavailable:
    """The error for a provider that could not be reached or did not begin to answer in time."""
    return ModelUnavailable(
        f"{model} cannot be reached",
        why=f"{where}: {_short(message)}",
        next_step=f"Check the network and the base URL, or {WAYS_OUT}",
    )


def broken_off(model: str, message: str) -> ReplyError:
    """The error for an answer that began but never ended, or ended in nothing readable."""
    return ReplyError(f"The answer of {model} broke off", why=_short(message), next_step="Ask again")


def too_slow(model: str, seconds: float) -> ReplyError:
    """The error for an answer that was still being written at the limit."""
    return ReplyError(
        f"{model} did not finish its answer",
        why=f"It was still writing after {seconds:.0f} s",
        next_step="Ask for less at once, or choose a faster model",
    )


def _short(message: str, limit: int = 300) -> str:
    line = " ".join(message.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
