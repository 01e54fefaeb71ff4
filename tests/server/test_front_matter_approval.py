"""Approval by front matter: what counts, and everything that does not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agentinfra_server.session.approvals import SETTLE_SECONDS

from agentinfra.spec.front_matter import body_sha
from tests.server.editor import LIMIT, Editor, serving
from tests.server.test_commands import command
from tests.server.test_runs import START
from tests.server.test_spec_documents import change, open_document
from tests.server.test_spec_lenses import attended, draft

UNTRUSTED = {"experimental": {"agentinfra": {"version": 1, "trust": True}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def approved(text: str) -> str:
    assert "status: draft" in text
    return text.replace("status: draft", "status: approved")


def save(editor: Editor, path: Path, text: str | None = None) -> None:
    """What an editor does, with the text where the server asks for it; without one it saves what lies there already."""
    if text is not None:
        path.write_text(text, "utf-8")
    told = {} if text is None else {"text": text}
    editor.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}, **told})


async def planned(editor: Editor, folder: Path, **capabilities: Any) -> Path:
    attended(editor)
    await editor.initialize(folder, capabilities=capabilities)
    await command(editor, "plan", START)
    return await draft(editor, folder.parent)


async def approval(editor: Editor) -> list[str]:
    """The hashes that were approved, by the log."""
    (run,) = (await editor.result("agentinfra/run/get", {}))["runs"]
    found = await editor.result("agentinfra/run/get", {"runId": run["runId"], "limit": 5000})
    return [one["data"]["spec_sha"] for one in found["events"] if one["kind"] == "approval"]


async def refused(editor: Editor, why: str) -> None:
    """It was said why, and nothing was approved."""
    (box, *more) = await editor.until(lambda: editor.notes.get("window/showMessage"))
    assert why in box["message"] and not more
    assert await approval(editor) == []
    (run,) = (await editor.result("agentinfra/run/get", {}))["runs"]
    assert run["state"] == "awaiting_approval"


async def until_approved(editor: Editor) -> str:
    said = len(editor.notes.get("window/showMessage", []))
    async with asyncio.timeout(LIMIT):
        while not (found := await approval(editor)):
            assert editor.notes.get("window/showMessage", [])[said:] == []
            await asyncio.sleep(0.05)
    return found[0]


async def test_a_draft_that_is_turned_into_an_approved_one_and_saved_is_built(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        open_document(editor, spec, text)
        for version, letters in enumerate(["draf", "", "a", "approve"], 2):  # as it is typed
            change(editor, spec, text.replace("status: draft", f"status: {letters}"), version)
        change(editor, spec, approved(text), 6)
        assert await approval(editor) == []  # not saved yet
        save(editor, spec, approved(text))
        assert await until_approved(editor) == body_sha(text)
        assert "window/showMessage" not in editor.notes
        assert await editor.leave() == 0


async def test_what_is_edited_and_approved_at_once_is_built_as_it_was_saved(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        open_document(editor, spec, text)
        edited = approved(text).rstrip("\n") + "\n\nIn the person's own words.\n"
        change(editor, spec, edited, 2)
        save(editor, spec, edited)
        assert await until_approved(editor) == body_sha(edited) != body_sha(text)
        assert await editor.leave() == 0


async def test_an_editor_that_saves_before_it_tells_of_the_edit_is_understood(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        open_document(editor, spec, text)
        await editor.result("textDocument/codeLens", {"textDocument": {"uri": spec.as_uri()}})  # it has been taken in
        spec.write_text(approved(text))
        change(editor, spec, approved(text), 2)
        save(editor, spec)
        assert await until_approved(editor) == body_sha(text)
        assert await editor.leave() == 0


async def test_what_was_opened_as_approved_approves_nothing_until_it_was_a_draft(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        spec.write_text(approved(text))
        open_document(editor, spec, approved(text))
        change(editor, spec, approved(text) + "\n", 2)
        save(editor, spec, approved(text) + "\n")
        await refused(editor, "it said so before: only the change from draft to approved counts")
        change(editor, spec, text, 3)
        change(editor, spec, approved(text), 4)
        save(editor, spec, approved(text))
        assert await until_approved(editor) == body_sha(text)
        assert await editor.leave() == 0


async def test_a_workspace_that_is_not_trusted_approves_nothing(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder, **UNTRUSTED)
        text = spec.read_text()
        open_document(editor, spec, text)
        change(editor, spec, approved(text), 2)
        save(editor, spec, approved(text))
        await refused(editor, "the workspace is not trusted")
        editor.notify("agentinfra/trust/granted", {})
        save(editor, spec)  # the old change does not count after all
        await editor.until(lambda: editor.notes["window/showMessage"][1:])
        assert await approval(editor) == []
        assert await editor.leave() == 0


async def test_what_changed_on_disk_behind_the_editor_approves_nothing(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        open_document(editor, spec, text)
        await editor.result("textDocument/codeLens", {"textDocument": {"uri": spec.as_uri()}})
        spec.write_text(approved(text))
        change(editor, spec, approved(text), 2)  # the editor reads it anew
        with pytest.raises(TimeoutError):
            await editor.until(lambda: editor.notes.get("window/showMessage"), 2 * SETTLE_SECONDS)
        save(editor, spec)
        await refused(editor, "it was changed on disk, and not in the editor")
        assert await editor.leave() == 0


async def test_an_approval_is_of_the_text_that_lies_on_disk(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        open_document(editor, spec, text)
        change(editor, spec, approved(text), 2)
        spec.write_text(approved(text) + "\nSomething else.\n")
        save(editor, spec)
        await refused(editor, "on disk it says something else than the editor")
        assert await editor.leave() == 0


async def test_what_is_edited_after_the_approval_is_not_approved(tmp_path, folder):
    pulls = {"textDocument": {"diagnostic": {}}}
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder, **pulls)
        text = spec.read_text()
        document = open_document(editor, spec, text)
        change(editor, spec, approved(text), 2)
        save(editor, spec, approved(text))
        later = approved(text) + "\nOne thing more.\n"
        change(editor, spec, later, 3)
        sha = await until_approved(editor)
        assert sha == body_sha(text)
        async with asyncio.timeout(LIMIT):
            while not spec.with_name("tasks.md").exists():  # the log has been written into the documents
                await asyncio.sleep(0.05)
        assert spec.read_text() == approved(text)  # but not into one that is being edited
        save(editor, spec, later)
        report = await editor.result("textDocument/diagnostic", {"textDocument": document})
        assert "edited-after-approval" in [one["code"] for one in report["items"]]
        assert await approval(editor) == [sha]
        assert spec.read_text() == later
        assert await editor.leave() == 0


async def test_a_text_that_was_approved_before_the_run_asks_is_bound_to_its_hash(tmp_path, folder):
    async with serving(tmp_path) as editor:
        spec = await planned(editor, folder)
        text = spec.read_text()
        open_document(editor, spec, text)
        (run,) = (await editor.result("agentinfra/run/get", {}))["runs"]
        await editor.result("agentinfra/run/control", {"runId": run["runId"], "action": "stop"})
        change(editor, spec, approved(text), 2)
        save(editor, spec, approved(text))
        assert await approval(editor) == []  # by now the server has looked at what was saved
        other = approved(text) + "\nEdited after.\n"
        spec.write_text(other)
        asked = len(editor.asked)
        await editor.result("agentinfra/run/control", {"runId": run["runId"], "action": "resume"})
        await editor.until(lambda: [one for one, _ in editor.asked[asked:] if one == "window/showMessageRequest"])
        assert await approval(editor) == []
        await editor.result("agentinfra/run/control", {"runId": run["runId"], "action": "stop"})
        spec.write_text(approved(text))
        await editor.result("agentinfra/run/control", {"runId": run["runId"], "action": "resume"})
        assert await until_approved(editor) == body_sha(text)
        assert await editor.leave() == 0
