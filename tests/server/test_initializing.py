"""A folder with files in it becomes a repository only where the person allows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.editor import Editor, serving
from tests.server.test_runs import START


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "letter.txt").write_text("Dear all")
    (made / "idea.md").write_text("A tea timer")
    return made


def answering(editor: Editor, outcome: str) -> None:
    async def answer(_params: object) -> dict[str, str]:
        return {"outcome": outcome}

    editor.answers["agentinfra/permission/request"] = answer


def permissions(editor: Editor) -> list[dict[str, str]]:
    return [params for method, params in editor.asked if method == "agentinfra/permission/request"]


async def test_a_denied_folder_stays_as_it_is(tmp_path, folder):
    async with serving(tmp_path) as editor:
        answering(editor, "deny")
        await editor.initialize(folder, ours=True)
        refused = await editor.request("agentinfra/run/start", START)
        assert "not made a Git repository" in refused["error"]["message"]
        assert not (folder / ".git").exists()
        (asked,) = permissions(editor)
        assert asked["title"] == "Planner: make project a Git repository?"
        assert asked["detail"].startswith(f"git init -b main in {folder}, which holds 1 file.")


async def test_an_allowed_one_becomes_a_repository_and_is_not_asked_about_again(tmp_path, folder):
    async with serving(tmp_path) as editor:
        answering(editor, "allow")
        await editor.initialize(folder, ours=True)
        assert (await editor.result("agentinfra/run/start", START))["runId"]
        assert (folder / ".git").is_dir()
        await editor.request("agentinfra/run/start", START)  # refused: it was replayed here already
        assert len(permissions(editor)) == 1


@pytest.mark.parametrize("is_unattended", [False, True])
async def test_nothing_is_asked_where_there_is_nothing_to_lose_or_where_it_was_told(tmp_path, folder, is_unattended):
    if not is_unattended:
        (folder / "letter.txt").unlink()
    mode = {"mode": "unattended"} if is_unattended else {}
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        assert (await editor.result("agentinfra/run/start", {**START, **mode}))["runId"]
        assert permissions(editor) == []


async def test_an_editor_of_no_parts_is_asked_by_a_message(tmp_path, folder):
    async with serving(tmp_path) as editor:

        async def deny(params: dict[str, list[object]]) -> object:
            return params["actions"][1]

        editor.answers["window/showMessageRequest"] = deny
        await editor.initialize(folder)
        refused = await editor.request("agentinfra/run/start", START)
        assert "not made a Git repository" in refused["error"]["message"]
        assert [method for method, _ in editor.asked if method == "window/showMessageRequest"] != []
