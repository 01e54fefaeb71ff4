"""From an idea to merged code in an editor without the extension: nothing but the language server's own methods."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.config import workspace_folder
from tests.e2e.provider import SHORT, Provider
from tests.server.editor import Editor, serving
from tests.server.test_front_matter_approval import approved, save
from tests.server.test_spec_documents import change, open_document
from tests.server.test_spec_lenses import press, silent, titles, until_shown
from tests.server.test_steering import at

QUESTION = {"question": "Which way for halves?", "why": "Both are common.", "options": ["down", "up"]}
ASKING = {"OpenQuestions": json.dumps({"questions": [{**QUESTION, "recommended": "down"}]})}
LITERALS = {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}}}}
WINDOW = {"workDoneProgress": True, "showDocument": {"support": True}}
ABLE = {"textDocument": LITERALS, "window": WINDOW, "workspace": {"codeLens": {"refreshSupport": True}}}
BOX = "window/showMessageRequest"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (tmp_path / "config.toml").write_text('[models]\ndefault = "openai:gpt-4o"\n')
    return made


def attended(editor: Editor, answer: str | None = None) -> list[str]:
    """A person who answers questions, approves nothing by message box, and sees what is opened."""
    opened: list[str] = []

    async def choose(params: Any) -> Any:
        titles = [one["title"] for one in params["actions"]]
        return {"title": answer} if answer in titles else None

    async def show(params: Any) -> Any:
        opened.append(params["uri"])
        return {"success": True}

    editor.answers = {BOX: choose, "window/showDocument": show, "window/workDoneProgress/create": silent}
    editor.answers["workspace/codeLens/refresh"] = silent
    return opened


async def offered(
    editor: Editor, path: Path, first: tuple[int, int] = (0, 0), last: tuple[int, int] = (0, 0), **context
):
    start, end = ({"line": line, "character": column} for line, column in (first, last))
    place = {"start": start, "end": end}
    asked = {"textDocument": {"uri": path.as_uri()}, "range": place, "context": {"diagnostics": [], **context}}
    found = await editor.result("textDocument/codeAction", asked)
    return [one for one in found if one["title"] == "Plan project from this"]


async def choose(editor: Editor, action: dict[str, Any]) -> str:
    return (await editor.result("workspace/executeCommand", action["command"]))["runId"]


def document(opened: list[str], end: str) -> Path | None:
    found = [uri for uri in opened if uri.endswith(end)]
    return Path(found[0].removeprefix("file://")) if found else None


async def test_the_whole_journey(tmp_path, folder):
    idea = folder / "idea.md"
    with Provider(ASKING) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            opened = attended(editor, "up")
            await editor.initialize(folder, capabilities=ABLE)
            open_document(editor, idea, SHORT)
            (action,) = await offered(editor, idea)
            assert action["kind"] == "source.agentinfra.plan"
            run = await choose(editor, action)

            spec = await editor.until(lambda: document(opened, f"{run}/spec.md"))
            (box, *_) = [params for method, params in editor.asked if method == BOX]
            assert box["message"] == "Which way for halves? Both are common."
            text = spec.read_text()
            assert "  - Answer: up\n" in text
            open_document(editor, spec, text)
            change(editor, spec, approved(text), 2)
            save(editor, spec, approved(text))
            await until_shown(editor, spec, "Accept")
            assert "- [x] T-1" in spec.with_name("tasks.md").read_text()
            told = [one["value"] for one in editor.notes["$/progress"]]
            assert told[0]["kind"] == "begin" and told[-1] == {"kind": "end", "message": "done"}
            assert len((await press(editor, spec, "Accept"))["commit"]) == 40
            ran = subprocess.run(
                ["git", "-C", folder, "show", "HEAD:sums.py"], capture_output=True, text=True, check=True
            )
            assert "def half(n)" in ran.stdout

            mine = folder / "spec.md"
            about = {"textDocument": open_document(editor, mine, mine.read_text())}
            line = next(at for at, text in enumerate(mine.read_text().splitlines()) if text.startswith("### FR-1"))
            about |= {"position": {"line": line, "character": 5}, "context": {"includeDeclaration": False}}
            found = await editor.result("textDocument/references", about)
            files = [one["uri"].removeprefix(folder.as_uri()) for one in found]
            assert list(dict.fromkeys(files)) == ["/tasks.md", "/tests/test_sums_half.py", "/sums.py"]
            assert await editor.leave() == 0


async def test_a_question_that_nobody_answers_waits_in_a_document_with_its_answers(tmp_path, folder):
    idea = folder / "idea.md"
    with Provider(ASKING) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            opened = attended(editor)
            await editor.initialize(folder, capabilities=ABLE)
            open_document(editor, idea, SHORT)
            (action,) = await offered(editor, idea)
            run = await choose(editor, action)
            asked = await editor.until(lambda: document(opened, f"{run}/questions/spec.md"))
            text = asked.read_text()
            uri = open_document(editor, asked, text)
            assert await titles(editor, asked) == ["planning", "Stop", "1 question"]
            line = text.splitlines().index("- [ ] Q-1 · Which way for halves?")
            place = {"line": line, "character": 0}
            about = {"textDocument": uri, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
            fixes = await editor.result("textDocument/codeAction", about)
            assert [one["title"] for one in fixes] == ["Answer: down", "Answer: up"]
            (edits,) = fixes[1]["edit"]["changes"].values()
            assert "".join(one["newText"] for one in edits).count("Answer: up") == 1
            answered = text.replace("- [ ] Q-1", "- [x] Q-1").replace("- Answer:", "- Answer: up")
            change(editor, asked, answered, 2)
            save(editor, asked, answered)
            spec = await editor.until(lambda: document(opened, f"{run}/spec.md"))
            assert "  - Answer: up\n" in spec.read_text()
            assert [one for one in await titles(editor, spec) if "question" in one] == []
            assert await editor.leave() == 0


async def test_only_ideas_are_planned_from(tmp_path, folder):
    idea, notes, code = folder / "idea.md", folder / "notes.md", folder / "a.py"
    async with serving(tmp_path) as editor:
        attended(editor)
        await editor.initialize(folder, capabilities=ABLE)
        open_document(editor, notes, "Not this.\n😀 Make a tea timer.\nNor this.\n")
        (chosen,) = await offered(editor, notes, (1, 3), (1, 20))
        (argument,) = chosen["command"]["arguments"]
        assert argument == {"prompt": "Make a tea timer.", "folder": folder.as_uri(), "initialize": True}
        assert await offered(editor, notes) == []
        open_document(editor, idea, "  \n")
        assert await offered(editor, idea) == []
        change(editor, idea, "Make a tea timer.\n", 2)
        assert len(await offered(editor, idea, only=["source"])) == 1
        assert await offered(editor, idea, only=["quickfix"]) == []
        editor.notify(
            "textDocument/didOpen",
            {"textDocument": {"uri": code.as_uri(), "languageId": "python", "version": 1, "text": "x = 1\n"}},
        )
        assert await offered(editor, code, (0, 0), (0, 3)) == []
        outside = tmp_path / "idea.md"
        open_document(editor, outside, "Make a tea timer.\n")
        assert await offered(editor, outside) == []
    assert not workspace_folder(folder, tmp_path / "data").exists()
