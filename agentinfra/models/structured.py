"""Ask a model for a value of a type, and get one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from agentinfra.core.errors import ReplyError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, JsonSchema, assistant, user
from agentinfra.models.tolerant_json import loads_tolerant

T = TypeVar("T")


async def complete_as(model: ChatModel, request: ChatRequest, type_: type[T]) -> tuple[T, ChatReply]:
    """Ask for a value of the type; a reply that is none is shown its error once.

    Args:
        model: Who is asked.
        request: What is asked; its schema is set from the type where it has none.
        type_: Anything that pydantic can validate: a dataclass, a model, ``list[int]``, ….

    Returns:
        The value, and the reply that it came from with the usage of all calls.

    Raises:
        ReplyError: The model refused, or neither of two replies could be read.
        ModelError: As of the model.
    """
    adapter: TypeAdapter[T] = TypeAdapter(type_)
    asked = _with_schema(request, request.schema or adapter.json_schema(), native=model.profile.native_schema)
    reply = await model.complete(asked)
    value, problem = _read(adapter, reply)
    if value is not None:
        return value[0], reply
    again = replace(asked, messages=(*asked.messages, assistant(reply.text or "(nothing)"), user(_correction(problem))))
    second = await model.complete(again)
    second = replace(second, usage=reply.usage + second.usage)
    value, problem = _read(adapter, second)
    if value is not None:
        return value[0], second
    raise ReplyError(
        f"{model.name} did not answer ({request.purpose}) in the form asked for, twice",
        why=problem,
        next_step="Try again, or choose a stronger model",
    )


def _with_schema(request: ChatRequest, schema: JsonSchema, *, native: bool) -> ChatRequest:
    if native:
        return replace(request, schema=schema)
    told = user(f"Answer with JSON only, matching this JSON Schema:\n{json.dumps(dict(schema))}")
    return replace(request, schema=schema, messages=(*request.messages, told))


def _read(adapter: TypeAdapter[T], reply: ChatReply) -> tuple[tuple[T] | None, str]:
    """The value in a tuple of one, since None may be a value; or what is wrong."""
    if reply.stop_reason in ("refusal", "content_filter"):
        raise ReplyError(
            f"{reply.model} refused to answer", why=reply.text[:300], next_step="Word the request differently"
        )
    try:
        return (adapter.validate_python(loads_tolerant(reply.text)),), ""
    except ValidationError as error:
        return None, _summary(error)
    except ValueError as error:
        return None, f"It is not readable JSON: {error}"


def _summary(error: ValidationError, limit: int = 5) -> str:
    lines = [f"{_place(found['loc'])}: {found['msg']}" for found in error.errors(include_url=False)[:limit]]
    return "; ".join(lines)


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(step) for step in location) or "the whole"


def _correction(problem: str) -> str:
    return f"That reply cannot be used. {problem}. Answer again, completely, with corrected JSON only."
