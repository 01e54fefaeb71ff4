"""What the review of a run found, as diagnostics in any editor."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agentinfra_server.session.run_findings import QUIET_SECONDS, placed

from agentinfra.core.config import workspace_folder
from agentinfra.core.events import EventDraft, EventKind
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.run_state import Finding
from tests.server.editor import Editor, serving

CODE = "def add(text):\n    return eval(text)  # 😀\n\n\ndef sub(a):\n    return a\n"
FOUND = {"id": "QA-1", "severity": "warning", "rule": "eval", "path": "calc.py", "line": 2, "message": "eval() runs it"}
ERROR = {**FOUND, "id": "QA-2", "severity": "error", "rule": "test-failure", "line": 0, "message": "a test failed"}
ELSEWHERE = {**FOUND, "id": "QA-3", "path": "not_there.py"}
SUITE = {**FOUND, "id": "QA-4", "path": "", "line": 0}


class Reviewed:
    """A repository in which a run, on record, has been reviewed."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "project"
        self.folder.mkdir()
        self.path = self.folder / "calc.py"
        self.path.write_text(CODE, "utf-8")
        self._git("init", "-q")
        self._git("add", ".")
        self._git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "the run's work")
        place = workspace_folder(self.folder, home / "data")
        place.mkdir(parents=True)
        self.log = SqliteEventLog(place / "events.db")
        self.record("state_update", {"state": "reviewing"})

    def record(self, kind: EventKind, data: dict[str, Any]) -> None:
        self.log.append("run-1", EventDraft(kind, data, ("planner",)))

    def review(self, *found: dict[str, Any]) -> None:
        for one in found:
            self.record("qa_finding", one)
        self.record("checkpoint", {"commit": self._git("rev-parse", "HEAD").strip()})

    def open(self, editor: Editor) -> None:
        item = {"uri": self.path.as_uri(), "languageId": "python", "version": 1, "text": CODE}
        editor.notify("textDocument/didOpen", {"textDocument": item})

    def type(self, editor: Editor, text: str) -> None:
        document = {"uri": self.path.as_uri(), "version": 2}
        editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def told(self, editor: Editor) -> list[list[dict[str, Any]]]:
        notes = editor.notes.get("textDocument/publishDiagnostics", [])
        assert {one["uri"] for one in notes} <= {self.path.as_uri()}
        return [one["diagnostics"] for one in notes]

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Reviewed]:
    made = Reviewed(tmp_path)
    yield made
    made.log.close()


async def test_findings_go_with_their_lines(tmp_path, reviewed):
    reviewed.review(FOUND, ERROR, ELSEWHERE, SUITE)
    async with serving(tmp_path) as editor:
        await editor.initialize(reviewed.folder)
        reviewed.open(editor)
        (first,) = await editor.until(lambda: reviewed.told(editor))
        assert [(one["code"], one["severity"], one["source"]) for one in first] == [
            ("eval", 2, "agentinfra"),
            ("test-failure", 1, "agentinfra"),
        ]
        assert first[0]["range"] == {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 27}}
        assert first[1]["range"]["start"] == {"line": 0, "character": 0}

        reviewed.type(editor, f"import os\n\n{CODE}")
        moved = (await editor.until(lambda: reviewed.told(editor)[1:]))[-1]
        assert moved[0]["range"]["start"]["line"] == 3
        reviewed.type(editor, CODE.replace("eval(text)", "int(text)"))
        (left,) = (await editor.until(lambda: reviewed.told(editor)[2:]))[-1]
        assert left["code"] == "test-failure"


async def test_a_run_at_work_tells_what_its_review_finds_until_its_work_is_taken_back(tmp_path, reviewed):
    async with serving(tmp_path) as editor:
        await editor.initialize(reviewed.folder, ours=True)
        await editor.result("agentinfra/run/view", {})  # from now on it is shown
        reviewed.review(FOUND)
        (first,) = await editor.until(lambda: reviewed.told(editor))
        assert [one["message"] for one in first] == ["eval() runs it"]
        reviewed.record("change_resolved", {"decision": "undone"})
        assert await editor.until(lambda: reviewed.told(editor)[1:]) == [[]]


async def test_a_folder_without_runs_is_told_nothing_and_none_of_its_own_is_made(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "calc.py").write_text(CODE, "utf-8")
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        item = {"uri": (folder / "calc.py").as_uri(), "languageId": "python", "version": 1, "text": CODE}
        editor.notify("textDocument/didOpen", {"textDocument": item})
        await asyncio.sleep(3 * QUIET_SECONDS)  # long enough for it to have looked
        assert await editor.leave() == 0
    assert not (tmp_path / "data").exists()


def test_what_speaks_of_an_empty_file_has_a_place_too():
    (one,) = placed([Finding("QA-1", "other", "test-run", "a.py", 0, "Nothing ran")], [], [], len)
    assert (one.range.start.line, one.range.end.character, one.severity) == (0, 0, 3)
