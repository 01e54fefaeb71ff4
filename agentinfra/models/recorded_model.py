"""Record a model's traffic into a file, and answer from such a file later, without the model.

A record is JSON lines: first a header with the model's name and profile, then one line for each call. A reply is found
by the hash of all that decides it: messages, schema, tools and sampling. Whoever builds requests keeps times, paths and
other accidents out of them; otherwise no replay can find them.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from agentinfra.core.errors import InputError, RecordingMismatch
from agentinfra.core.interfaces import ChatModel, ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.reply_json import parts_out, reply_in, reply_out
from agentinfra.models.wrapper_model import WrapperModel

FORMAT = "agentinfra-recording-1"
_DIFF_LINES = 40
_LINE = TypeAdapter(dict[str, Any])
_PROFILE = TypeAdapter(ModelProfile)


def normalised(request: ChatRequest) -> dict[str, Any]:
    """Everything of a request that decides its reply, as JSON; the purpose is for people and stays out."""
    return {
        "messages": [{"role": message.role, "parts": parts_out(message.parts)} for message in request.messages],
        "schema": request.schema,
        "tools": [asdict(tool) for tool in request.tools],
        "sampling": {
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            "stop": list(request.stop),
        },
        **_unusual(request),
    }


def _unusual(request: ChatRequest) -> dict[str, Any]:
    """What is set to something other than the default; the rest stays out, so that older records keep their hashes."""
    usual = ChatRequest(())
    names = ("tool_choice", "parallel_tools", "effort", "output")
    return {name: getattr(request, name) for name in names if getattr(request, name) != getattr(usual, name)}


def request_key(request: ChatRequest) -> str:
    """SHA-256 of the normalised request."""
    text = json.dumps(normalised(request), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class RecordingModel(WrapperModel):
    """Passes requests on and appends each with its reply to the file.

    Args:
        inner: The model.
        path: The record; a new one gets a header, an older one is continued.
        idea: What the recorded run builds; goes into the header, so that the record can be replayed by itself.

    Raises:
        InputError: The file is there and is no record, or one of another model.
    """

    def __init__(self, inner: ChatModel, path: Path, *, idea: str = "") -> None:
        super().__init__(inner)
        self._path = path
        if path.exists() and path.stat().st_size:
            recorded = _read_header(path)["model"]
            if recorded != inner.name:
                raise InputError(
                    f"{path} cannot be continued",
                    why=f"It is a record of {recorded}, not of {inner.name}",
                    next_step="Record into another file",
                )
        else:
            profile = asdict(inner.profile)
            header = {"format": FORMAT, "model": inner.name, "profile": profile, "created_by": version("agentinfra")}
            self._append({**header, "idea": idea} if idea else header)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request and record the answer; a failure is not recorded."""
        reply = await self._inner.complete(request)
        self._append({"key": request_key(request), "request": normalised(request), "reply": reply_out(reply)})
        return reply

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class ReplayModel:
    """Answers from a record: equal requests in the recorded order, each reply once.

    Args:
        path: The record.

    Raises:
        InputError: The file is not there or is no record.
    """

    def __init__(self, path: Path) -> None:
        header = _read_header(path)
        self._path = path
        self._name: str = header["model"]
        self._profile = _PROFILE.validate_python(header["profile"])
        self._requests: dict[str, dict[str, Any]] = {}
        self._replies: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
        for line in _read_lines(path)[1:]:
            self._requests[line["key"]] = line["request"]
            self._replies[line["key"]].append(line["reply"])

    @property
    def name(self) -> str:
        """The recorded model's name."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """The recorded model's profile."""
        return self._profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer from the record.

        Raises:
            RecordingMismatch: The request is not on it, or was answered as often as it is.
        """
        key = request_key(request)
        if key not in self._requests:
            raise self._mismatch(request, "It was never asked this. " + self._difference(normalised(request)))
        if not self._replies[key]:
            raise self._mismatch(request, "It was asked this less often")
        return reply_in(self._replies[key].popleft())

    async def aclose(self) -> None:
        """Nothing is open."""

    def _mismatch(self, request: ChatRequest, why: str) -> RecordingMismatch:
        return RecordingMismatch(
            f"The recording {self._path.name} has no answer ({request.purpose})",
            why=why,
            next_step="Record again, or run the version that the record was made with",
        )

    def _difference(self, asked: dict[str, Any]) -> str:
        """A short unified diff against the most similar recorded request."""
        if not self._requests:
            return "The record is empty"
        wanted = _as_lines(asked)
        nearest = max((_as_lines(request) for request in self._requests.values()), key=lambda x: _likeness(x, wanted))
        diff = list(difflib.unified_diff(nearest, wanted, "recorded", "asked", n=1, lineterm=""))
        if len(diff) > _DIFF_LINES:
            diff = [*diff[:_DIFF_LINES], f"… {len(diff) - _DIFF_LINES} more lines"]
        return "The nearest recorded request differs:\n" + "\n".join(diff)


def _as_lines(request: Mapping[str, Any]) -> list[str]:
    settings = {name: value for name, value in request.items() if name != "messages"}
    lines = json.dumps(settings, sort_keys=True, indent=1, ensure_ascii=False).splitlines()
    for message in request["messages"]:
        for part in message["parts"]:
            text: str = part.get("text") or json.dumps(part, sort_keys=True, ensure_ascii=False)
            lines += [f"{message['role']}: {line}" for line in text.splitlines()]
    return lines


def _likeness(one: Sequence[str], other: Sequence[str]) -> float:
    ours, theirs = set(one), set(other)
    return len(ours & theirs) / max(1, len(ours | theirs))


def _read_header(path: Path) -> dict[str, Any]:
    lines = _read_lines(path)
    if not lines or lines[0].get("format") != FORMAT:
        raise _unreadable(path, f"Its first line is no header of the format {FORMAT}")
    return lines[0]


def _read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            return [_LINE.validate_json(line) for line in file if line.strip()]
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(f"{path} is no recording", why=why, next_step="Give a file that --record has written")
