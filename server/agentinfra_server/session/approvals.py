"""Approval by front matter: a person turns ``status: draft`` into ``approved`` in an open document, and saves it.

What merely lies on disk approves nothing: a document that was opened as approved, one that changed on disk behind the
editor, one of a workspace that is not trusted. What counts is bound to the text that was saved, by the body's hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from agentinfra.spec.front_matter import body_sha, read_front_matter
from agentinfra_server.protocol.language import noted, tr
from agentinfra_server.session.spec_documents import spec_path

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

SETTLE_SECONDS = 1.0
"""How long after an edit its own save may come: some editors tell of an edit when they have saved it already."""

UNTRUSTED = noted("the workspace is not trusted")
BEHIND = noted("it was changed on disk, and not in the editor")
OTHERS = noted("on disk it says something else than the editor")
FOUND = noted("it said so before: only the change from draft to approved counts, made and saved in an open document")


@dataclass
class _Opened:
    """An open specification.

    Attributes:
        status: What its front matter says.
        disk: Hash of the file when it was last read or saved by the editor.
        was_draft: Whether it has been a draft since it was opened, or since it was last saved as approved.
        turned: When the draft became approved, not saved yet; None otherwise.
        is_behind: Whether the file had changed by then.
    """

    status: str
    disk: str
    was_draft: bool
    turned: float | None = None
    is_behind: bool = False


class Approvals:
    """Watches the open specifications.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._opened: dict[Path, _Opened] = {}
        self._approved: dict[Path, str] = {}

    def is_given(self, path: Path, sha: str) -> bool:
        """Whether a person approved this text of this document, by its front matter."""
        return self._approved.get(path) == sha

    def opened(self, uri: str, text: str) -> None:
        """A document was opened: what it says now, it said on disk."""
        path = _spec(uri)
        if path is not None:
            status = _status(text)
            self._opened[path] = _Opened(status, _digest(path), was_draft=status == "draft")

    def edited(self, uri: str) -> None:
        """A document was edited, or read anew by the editor because its file changed."""
        path = _spec(uri)
        known = self._opened.get(path) if path else None
        if path is None or known is None:
            return
        status, before = _status(self._text(uri)), known.status
        known.status = status
        known.was_draft = known.was_draft or status == "draft"
        if status != "approved":
            known.turned = None
        elif before != "approved" and known.was_draft:
            known.turned, known.is_behind = time.monotonic(), _digest(path) != known.disk

    def closed(self, uri: str) -> None:
        """A document was closed: what it says the next time, it says on disk."""
        path = _spec(uri)
        if path is not None:
            self._opened.pop(path, None)

    async def saved(self, uri: str, text: str | None) -> None:
        """A document was saved: where its draft was turned into an approved one, the run that waits for it goes on.

        Args:
            uri: The document.
            text: What was saved, as the editor tells of it; its document may be edited further by now.
        """
        path, now = _spec(uri), time.monotonic()
        known = self._opened.get(path) if path else None
        if path is None or known is None:
            return
        on_disk = await asyncio.to_thread(_read, path)
        known.disk = _hash(on_disk)
        said = self._text(uri) if text is None else text
        if _status(said) == "approved":
            refusal = self._refusal(known, now, on_disk.decode("utf-8", "replace"), said)
            known.turned, known.was_draft = None, False
            self._decide(path, body_sha(said), refusal)

    def _refusal(self, known: _Opened, now: float, on_disk: str, text: str) -> str:
        """Why an approval does not count; "" where it does."""
        if known.turned is None:
            return FOUND
        if not self._server.editor.trusts:
            return UNTRUSTED
        if known.is_behind and now - known.turned > SETTLE_SECONDS:
            return BEHIND
        is_same = body_sha(on_disk) == body_sha(text) and _status(on_disk) == "approved"
        return "" if is_same else OTHERS

    def _decide(self, path: Path, sha: str, refusal: str) -> None:
        if not refusal:
            self._approved[path] = sha
        waiting = [one for one in self._server.runs.questions.waiting() if one.kind == "approve"]
        for one in waiting:
            if one.uri == path.as_uri() and refusal:
                self._tell(tr("{name} is not approved by its front matter: {why}.", name=path.name, why=tr(refusal)))
            elif one.uri == path.as_uri():
                # Where the run asked about an older text it asks again, about this one.
                self._server.runs.questions.settle(one.run_id, one.question_id, "approve")

    def _tell(self, text: str) -> None:
        said = f"{text} " + tr("Write draft, then approved, and save it; or send agentinfra.approve")
        self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, said))

    def _text(self, uri: str) -> str:
        document = self._server.workspace.text_documents.get(uri)
        return document.source if document else ""


def _spec(uri: str) -> Path | None:
    path = spec_path(uri)
    return path if path and path.name == "spec.md" else None


def _status(text: str) -> str:
    return read_front_matter(text).get("status", "")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # not there any more: what is in the editor was not saved


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(path: Path) -> str:
    return _hash(_read(path))
