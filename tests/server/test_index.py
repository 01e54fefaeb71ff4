"""Symbols and search of the open folders, from an index that a process of its own keeps fresh."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import OURS, Editor, serving

TEA = "class Kettle:\n    def fill(self, litres):\n        return litres\n\n\ndef brew(cups):\n    return cups * 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "tea.py").write_text(TEA)
    return made


async def symbols(editor: Editor, query: str) -> list[str]:
    return [one["name"] for one in await editor.result("workspace/symbol", {"query": query})]


async def until_found(editor: Editor, query: str, names: list[str]) -> None:
    async with asyncio.timeout(20):
        while await symbols(editor, query) != names:
            await asyncio.sleep(0.05)


def indexing_processes() -> set[str]:
    found: set[str] = set()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"indexing_program" in place.read_bytes():
                found.add(place.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def told(editor: Editor) -> list[str]:
    return [one["state"] for one in editor.notes.get("agentinfra/index/update", [])]


async def test_symbols_and_search_follow_the_files_and_nothing_is_left(tmp_path, folder):
    before = indexing_processes()
    async with serving(tmp_path) as editor:
        offered = (await editor.initialize(folder, ours=True))["capabilities"]
        assert offered["workspaceSymbolProvider"]
        off = await editor.result("agentinfra/index/get", {})
        assert (off["state"], off["folder"]) == ("off", folder.as_uri())
        assert indexing_processes() == before

        (fill,) = await editor.result("workspace/symbol", {"query": "fil"})
        assert (fill["name"], fill["containerName"], fill["location"]["uri"]) == (
            "fill", "Kettle", (folder / "tea.py").as_uri(),
        )  # fmt: skip
        assert fill["location"]["range"]["start"] == {"line": 1, "character": 0}
        assert len(indexing_processes() - before) == 1
        await editor.until(lambda: told(editor)[-1:] == ["fresh"])
        assert told(editor)[0] == "indexing"

        hits = await editor.result("agentinfra/search", {"query": "brew tea", "limit": 1})
        assert hits["state"] == "fresh"
        assert [(one["symbol"], one["startLine"], one["endLine"]) for one in hits["hits"]] == [("Kettle, brew", 0, 6)]

        (folder / "tea.py").write_text(TEA.replace("brew", "steep"))
        await until_found(editor, "steep", ["steep"])
        assert (await editor.result("agentinfra/index/get", {}))["state"] == "fresh"
        assert await editor.leave() == 0
    assert indexing_processes() <= before


async def test_two_folders_and_one_that_is_closed(tmp_path, folder):
    other = tmp_path / "other"
    other.mkdir()
    (other / "cup.py").write_text("def brew_more():\n    pass\n")
    before = indexing_processes()
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, other)
        assert sorted(await symbols(editor, "brew")) == ["brew", "brew_more"]
        assert len(indexing_processes() - before) == 2
        found = await editor.result("agentinfra/search", {"query": "brew_more", "folder": other.as_uri()})
        assert [one["uri"] for one in found["hits"]] == [(other / "cup.py").as_uri()]
        gone = {"added": [], "removed": [{"uri": other.as_uri(), "name": "other"}]}
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": gone})
        await until_found(editor, "brew", ["brew"])
        async with asyncio.timeout(10):
            while len(indexing_processes() - before) > 1:
                await asyncio.sleep(0.05)
        assert await editor.leave() == 0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"query": "x", "limit": 0}, "limit is 0"),
    ({"query": "x", "limit": 101}, "limit is 101"),
    ({"query": 3}, "query"),
    ({}, "query"),
    ({"query": "x", "folder": "file:///elsewhere"}, "no open folder"),
]


async def test_a_wrong_question_is_answered_with_what_is_wrong(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        for params, said in WRONG:
            reply = await editor.request("agentinfra/search", params)
            assert reply["error"]["code"] == -32602
            assert said in reply["error"]["message"]


async def test_an_untrusted_workspace_is_not_read_before_the_person_trusts_it(tmp_path, folder):
    before = indexing_processes()
    trusting = {"experimental": {"agentinfra": {**OURS, "trust": True}}}
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, capabilities=trusting)
        assert await editor.result("workspace/symbol", {"query": "brew"}) is None
        refused = await editor.request("agentinfra/search", {"query": "brew"})
        assert "not trusted" in refused["error"]["message"]
        planner = {"prompt": "x", "planner": "tea:Planner"}
        refused = await editor.request("agentinfra/run/start", planner)
        assert "not trusted" in refused["error"]["message"]
        assert indexing_processes() == before
        assert not (tmp_path / "data").exists()
        editor.notify("agentinfra/trust/granted", {})
        assert await symbols(editor, "brew") == ["brew"]


async def test_trust_may_be_told_at_once(tmp_path, folder):
    async with serving(tmp_path) as editor:
        params = {
            "processId": None,
            "rootUri": folder.as_uri(),
            "capabilities": {"experimental": {"agentinfra": {**OURS, "trust": True}}},
            "initializationOptions": {"trusted": True},
        }
        await editor.result("initialize", params)
        assert await symbols(editor, "brew") == ["brew"]


async def test_a_server_that_is_killed_leaves_no_indexing_process(tmp_path, folder):
    before = indexing_processes()
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        await symbols(editor, "brew")
        assert len(indexing_processes() - before) == 1
        editor.process.kill()
    async with asyncio.timeout(10):
        while indexing_processes() - before:
            await asyncio.sleep(0.05)


async def test_what_keeps_the_index_from_being_fresh_is_told(tmp_path, folder):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "workspaces").write_text("no folder can be made here")
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        reply = await editor.request("agentinfra/search", {"query": "x"})
        assert reply["error"]["code"] == -32803
        await editor.until(lambda: "trouble" in told(editor))
        assert os.fspath(tmp_path) in editor.notes["agentinfra/index/update"][-1]["message"]
