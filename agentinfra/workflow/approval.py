"""The approval of a specification: what is open is asked first, then a person says yes to what the draft says by then.

A person may edit at any time: the draft, and in a run that changes an earlier one also spec.md of the workspace. Every
edit counts; what was approved is one text, known by the hash of its body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinfra.core.errors import RunStopped, SpecError
from agentinfra.spec.answers import unanswered, with_answers_written
from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha, with_front_matter
from agentinfra.spec.requirements import Question
from agentinfra.workflow.change_source import SPEC, check_ids
from agentinfra.workflow.run_files import ApprovedText

if TYPE_CHECKING:
    from agentinfra.workflow.run import Run


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved, and by whom: ``person`` or ``--yes``."""

    text: str
    sha: str
    by: str


async def approval(run: Run, text: str) -> Approved:
    """Have a draft approved; questions in it without an answer are put to the person first, one at a time.

    Args:
        run: The run.
        text: The draft; in a run that changes an earlier one, the person's own document.

    Raises:
        RunStopped: The person rejected it, or left something that cannot be built; the run can be resumed.
    """
    base = run.options.change.edited if run.options.change else ""
    answered: tuple[Question, ...] = ()
    while True:
        open_ones = _new(text, answered)
        if open_ones:
            answered += await run.ask(open_ones)
            text = await run.step("answers", _Draft(run, text, base, answered).answer)
        draft = _Draft(run, text, base, answered)
        left = await run.step("approve", draft.decide)
        if left["approved"]:
            return Approved(left["text"], body_sha(left["text"]), left["by"])
        text, base = left["text"], left["base"]
        if left["notice"]:
            await run.emit("notice", {"level": "warning", "text": left["notice"]})


def as_draft(text: str, run_id: str) -> str:
    """The document as the draft of a run; nothing but its front matter changes."""
    return with_front_matter(text, id=run_id, status="draft", approved="")


@dataclass(frozen=True, slots=True)
class _Draft:
    """The draft of a run in its folder.

    Attributes:
        run: The run.
        text: What the engine wrote, or would write.
        base: spec.md of the workspace as far as it is known; "" where the run does not change an earlier one.
        answered: What the person answered so far.
    """

    run: Run
    text: str
    base: str
    answered: Sequence[Question]

    async def answer(self) -> str:
        """Write the answers into the draft as it stands by now."""
        files = self.run.parts.files
        await files.write_spec(self.text)
        text = with_answers_written((await self._read()).text, self.answered)
        await files.replace_spec(text)
        return text

    async def decide(self) -> dict[str, Any]:
        """Ask for the approval of what the draft says; what is to be looked at once more is not approved yet."""
        path = await self.run.parts.files.write_spec(self.text)
        said = await self.run.parts.human.approve(path)
        if not said:
            raise RunStopped(
                "The specification was not approved",
                next_step=f"Edit {path} and go on with `agentinfra resume`, or start anew",
            )
        left = await self._read()
        newer = await self._edited_meanwhile(left.sha)
        if newer:
            return await self._taken_over(newer, left.sha)
        if isinstance(said, str) and said != left.sha:
            return self._again(left.text, "The specification was edited while it was approved: it is asked for again")
        if _new(left.text, self.answered):
            return self._again(left.text, "")
        return {"approved": True, "text": left.text, "by": "--yes" if self.run.options.yes else "person"}

    async def _edited_meanwhile(self, sha: str) -> str:
        """spec.md of the workspace where a person went on editing it; "" where the draft says the same."""
        if not self.base:
            return ""
        path = self.run.path / SPEC
        try:
            text = await asyncio.to_thread(path.read_text, encoding="utf-8")
        except (OSError, ValueError):
            return ""  # taken away, or half saved: the draft holds what was there
        return text if body_sha(text) not in (body_sha(self.base), sha) else ""

    async def _taken_over(self, newer: str, sha: str) -> dict[str, Any]:
        files, workspace = self.run.parts.files, self.run.path / SPEC
        if sha != body_sha(self.text):
            raise RunStopped(
                "The specification was edited in two places",
                why=f"{workspace} and the draft {files.spec_path} say different things, and both were changed",
                next_step="Copy the one that counts over the other, then go on with `agentinfra resume`",
            )
        text = _readable(workspace, as_draft(newer, self.run.id))
        text = with_answers_written(text, self.answered)
        await files.replace_spec(text)
        told = f"{workspace} was edited meanwhile: the edit is taken over, and the approval asked for again"
        return self._again(text, told, newer)

    def _again(self, text: str, notice: str, base: str = "") -> dict[str, Any]:
        return {"approved": False, "text": text, "base": base or self.base, "notice": notice}

    async def _read(self) -> ApprovedText:
        files = self.run.parts.files
        try:
            left = await files.read_spec()
        except SpecError as error:
            raise _to_mend(files.spec_path, error) from error
        _readable(files.spec_path, left.text)
        return left


def _new(text: str, asked: Sequence[Question]) -> tuple[Question, ...]:
    """The questions without an answer that were not put yet: nobody is asked the same twice."""
    known = {(one.id, one.text) for one in asked}
    return tuple(one for one in unanswered(text) if (one.id, one.text) not in known)


def _readable(path: Path, text: str) -> str:
    """The text, where a task could be made of each of its requirements."""
    try:
        parse(text)
        check_ids(path, text)
    except SpecError as error:
        raise _to_mend(path, error) from error
    return text


def _to_mend(path: Path, error: SpecError) -> RunStopped:
    return RunStopped(
        error.what, why=error.why, next_step=f"Mend {path} ({error.next_step}), then go on with `agentinfra resume`"
    )
