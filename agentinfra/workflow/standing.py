"""Whether a specification is still what was approved: by the event log and the text, never by what the text claims."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from agentinfra.core.errors import SpecError
from agentinfra.spec.change import Change, changed
from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha, read_front_matter
from agentinfra.spec.requirements import Spec, Status
from agentinfra.workflow.run_state import RunState


@dataclass(frozen=True, slots=True)
class Standing:
    """How a specification stands to the approval on record.

    Attributes:
        status: ``approved`` where its body is what was approved for the run, otherwise ``draft``.
        drafts: Ids of the requirements that are not approved as they are: changed and new ones, or all.
        change: What was changed since the approval; None where nothing was approved, or its text is lost.
    """

    status: Status
    drafts: tuple[str, ...] = ()
    change: Change | None = None

    def __str__(self) -> str:
        if self.status == "approved":
            return "as it was approved"
        if self.change is None:
            return "draft: nothing of it is approved"
        return f"draft again, edited since its approval: {self.change}"


def standing(text: str, state: RunState, approved: str = "") -> Standing:
    """Judge a specification by the approval of a run; its front matter plays no part.

    Args:
        text: The specification as it stands.
        state: The run, by its events.
        approved: A text that may be what was approved; it counts only where its hash is the one on record.

    Raises:
        SpecError: The text cannot be read.
    """
    edited = parse(text)
    if state.approved_sha and body_sha(text) == state.approved_sha:
        return Standing("approved")
    if not approved or body_sha(approved) != state.approved_sha:
        return Standing("draft", _ids(edited))
    change = changed(parse(approved), edited)
    return Standing("draft", tuple(name for name in _ids(edited) if name in change.affected), change)


async def edited_since(workspace: Path, state: RunState, kept: Path) -> Standing | None:
    """How spec.md of a workspace stands, where it is the run's and no longer what was approved; None otherwise.

    Args:
        workspace: The workspace.
        state: The run.
        kept: The run's own copy of its specification.
    """
    text, copy = await asyncio.to_thread(_text, workspace / "spec.md"), await asyncio.to_thread(_text, kept)
    if not state.approved_sha or read_front_matter(text).get("id") != state.run:
        return None
    try:
        found = standing(text, state, copy)
    except SpecError:
        return None  # half written; whoever plans with it is told
    return found if found.status == "draft" else None


def _ids(spec: Spec) -> tuple[str, ...]:
    return tuple(one.id for one in spec.requirements)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
