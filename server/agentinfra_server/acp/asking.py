"""Questions, approvals and permissions as the protocol's permission requests."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pygls.uris import to_fs_path

from agentinfra.security.clean import clean_line, clean_text
from agentinfra_server.acp.commands import command_of
from agentinfra_server.protocol.person_messages import PermissionParams, QuestionParams

ALLOW, DENY, OWN_WORDS = "allow", "deny", "own-words"
APPROVE, REJECT = "approve", "reject"
PERMISSION: Sequence[Mapping[str, str]] = (
    {"optionId": ALLOW, "name": "Allow once", "kind": "allow_once"},
    {"optionId": DENY, "name": "Deny", "kind": "reject_once"},
)
SAVING: Sequence[Mapping[str, str]] = (
    {"optionId": ALLOW, "name": "Save it as I have it", "kind": "allow_once"},
    {"optionId": DENY, "name": "Leave the file", "kind": "reject_once"},
)
_APPROVAL: Sequence[Mapping[str, str]] = (
    {"optionId": APPROVE, "name": "Approve & build", "kind": "allow_once"},
    {"optionId": REJECT, "name": "Reject", "kind": "reject_once"},
)
_WORDS = {"approve": APPROVE, "yes": APPROVE, "build": APPROVE, "reject": REJECT, "no": REJECT}


def options_of(question: QuestionParams) -> Sequence[Mapping[str, str]]:
    """What can be chosen; nothing where only words can answer."""
    if question.kind == "approve":
        return _APPROVAL
    if not question.options:
        return ()
    named = [
        {
            "optionId": str(number),
            "name": f"{clean_line(one)}{' (recommended)' * (one == question.recommended)}",
            "kind": "allow_once",
        }
        for number, one in enumerate(question.options)
    ]
    return (*named, {"optionId": OWN_WORDS, "name": "In my own words", "kind": "reject_once"})


def answer_to(question: QuestionParams, chosen: str) -> str | None:
    """What an option answers; None where the question is left open."""
    if question.kind == "approve":
        return chosen if chosen in (APPROVE, REJECT) else None
    return question.options[int(chosen)] if chosen.isdecimal() and int(chosen) < len(question.options) else None


def answer_in_words(question: QuestionParams, said: str) -> str | None:
    """What the person's words answer; None where that is not plain."""
    words = said.strip()
    if question.kind == "approve":
        return _WORDS.get(words.lower().strip("/.!"))
    return words if words and command_of(words) is None else None


def open_words(question: QuestionParams) -> str:
    """What is said of a question that the person has not answered."""
    if question.kind == "approve":
        where = f"[spec.md]({question.uri})" if question.uri else "spec.md"
        return f"Nothing is built before you have approved {where}; you may edit it. Say **approve** or **reject**."
    return clean_text(f"{question.message} {question.why}".strip()) + "\n\nYour next message is the answer."


def content_of(question: QuestionParams) -> dict[str, Any]:
    """What is shown of a question: of an approval the whole specification; blocks."""
    shown = {"title": clean_line(question.message), "kind": "other"}
    path = spec_of(question)
    if path is None:
        return shown
    try:
        said = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = f"{path} cannot be read: {error}"
    return {**shown, "content": [_text(said)], "locations": [{"path": str(path)}]}


def spec_of(question: QuestionParams) -> Path | None:
    """The specification that an approval is of; None for another question."""
    path = to_fs_path(question.uri) if question.kind == "approve" and question.uri else None
    return Path(path) if path else None


def permission_call(permission: PermissionParams) -> dict[str, Any]:
    """What a permission is asked for."""
    return {
        "toolCallId": f"{permission.run_id}:permission:{uuid.uuid4().hex}",
        "title": clean_line(permission.title),
        "kind": "execute",
        "status": "pending",
        "content": [_text(clean_text(permission.detail, len(permission.detail)))],
    }


def saving_call(path: Path, lies: str | None, shown: str) -> dict[str, Any]:
    """What is to be saved: a file as it lies on disk and as the editor has it."""
    return {
        "toolCallId": f"save:{uuid.uuid4().hex}",
        "title": f"Save {path.name}",
        "kind": "edit",
        "status": "pending",
        "content": [{"type": "diff", "path": str(path), "oldText": lies, "newText": shown}],
        "locations": [{"path": str(path)}],
    }


def _text(said: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": said}}
