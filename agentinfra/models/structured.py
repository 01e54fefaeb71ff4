"""Ask a model for a value of a type, and get one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from agentinfra.core.errors import ContextOverflow, ModelError, ReplyError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, Delta, JsonSchema
from agentinfra.models.partial_json import PartialJson
from agentinfra.models.streaming import stream
from agentinfra.models.structured_ways import Way, way_for

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Partial:
    """The value while it is being written: JSON as far as it has come, not validated.

    Attributes:
        value: Objects, lists and texts of it may be incomplete. After a reply that could not be used it begins anew.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Finished(Generic[T]):
    """The value.

    Attributes:
        value: Of the type asked for.
        reply: Where it came from, with the usage of all calls.
    """

    value: T
    reply: ChatReply


async def complete_as(model: ChatModel, request: ChatRequest, type_: type[T]) -> tuple[T, ChatReply]:
    """Ask for a value of the type; a reply that is none is shown its error once.

    The model is held to the type's JSON Schema by its provider, by a forced tool call, or by words, whichever is the
    first that its profile says it can.

    Args:
        model: Who is asked.
        request: What is asked; its own schema, if it has one, is used instead of the type's.
        type_: Anything that pydantic can validate: a dataclass, a model, ``list[int]``, ….

    Returns:
        The value, and the reply that it came from with the usage of all calls.

    Raises:
        ReplyError: The model refused, was cut, or neither of two replies could be read.
        ContextOverflow: The reply did not fit into the context window.
        ModelError: As of the model.
    """
    question = _Question(model, request, type_)
    while True:
        finished = question.answered(await model.complete(question.request))
        if finished is not None:
            return finished.value, finished.reply


async def stream_as(
    model: ChatModel, request: ChatRequest, type_: type[T]
) -> AsyncGenerator[Partial | Finished[T], None]:
    """Ask as :func:`complete_as` does, and yield the value while it is being written.

    Leaving the loop early closes the provider's stream: use ``contextlib.aclosing`` around the generator.

    Args:
        model: Who is asked; one that does not stream yields only the finished value.
        request: What is asked.
        type_: Anything that pydantic can validate.

    Yields:
        What has come so far, each time that it has grown; the finished value as the last item.

    Raises:
        ReplyError: The model refused, was cut, or neither of two replies could be read.
        ContextOverflow: The reply did not fit into the context window.
        ModelError: As of the model.
    """
    question = _Question(model, request, type_)
    finished: Finished[T] | None = None
    while finished is None:
        growing = question.growing()
        async with aclosing(stream(model, question.request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    finished = question.answered(piece)
                elif growing.has_grown_by(piece):
                    yield Partial(growing.value)
    yield finished


class _Question(Generic[T]):
    """One question, its answers so far, and what to ask next.

    Attributes:
        request: The request to send now.
    """

    def __init__(self, model: ChatModel, request: ChatRequest, type_: type[T]) -> None:
        self._model = model
        form = _form_of(type_)
        self._adapter = form.adapter
        schema = request.schema or form.schema
        self._way = way_for(model.profile, request, schema)
        self.request = self._way.ask(request)
        self._before: ChatReply | None = None

    def growing(self) -> _Growing:
        """For the pieces of the next reply."""
        return _Growing(self._way)

    def answered(self, reply: ChatReply) -> Finished[T] | None:
        """Take a reply: the value is in it, or the request to send now is another one.

        Raises:
            ModelError: There is nothing more to ask.
        """
        _require_answer(reply)
        whole = replace(reply, usage=self._before.usage + reply.usage) if self._before else reply
        try:
            return Finished(self._adapter.validate_python(self._way.value_of(reply)), whole)
        except ValidationError as error:
            problem = _summary(error)
        except ValueError as error:
            problem = f"It is not readable JSON: {error}"
        if self._before is not None or reply.stop_reason == "context_overflow":
            raise self._failure(reply, problem)
        self._before = reply
        self.request = self._way.again(self.request, reply, _correction(problem))
        return None

    def _failure(self, reply: ChatReply, problem: str) -> ModelError:
        name, purpose = self._model.name, self.request.purpose
        if reply.stop_reason == "context_overflow":
            step = "Shorten the conversation, or choose a model with a larger context"
            return ContextOverflow(
                f"The answer of {name} ({purpose}) did not fit into its context", why=problem, next_step=step
            )
        if reply.stop_reason == "length":
            step = "Allow more tokens (max_tokens), or ask for less at once"
            what = f"The answer of {name} ({purpose}) was cut at {self.request.max_tokens} tokens"
            return ReplyError(what, why=problem, next_step=step)
        return ReplyError(
            f"{name} did not answer ({purpose}) in the form asked for, twice",
            why=problem,
            next_step="Try again, or choose a stronger model",
        )


class _Form(Generic[T]):
    """How values of a type are read; its JSON Schema, built where it is wanted."""

    def __init__(self, type_: type[T]) -> None:
        self.adapter: TypeAdapter[T] = TypeAdapter(type_)

    @cached_property
    def schema(self) -> JsonSchema:
        return self.adapter.json_schema()


def _form_of(type_: type[T]) -> _Form[T]:
    # What is no class is equal too easily to be remembered: ``A | B`` is ``B | A``, and the first one has precedence.
    return _form_of_class(type_) if isinstance(cast("object", type_), type) else _Form(type_)


@lru_cache(maxsize=256)  # to build it takes a third of a whole call's CPU time
def _form_of_class(type_: type[T]) -> _Form[T]:
    return _Form(type_)


class _Growing:
    """The value of a reply that comes in pieces."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._begun = False
        self._json = PartialJson()
        self.value: Any = None

    def has_grown_by(self, delta: Delta) -> bool:
        piece = self._way.piece_of(delta)
        if not self._begun:
            # Words may stand before the JSON.
            start = piece.find(self._way.opener) if self._way.opener else -1
            piece = piece[start:] if start >= 0 else ""
        if not piece:
            return False
        self._begun = True
        value = self._way.inside(self._json.feed(piece))
        has_grown = value is not self.value and value != self.value
        self.value = value
        return has_grown


def _require_answer(reply: ChatReply) -> None:
    if reply.stop_reason == "refusal":
        raise ReplyError(
            f"{reply.model} refused to answer", why=reply.text[:300], next_step="Word the request differently"
        )
    if reply.stop_reason == "content_filter":
        raise ReplyError(
            f"The provider of {reply.model} withheld the answer",
            why=reply.text[:300] or "Its filter stopped the reply",
            next_step="Word the request differently, or choose another provider",
        )


def _summary(error: ValidationError, limit: int = 5) -> str:
    lines = [f"{_place(found['loc'])}: {found['msg']}" for found in error.errors(include_url=False)[:limit]]
    return "; ".join(lines)


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(step) for step in location) or "the whole"


def _correction(problem: str) -> str:
    return f"That reply cannot be used. {problem}. Answer again, completely, with corrected JSON only."
