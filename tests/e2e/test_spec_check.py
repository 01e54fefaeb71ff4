"""``agentinfra spec check`` as a person runs it: what it says, how it ends, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentinfra.core.config import workspace_folder
from agentinfra.core.events import EventDraft
from agentinfra.spec.front_matter import body_sha
from agentinfra.workflow.event_log import SqliteEventLog
from tests.e2e.place import Place

SPEC = """---
id: run-1
status: approved
---

# Tea timer

## Requirements

### FR-1 · Brew

Green tea takes 2 minutes.

File: `tea.py`

Acceptance:

- `brew("green")` returns `2`
"""
TASKS = "# Tasks\n\n- [x] T-1 · Brew _(done)_\n  - Requirements: FR-1\n  - Files: `tea.py`\n"
BROKEN = SPEC.replace("takes 2 minutes", "is fast")


@pytest.fixture
def here(place: Place) -> Place:
    place.workspace.mkdir()
    place.write(spec__md=SPEC, tasks__md=TASKS)
    return place


def test_a_sound_specification(here: Place) -> None:
    outcome = here.agentinfra("spec check")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "nothing found" in outcome.said
    assert sorted(path.name for path in here.workspace.iterdir()) == ["spec.md", "tasks.md"]
    assert not (here.root / "data").exists()


def test_findings_are_shown_with_their_places(here: Place) -> None:
    here.write(spec__md=BROKEN, tasks__md=TASKS.replace("FR-1", "FR-2"))
    outcome = here.agentinfra("spec check")
    assert (outcome.code, outcome.stderr) == (1, "")
    spec, tasks = here.workspace / "spec.md", here.workspace / "tasks.md"
    lines = outcome.stdout.splitlines()
    assert [line for line in lines if line.startswith(str(here.workspace))] == [
        f"{spec}:10:5 no-task No task implements FR-1",
        f"{spec}:12:14 vague-word “fast” says nothing that can be tested; say how much, in numbers",
        f"{tasks}:4:19 unknown-id There is no requirement FR-2",
    ]
    assert "  12 | Green tea is fast." in lines
    assert "     |              ^^^^" in lines
    assert lines[-1] == "3 findings: errors 1, warnings 2"


@pytest.mark.parametrize("named", ["workspace", "workspace/spec.md"])
def test_a_folder_or_a_file_can_be_named(here: Place, named: str) -> None:
    here.write(spec__md=BROKEN)
    outcome = here.agentinfra("spec check", named, "--json")
    assert (outcome.code, outcome.stderr) == (1, "")
    data = json.loads(outcome.stdout)
    assert data["files"] == ["workspace/spec.md", "workspace/tasks.md"]
    (finding,) = data["findings"]
    assert (finding["code"], finding["path"], finding["line"]) == ("vague-word", "workspace/spec.md", 12)


def _empty(folder: Path) -> None:
    (folder / "spec.md").unlink()


def _latin(folder: Path) -> None:
    (folder / "spec.md").write_bytes("# Gr\u00fcner Tee\n".encode("latin-1"))


def _latin_tasks(folder: Path) -> None:
    (folder / "tasks.md").write_bytes(b"\xff")


def _folder(folder: Path) -> None:
    (folder / "tasks.md").unlink()
    (folder / "tasks.md").mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_empty, "There is no"),
        (_latin, "Byte 5 is not UTF-8"),
        (_latin_tasks, "tasks.md cannot be read"),
        (_folder, "Is a directory"),
    ],
)
def test_what_cannot_be_read(here: Place, spoil: object, message: str) -> None:
    spoil(here.workspace)  # type: ignore[operator]
    for options in ((), ("--json",), ("--fix",)):
        outcome = here.agentinfra("spec check", *options)
        assert (outcome.code, outcome.stdout) == (2, "")
        assert message in outcome.said
        assert "Traceback" not in outcome.said


def test_the_event_log_has_its_say_and_safe_fixes_are_made(here: Place) -> None:
    folder = workspace_folder(here.workspace, here.root / "data")
    folder.mkdir(parents=True)
    log = SqliteEventLog(folder / "events.db")
    log.append("run-1", EventDraft("state_update", {"state": "planning"}))
    log.append("run-1", EventDraft("plan_update", {"tasks": [{"id": "T-1", "requirements": ["FR-1"]}]}))
    log.append("run-1", EventDraft("agent_state", {"task": "T-1", "state": "coding"}))
    log.close()
    windows = BROKEN.replace("\n", "\r\n").encode()
    (here.workspace / "spec.md").write_bytes(windows)
    here.write(tasks__md=TASKS.replace("FR-1", "FR-1, FR-7"))
    outcome = here.agentinfra("spec check", "--json")
    data = json.loads(outcome.stdout)
    assert data["run"] == "run-1"
    codes = [one["code"] for one in data["findings"]]
    assert codes == ["status-not-on-record", "vague-word", "task-state-not-on-record", "unknown-id"]

    outcome = here.agentinfra("spec check", "--fix")
    assert outcome.code == 1
    assert outcome.stdout.count(str(here.workspace)) == 2  # what a person has to look at is left
    assert (here.workspace / "spec.md").read_bytes() == windows.replace(b"approved", b"draft")
    tasks = (here.workspace / "tasks.md").read_text()
    assert tasks.startswith("# Tasks\n\n- [~] T-1 · Brew _(coding)_\n  - Requirements: FR-1, FR-7\n")


def test_an_edit_after_the_approval_is_told(here: Place) -> None:
    folder = workspace_folder(here.workspace, here.root / "data")
    folder.mkdir(parents=True)
    log = SqliteEventLog(folder / "events.db")
    log.append("run-1", EventDraft("approval", {"spec_sha": body_sha(SPEC), "by": "person"}))
    log.close()
    (here.workspace / "tasks.md").unlink()
    assert here.agentinfra("spec check").code == 0
    here.write(spec__md=SPEC.replace("2 minutes", "3 minutes"))
    outcome = here.agentinfra("spec check")
    assert outcome.code == 1
    assert "edited-after-approval" in outcome.said
