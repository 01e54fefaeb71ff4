"""spec.md and tasks.md in an editor: findings as they are typed, with fixes; outline, links, hover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import Editor, serving

SPEC = (
    "# Tea 😀\n\n## Requirements\n\n### FR-1 · Brew\n\nThe 😀 module brews fast.\n\nFile: `tea.py`\n\n"
    "### FR-2 · Pour\n\nPours.\n\nAcceptance:\n\n- `pour(1)` returns `1`\n\n"
    "## Open questions\n\n- [ ] Q-1 · Which?\n  - Option: green\n  - Option: black\n  - Recommended: black\n"
)
TASKS = "# Tasks\n\n- [ ] T-1 · Brew it, as FR-2 _(pending)_\n  - Requirements: FR-1, FR-9\n  - Files: `tea.py`\n"
PULLS = {"textDocument": {"diagnostic": {"dynamicRegistration": False}}}
VERSIONED = {"workspace": {"workspaceEdit": {"documentChanges": True}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def open_document(editor: Editor, path: Path, text: str, version: int = 1) -> dict[str, str]:
    item = {"uri": path.as_uri(), "languageId": "markdown", "version": version, "text": text}
    editor.notify("textDocument/didOpen", {"textDocument": item})
    return {"uri": path.as_uri()}


def change(editor: Editor, path: Path, text: str, version: int) -> None:
    document = {"uri": path.as_uri(), "version": version}
    editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})


def published(editor: Editor, path: Path) -> list[dict[str, Any]]:
    told = editor.notes.get("textDocument/publishDiagnostics", [])
    return [one for one in told if one["uri"] == path.as_uri()]


def codes(found: dict[str, Any]) -> set[str]:
    return {one["code"] for one in found["diagnostics"]}


def text_at(text: str, place: dict[str, Any]) -> str:
    """What a range in UTF-16 units covers, within a line."""
    line = text.splitlines()[place["start"]["line"]].encode("utf-16-le")
    return line[2 * place["start"]["character"] : 2 * place["end"]["character"]].decode("utf-16-le")


async def test_findings_follow_what_is_typed_and_go_with_it(tmp_path, folder):
    spec, tasks = folder / "spec.md", folder / "tasks.md"
    tasks.write_text(TASKS)
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        open_document(editor, spec, SPEC)
        (first,) = await editor.until(lambda: published(editor, spec))
        assert {"vague-word", "no-acceptance", "open-question", "no-task"} == codes(first)
        assert first["version"] == 1
        (vague,) = [one for one in first["diagnostics"] if one["code"] == "vague-word"]
        assert text_at(SPEC, vague["range"]) == "fast"
        assert (vague["source"], vague["severity"]) == ("agentinfra", 2)

        change(editor, spec, SPEC.replace(" brews fast", " brews"), 2)
        await editor.until(lambda: published(editor, spec)[-1]["version"] == 2)
        assert "vague-word" not in codes(published(editor, spec)[-1])

        open_document(editor, tasks, TASKS)
        found = await editor.until(lambda: [one for one in published(editor, tasks) if one["diagnostics"]])
        assert codes(found[-1]) == {"unknown-id"}
        editor.notify("textDocument/didClose", {"textDocument": {"uri": tasks.as_uri()}})
        await editor.until(lambda: published(editor, tasks)[-1]["diagnostics"] == [])


async def test_a_client_that_asks_is_answered_and_not_told_as_well(tmp_path, folder):
    spec = folder / "spec.md"
    async with serving(tmp_path) as editor:
        offered = (await editor.initialize(folder, capabilities=PULLS))["capabilities"]
        assert offered["diagnosticProvider"]["identifier"] == "agentinfra"
        document = open_document(editor, spec, SPEC)
        report = await editor.result("textDocument/diagnostic", {"textDocument": document})
        assert (report["kind"], {one["code"] for one in report["items"]}) == (
            "full",
            {"vague-word", "no-acceptance", "open-question"},
        )
        elsewhere = {"uri": (folder / "README.md").as_uri()}
        assert (await editor.result("textDocument/diagnostic", {"textDocument": elsewhere}))["items"] == []
        assert published(editor, spec) == []


async def test_fixes_and_answers_are_offered_where_they_belong(tmp_path, folder):
    spec = folder / "spec.md"
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, capabilities=VERSIONED)
        document = open_document(editor, spec, SPEC, version=3)
        line = SPEC.splitlines().index("- [ ] Q-1 · Which?")
        place = {"line": line, "character": 3}
        asked = {"textDocument": document, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
        offered = await editor.result("textDocument/codeAction", asked)
        titles = [one["title"] for one in offered]
        assert titles == ["Answer: black", "Answer: green"]
        (part,) = offered[0]["edit"]["documentChanges"]
        assert part["textDocument"] == {"uri": spec.as_uri(), "version": 3}
        assert offered[0]["diagnostics"][0]["code"] == "open-question"
        written = "".join(one["newText"] for one in part["edits"])
        assert "- [x] Q-1" in written and "  - Answer: black" in written
        asked["context"] = {"diagnostics": [], "only": ["refactor"]}
        assert await editor.result("textDocument/codeAction", asked) == []
        asked["context"] = {"diagnostics": []}
        asked["range"] = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
        assert await editor.result("textDocument/codeAction", asked) == []


async def test_outline_folding_links_hover_and_definition(tmp_path, folder):
    spec, tasks = folder / "spec.md", folder / "tasks.md"
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        asked = {"textDocument": open_document(editor, spec, SPEC)}
        outline = await editor.result("textDocument/documentSymbol", asked)
        assert [one["name"] for one in outline] == ["Requirements", "Open questions"]
        assert [one["name"] for one in outline[0]["children"]] == ["FR-1 Brew", "FR-2 Pour"]
        folds = await editor.result("textDocument/foldingRange", asked)
        assert {"startLine": 4, "endLine": 8} in [{key: one[key] for key in ("startLine", "endLine")} for one in folds]

        of_tasks = {"textDocument": open_document(editor, tasks, TASKS)}
        assert [one["name"] for one in await editor.result("textDocument/documentSymbol", of_tasks)] == [
            "T-1 Brew it, as FR-2"
        ]
        links = await editor.result("textDocument/documentLink", of_tasks)
        assert [(text_at(TASKS, one["range"]), one["target"].rpartition("/")[2]) for one in links] == [
            ("FR-2", "spec.md#L11"),
            ("FR-1", "spec.md#L5"),
        ]
        place = {"line": 3, "character": 19}
        hover = await editor.result("textDocument/hover", {**of_tasks, "position": place})
        assert hover["contents"]["value"].startswith("FR-1 · Brew\n\nThe 😀 module brews fast.")
        found = await editor.result("textDocument/definition", {**of_tasks, "position": place})
        assert (found["uri"], found["range"]["start"]) == (spec.as_uri(), {"line": 4, "character": 4})
        nowhere = {**of_tasks, "position": {"line": 999, "character": 0}}
        assert await editor.result("textDocument/hover", nowhere) is None
        assert await editor.result("textDocument/definition", nowhere) is None
        code = {"textDocument": {"uri": (folder / "tea.py").as_uri()}, "position": place}
        assert await editor.result("textDocument/hover", code) is None
        assert await editor.result("textDocument/documentSymbol", {"textDocument": code["textDocument"]}) is None


async def test_a_large_specification_and_rapid_edits(tmp_path, folder):
    spec = folder / "spec.md"
    many = "# Many\n\n## Requirements\n\n" + "".join(f"### FR-{n} · R{n}\n\nFast.\n\n" for n in range(1, 501))
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        open_document(editor, spec, many)
        for version in range(2, 60):
            change(editor, spec, f"{many}\nv{version}\n", version)
        await editor.until(lambda: [one for one in published(editor, spec) if one["version"] == 59])
        assert len(published(editor, spec)) < 20
        assert len(published(editor, spec)[-1]["diagnostics"]) == 1000
        assert await editor.leave() == 0


async def test_an_id_is_found_wherever_it_is_spoken_of(tmp_path, folder):
    spec, tasks = folder / "spec.md", folder / "tasks.md"
    text = SPEC + "\nFR-2 comes first, FR-1 after it, and FR-11 is another.\n"
    tasks.write_text(TASKS)
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        about = {"textDocument": open_document(editor, spec, text), "position": {"line": 4, "character": 5}}
        found = await editor.result("textDocument/references", {**about, "context": {"includeDeclaration": True}})
        last = len(text.splitlines()) - 1
        told = [(one["uri"].rpartition("/")[2], one["range"]["start"]["line"]) for one in found]
        assert told == [("spec.md", 4), ("spec.md", last), ("tasks.md", 3)]
        assert {text_at(text, one["range"]) for one in found[:2]} == {text_at(TASKS, found[2]["range"])} == {"FR-1"}
        found = await editor.result("textDocument/references", {**about, "context": {"includeDeclaration": False}})
        assert [one["range"]["start"]["line"] for one in found] == [last, 3]
        lit = await editor.result("textDocument/documentHighlight", about)
        assert [one["range"]["start"]["line"] for one in lit] == [4, last]
        nowhere = {**about, "position": {"line": 0, "character": 0}}
        assert await editor.result("textDocument/documentHighlight", nowhere) is None
        assert (
            await editor.result("textDocument/references", {**nowhere, "context": {"includeDeclaration": True}}) is None
        )


async def test_what_changes_on_disk_is_looked_at_again(tmp_path, folder):
    spec, tasks = folder / "spec.md", folder / "tasks.md"
    watches = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    async with serving(tmp_path) as editor:

        async def register(params: Any) -> None:
            registered.append(params)

        registered: list[Any] = []
        editor.answers = {"client/registerCapability": register}
        await editor.initialize(folder, capabilities=watches)
        open_document(editor, spec, SPEC)
        await editor.until(lambda: published(editor, spec) and registered)
        ((one,),) = [params["registrations"] for params in registered]
        assert one["method"] == "workspace/didChangeWatchedFiles"
        assert [watcher["globPattern"] for watcher in one["registerOptions"]["watchers"]] == [
            "**/spec.md",
            "**/tasks.md",
        ]
        assert "no-task" not in codes(published(editor, spec)[-1])
        tasks.write_text(TASKS.replace("FR-1, FR-9", "FR-1"))
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": tasks.as_uri(), "type": 1}]})
        await editor.until(lambda: "no-task" in codes(published(editor, spec)[-1]))
