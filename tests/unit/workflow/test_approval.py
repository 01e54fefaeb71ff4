"""What is approved is one text: the one that a person saw."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from agentinfra.core.errors import RunStopped
from agentinfra.spec.front_matter import body_sha
from agentinfra.spec.requirements import Question
from agentinfra.workflow.approval import Approved, approval
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.run import Run
from agentinfra.workflow.run_files import RunFiles
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts

TEXT = "# Tea\n\n## Requirements\n\n### FR-1 · Brew\nIt brews.\n"


class Editor:
    """A person whose editor shows the text and approves what it shows; what they do in the meantime is called first."""

    def __init__(self, *meanwhile: Callable[[Path], Any], says: str | bool = "what it shows") -> None:
        self.meanwhile = list(meanwhile)
        self.says = says
        self.asked = 0
        self.questions: list[str] = []

    async def answer(self, question: Question) -> str:
        self.questions.append(question.text)
        return ""

    async def approve(self, spec_path: Path) -> bool | str:
        self.asked += 1
        shown = body_sha(spec_path.read_text("utf-8"))
        if self.meanwhile:
            self.meanwhile.pop(0)(spec_path)
        return shown if self.says == "what it shows" else self.says


async def approve(folder: Path, human: Editor) -> Approved:
    absent = cast("Any", None)
    engine, log = MemoryEngine(), SqliteEventLog(folder / "events.db")
    files = RunFiles(folder)
    parts = RunParts(engine, log, absent, absent, cast("Any", human), files, model_for=absent)
    run, found = Run("r1", RunOptions("an idea", folder), parts), list[Approved]()

    async def work(_: Any) -> None:
        found.append(await approval(run, TEXT))

    engine.register("job", work)
    try:
        await engine.run("job", "r1", {})
    finally:
        log.close()
    return found[0]


async def test_the_hash_that_was_shown_is_what_is_approved(tmp_path: Path):
    approved = await approve(tmp_path, Editor())
    assert (approved.text, approved.sha, approved.by) == (TEXT, body_sha(TEXT), "person")


async def test_a_text_that_changed_after_it_was_shown_is_shown_again(tmp_path: Path):
    edited = TEXT.replace("brews", "boils")
    human = Editor(lambda path: path.write_text(edited))
    approved = await approve(tmp_path, human)
    assert human.asked == 2
    assert approved.text == edited


async def test_a_yes_without_a_hash_is_to_what_the_file_says_by_then(tmp_path: Path):
    edited = TEXT.replace("brews", "boils")
    human = Editor(lambda path: path.write_text(edited), says=True)
    assert (await approve(tmp_path, human)).text == edited
    assert human.asked == 1


async def test_nobody_is_asked_the_same_question_twice(tmp_path: Path):
    human = Editor(lambda path: path.write_text(TEXT + "\n## Open questions\n- [ ] Q-1 · Loud?\n"))
    approved = await approve(tmp_path, human)
    assert human.questions == ["Loud?"]
    assert human.asked == 2  # once more after the question, and then no more
    assert "- [ ] Q-1" in approved.text


@pytest.mark.parametrize("no", [False, ""])
async def test_a_no_stops_the_run(tmp_path: Path, no: str | bool):
    with pytest.raises(RunStopped, match="was not approved"):
        await approve(tmp_path, Editor(says=no))


@pytest.mark.parametrize("broken", ["no title", TEXT + "### FR-1 · Again\n"])
async def test_what_cannot_be_built_is_not_approved_and_can_be_mended(tmp_path: Path, broken: str):
    human = Editor(lambda path: path.write_text(broken))
    with pytest.raises(RunStopped) as stopped:
        await approve(tmp_path, human)
    assert "agentinfra resume" in stopped.value.next_step
    assert (tmp_path / "spec.md").read_text() == broken  # the person's text is theirs to mend
