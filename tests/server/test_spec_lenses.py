"""Lenses over spec.md and tasks.md, as any editor asks for them, and their refreshing while a run is at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentinfra.spec.front_matter import read_front_matter
from tests.e2e.provider import CODE, SHORT, Provider
from tests.server.editor import Editor, serving
from tests.server.test_commands import command
from tests.server.test_runs import START
from tests.server.test_spec_documents import SPEC, TASKS, change, open_document
from tests.server.test_steering import at

REFRESHED = {"workspace": {"codeLens": {"refreshSupport": True}, "diagnostics": {"refreshSupport": True}}}
ASKED = ("window/showMessageRequest", "workspace/codeLens/refresh", "workspace/diagnostic/refresh")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


async def silent(_params: Any) -> None:
    return None


def attended(editor: Editor) -> None:
    """A person who looks, and answers nothing."""
    editor.answers = dict.fromkeys(ASKED, silent)


async def lenses(editor: Editor, path: Path) -> list[tuple[int, str, str]]:
    """Line, title and command of each."""
    found = await editor.result("textDocument/codeLens", {"textDocument": {"uri": path.as_uri()}})
    return [(one["range"]["start"]["line"], one["command"]["title"], one["command"]["command"]) for one in found]


async def titles(editor: Editor, path: Path) -> list[str]:
    return [title for _, title, _ in await lenses(editor, path)]


async def draft(editor: Editor, home: Path) -> Path:
    """The draft of the run, as soon as its approval was asked for."""
    boxes = "window/showMessageRequest"
    await editor.until(
        lambda: [1 for method, params in editor.asked if method == boxes and "Build" in params["message"]]
    )
    (found,) = home.glob("data/workspaces/*/runs/*/spec.md")
    return found


async def press(editor: Editor, path: Path, title: str) -> Any:
    """What a person does who clicks on a lens."""
    found = await editor.result("textDocument/codeLens", {"textDocument": {"uri": path.as_uri()}})
    (chosen,) = [one["command"] for one in found if one["command"]["title"] == title]
    return await editor.result("workspace/executeCommand", {key: chosen[key] for key in ("command", "arguments")})


async def until_shown(editor: Editor, path: Path, title: str) -> list[str]:
    """The lenses as soon as one of them is this; asked for whenever the server says that they may be others."""
    times = 0
    while title not in (shown := await titles(editor, path)):
        asked = [method for method, _ in editor.asked]
        times = max(times + 1, asked.count("workspace/codeLens/refresh"))
        await editor.until(
            lambda least=times: [m for m, _ in editor.asked].count("workspace/codeLens/refresh") >= least
        )
    return shown


async def test_documents_without_a_run_tell_of_questions_and_tasks(tmp_path, folder):
    spec, tasks = folder / "spec.md", folder / "tasks.md"
    tasks.write_text(TASKS)
    async with serving(tmp_path) as editor:
        offered = (await editor.initialize(folder))["capabilities"]
        assert offered["codeLensProvider"] == {"resolveProvider": False}
        open_document(editor, spec, SPEC)
        assert await lenses(editor, spec) == [(0, "1 question", ""), (4, "T-1", "")]
        change(editor, spec, SPEC.replace("Recommended: black", "Answer: black"), 2)
        assert await lenses(editor, spec) == [(4, "T-1", "")]
        assert await lenses(editor, tasks) == []
        elsewhere = {"textDocument": {"uri": (folder / "README.md").as_uri()}}
        assert await editor.result("textDocument/codeLens", elsewhere) is None
    assert not (tmp_path / "data").exists()


async def test_a_run_by_its_lenses_from_the_draft_to_the_change_of_what_was_accepted(tmp_path, folder):
    async with serving(tmp_path) as editor:
        attended(editor)
        await editor.initialize(folder, capabilities=REFRESHED)
        await command(editor, "plan", START)
        spec = await draft(editor, tmp_path)
        text = spec.read_text()
        open_document(editor, spec, text)
        assert (await titles(editor, spec))[:2] == ["Approve & build", "Reject"]
        change(editor, spec, text + "\nMore.\n", 2)
        assert (await titles(editor, spec))[0] == "Save it to approve"
        change(editor, spec, text, 3)
        assert await press(editor, spec, "Approve & build") == {"state": "building"}
        await until_shown(editor, spec, "Stop")

        shown = await until_shown(editor, spec, "Accept")
        assert shown[:3] == ["4/4 tasks", "Accept", "Drop"]
        assert shown[3].startswith("T-1 · ") and shown[3].endswith(" tests proven")
        assert len(shown) == 7
        front = read_front_matter(spec.read_text())  # written back as the log has it
        assert (front["status"], len(front["approved"])) == ("done", 64)
        live = spec.with_name("tasks.md")
        assert live.read_text().count("_(done)_") == 4
        (line, title, verb), *_ = await lenses(editor, live)
        assert (line, verb) == (2, "") and title.startswith("done · try 1/") and title.endswith("proven")
        assert "Retry" not in await titles(editor, live)

        assert len((await press(editor, spec, "Accept"))["commit"]) == 40
        mine = folder / "spec.md"
        text = mine.read_text()
        open_document(editor, mine, text)
        assert "Re-plan" not in await titles(editor, mine)
        mine.write_text(text.replace("gives 150", "gives 151"))
        change(editor, mine, mine.read_text(), 2)
        assert (await titles(editor, mine))[:2] == ["4/4 tasks", "Re-plan"]
        assert await editor.leave() == 0


async def test_a_task_that_was_not_done_is_done_again_by_its_lens(tmp_path, folder):
    replies = [CODE.replace("// 2", "// 3")]
    with Provider({"code": lambda _body: replies[0]}) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            attended(editor)
            await editor.initialize(folder, capabilities=REFRESHED)
            await command(editor, "plan", {"prompt": SHORT, "model": "openai:gpt-4o", "initialize": True})
            spec = await draft(editor, tmp_path)
            await press(editor, spec, "Approve & build")
            await until_shown(editor, spec, "Accept")
            tasks = spec.with_name("tasks.md")
            assert tasks.read_text().startswith("# Tasks\n\n- [!] T-1")
            blocked, retry = await titles(editor, tasks)
            assert blocked.startswith("blocked · try 3/3 · ") and retry == "Retry"
            replies[0] = CODE
            assert (await press(editor, tasks, "Retry"))["taskIds"] == ["T-1"]
            await until_shown(editor, tasks, "done · try 1/3 · 2 tests proven")
            assert tasks.read_text().startswith("# Tasks\n\n- [x] T-1")
            assert await editor.leave() == 0
