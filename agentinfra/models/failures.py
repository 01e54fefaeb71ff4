"""One reading of what providers answer when they fail, shared by the files that each know one SDK."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

from agentinfra.core.errors import (
    ContextOverflow,
    ModelError,
    ModelNotFound,
    ModelUnavailable,
    NoPermission,
    NotSupported,
    QuotaExceeded,
    RateLimited,
    ReplyError,
)

WAYS_OUT = (
    "use another model (--model local:qwen2.5-coder-1.5b needs no key), or map the name to another one "
    'with the setting [models.aliases] or AGENTINFRA_MODEL_ALIASES="openai:o1=local:qwen2.5-coder-1.5b"'
)

_TRANSIENT = frozenset({408, 409, 425, 429})
_SPENT = re.compile(r"insufficient_quota|billing_(hard_limit|error|not_active)|credit balance is too low", re.I)
_TOO_LONG = re.compile(
    r"context_length_exceeded|context (length|window|size)|prompt is too long|request_too_large", re.I
)
_STATUS_OF_CODE = {
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "invalid_request_error": 400,
    "request_too_large": 413,
    "server_error": 500,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What a provider would have answered, had it known before the stream began."""

_LOOKS_SECRET = (
    (re.compile(r"\b(?:(?:sk|pk|rk|xai|gsk)[-_][\w*.-]{8,}|hf_\w{16,})"), "[key]"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=*-]{6,}", re.I), r"\1 [key]"),
    (re.compile(r"([?&](?:api[-_]?key|key|token)=)[^&\s\"']+", re.I), r"\1[key]"),
    (re.compile(r"(https?://)[^/@\s]+@"), r"\1"),
)


def scrub(error: Exception) -> None:
    """Empty an SDK's error: it holds the request with its key, and what the provider repeated of it.

    Frames of a traceback go on referring to the error after it was mapped, and error reporters print what they find.
    """
    error.args = ()
    vars(error).clear()


def missing_key(model: str, variable: str) -> ModelUnavailable:
    """The error for a model whose key is not configured; nothing was sent.

    Args:
        model: ``provider:model``.
        variable: Environment variable that would hold the key.
    """
    return ModelUnavailable(
        f"{model} cannot be asked", why=f"{variable} is not set", next_step=f"Set {variable}, or {WAYS_OUT}"
    )


def refused_status(
    model: str,
    status: int,
    message: str,
    variable: str,
    *,
    code: str = "",
    headers: Mapping[str, str] | None = None,
    secrets: Iterable[str] = (),
) -> ModelError:
    """The error for an HTTP status that is not a success.

    Args:
        model: ``provider:model``.
        status: The HTTP status.
        message: The provider's own words.
        variable: Environment variable that holds the key.
        code: The provider's own name of the error, such as ``insufficient_quota``.
        headers: Of the response; they say when to ask again.
        secrets: Keys that must not be told, should the provider repeat them.
    """
    kind, what, next_step = _reading(model, status, f"{code} {message}", variable)
    why = f"The provider answered {status}: {_short(redact(message, secrets))}"
    transient, seconds = _may_pass(kind, status, headers or {}), retry_after(headers or {})
    return kind(what, why=why, next_step=next_step, transient=transient, retry_after=seconds if transient else None)


def told_in_stream(
    model: str, code: str, message: str, variable: str, *, emitted: bool, secrets: Iterable[str] = ()
) -> ModelError:
    """The error that a provider reports as an event of a stream that it has already begun.

    Args:
        model: ``provider:model``.
        code: The provider's own name of the error.
        message: The provider's own words.
        variable: Environment variable that holds the key.
        emitted: Whether any of the reply had come; if so, the reply broke off, whatever the cause.
        secrets: Keys that must not be told.
    """
    status = _STATUS_OF_CODE.get(code)
    if emitted or status is None:
        return broken_off(model, f"{code} {message}", emitted=emitted, secrets=secrets)
    return refused_status(model, status, message, variable, code=code, secrets=secrets)


def _reading(model: str, status: int, words: str, variable: str) -> tuple[type[ModelError], str, str]:
    """Which error a status is, what happened, and what can be done about it."""
    if status == 402 or (status in (400, 403, 429) and _SPENT.search(words)):
        return QuotaExceeded, f"The account that asks {model} is used up", f"Add credit to the account, or {WAYS_OUT}"
    if status in (400, 413) and _TOO_LONG.search(words):
        return (
            ContextOverflow,
            f"The request is too long for {model}",
            "Shorten it or choose a model with a larger context",
        )
    readings: dict[int, tuple[type[ModelError], str, str]] = {
        401: (NoPermission, f"{model} refused the key", f"Check {variable}, or {WAYS_OUT}"),
        403: (NoPermission, f"{model} is not allowed to this key", f"Ask the account's owner, or {WAYS_OUT}"),
        404: (ModelNotFound, f"{model} does not exist there", "Check the model's name and the base URL"),
        429: (RateLimited, f"{model} takes no more requests now", f"Wait, check the account's limits, or {WAYS_OUT}"),
    }
    if status >= 500 or status in _TRANSIENT:
        busy = (ModelUnavailable, f"{model} is out of order", f"Try again later, or {WAYS_OUT}")
        return readings.get(status, busy)
    return readings.get(
        status, (ModelError, f"{model} did not accept the request", "Shorten it or choose another model")
    )


def _may_pass(kind: type[ModelError], status: int, headers: Mapping[str, str]) -> bool:
    said = headers.get("x-should-retry", "").lower()
    if kind is QuotaExceeded or said == "false":
        return False
    return status >= 500 or status in _TRANSIENT or said == "true"


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds after which the provider wants to be asked again; None where it does not say, or not readably.

    Args:
        headers: Of the response, by lower-case name: ``retry-after-ms``, or ``retry-after`` as seconds or HTTP date.
        now: Unix time in seconds, instead of the clock's.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        then = parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    return max(0.0, then - (time.time() if now is None else now))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def unreachable(model: str, where: str, message: str, *, secrets: Iterable[str] = ()) -> ModelUnavailable:
    """The error for a provider that could not be reached or did not begin to answer in time; may pass by itself."""
    return ModelUnavailable(
        f"{model} cannot be reached",
        why=_short(redact(f"{where}: {message}", secrets)),
        next_step=f"Check the network and the base URL, or {WAYS_OUT}",
        transient=True,
    )


def broken_off(model: str, message: str, *, emitted: bool = True, secrets: Iterable[str] = ()) -> ReplyError:
    """The error for an answer that began but never ended, or ended in nothing readable.

    Args:
        model: ``provider:model``.
        message: What went wrong.
        emitted: Whether any of the reply had come; if so, asking again would say it twice.
        secrets: Keys that must not be told.
    """
    return ReplyError(
        f"The answer of {model} broke off",
        why=_short(redact(message, secrets)),
        next_step="Ask again",
        transient=not emitted,
    )


def too_slow(model: str, seconds: float, *, emitted: bool = True) -> ReplyError:
    """The error for an answer that was still being written at the limit."""
    return ReplyError(
        f"{model} did not finish its answer",
        why=f"It was still writing after {seconds:.0f} s",
        next_step="Ask for less at once, or choose a faster model",
        transient=not emitted,
    )


def too_much(model: str, limit: str) -> ReplyError:
    """The error for an answer that is far longer than was asked for.

    Args:
        model: ``provider:model``.
        limit: The bound, with its unit.
    """
    return ReplyError(
        f"{model} would not stop writing",
        why=f"The answer was longer than {limit}",
        next_step="Choose another model: this one ignores the bound of the reply",
    )


def not_supported(model: str, what: str, next_step: str) -> NotSupported:
    """The error for something that the model cannot take or give; nothing was sent.

    Args:
        model: ``provider:model``.
        what: As the end of "X cannot …", such as "read audio".
        next_step: What to do instead.
    """
    return NotSupported(f"{model} cannot {what}", why="Nothing was sent", next_step=next_step)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the secrets and without whatever looks like a key.

    Args:
        text: A provider's or a library's own words.
        secrets: Known keys; empty ones are passed over.
    """
    for secret in filter(None, secrets):
        text = text.replace(secret, "[key]")
    for pattern, shown in _LOOKS_SECRET:
        text = pattern.sub(shown, text)
    return text


def _short(message: str, limit: int = 300) -> str:
    line = " ".join(message.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
