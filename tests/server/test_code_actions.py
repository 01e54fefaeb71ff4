"""Code actions on code files, with the editor's own model as the one that answers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import ALONE, OURS, SCRIPT, Editor, Refusal, serving
from tests.server.test_runs import processes_of

SOURCE = '''\
"""Shapes."""


class Circle:
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        """Its area."""
        raise NotImplementedError


def double(number):
    return number + number + 1
'''
FIXED = SOURCE.replace("number + number + 1", "number + number")
FIX = """\
shapes.py
<<<<<<< SEARCH
    return number + number + 1
=======
    return number + number
>>>>>>> REPLACE
"""
CODE_ACTION = {
    "codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}},
    "dataSupport": True,
    "disabledSupport": True,
    "resolveSupport": {"properties": ["edit"]},
    "tagSupport": {"valueSet": [1]},
}
CAPABILITIES: dict[str, Any] = {
    "textDocument": {"codeAction": CODE_ACTION},
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create"],
            "changeAnnotationSupport": {},
        },
        "textDocumentContent": {},
        "configuration": True,
    },
    "window": {"showDocument": {"support": True}, "workDoneProgress": True},
    "experimental": {"agentinfra": OURS},
}
MARK = "TODO"
NO_MODEL = {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "", "OPENAI_BASE_URL": ""}
WRONG = {
    "range": {"start": {"line": 13, "character": 4}, "end": {"line": 13, "character": 30}},
    "message": "double(2) is 5",
    "severity": 1,
    "source": "pytest",
    "code": "E1",
}


class Model:
    """The editor's model: replies in order; a function makes one."""

    def __init__(self) -> None:
        self.replies: list[str | Callable[[], Any]] = []
        self.asked: list[str] = []

    async def answer(self, params: Any) -> Any:
        self.asked.append("\n".join(part["text"] for one in params["messages"] for part in one["content"]))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        text = reply if isinstance(reply, str) else await reply()
        return {"model": "scripted", "content": [{"type": "text", "text": text}], "stopReason": "stop"}


class Desk:
    """An editor with one open file."""

    def __init__(self, editor: Editor, folder: Path, model: Model) -> None:
        self.editor, self.folder, self.model = editor, folder, model
        self.path = folder / "shapes.py"
        self.uri = self.path.as_uri()

    def open(self, text: str = SOURCE, uri: str | None = None) -> None:
        document = {"uri": uri or self.uri, "languageId": "python", "version": 1, "text": text}
        self.editor.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, text: str, version: int) -> None:
        params = {"textDocument": {"uri": self.uri, "version": version}, "contentChanges": [{"text": text}]}
        self.editor.notify("textDocument/didChange", params)

    async def actions(self, line: int = 13, until: int | None = None, **context: Any) -> list[dict[str, Any]]:
        place = {"start": {"line": line, "character": 0}, "end": {"line": until or line, "character": 0}}
        asked = {"diagnostics": [], "triggerKind": 1, **context}
        params = {"textDocument": {"uri": self.uri}, "range": place, "context": asked}
        return await self.editor.result("textDocument/codeAction", params)

    async def action(self, title: str, line: int = 13, **context: Any) -> dict[str, Any]:
        (found,) = [one for one in await self.actions(line, **context) if one["title"] == title]
        return found

    async def resolve(self, action: dict[str, Any]) -> dict[str, Any]:
        return await self.editor.request("codeAction/resolve", action)

    async def fix(self) -> dict[str, Any]:
        return await self.resolve(await self.action("Fix with AgentInfra", diagnostics=[WRONG]))

    def shown(self) -> list[str]:
        return [params["uri"] for method, params in self.editor.asked if method == "window/showDocument"]

    def told(self) -> list[str]:
        return [note["message"] for note in self.editor.notes.get("window/showMessage", [])]


@asynccontextmanager
async def desk(
    home: Path, capabilities: dict[str, Any] = CAPABILITIES, command: tuple[str, ...] = SCRIPT, **variables: str
) -> AsyncIterator[Desk]:
    folder = home / "project"
    folder.mkdir()
    (folder / "shapes.py").write_text(SOURCE)
    (home / "config.toml").write_text('[models]\ndefault = "client:scripted"\n')
    model = Model()
    async with serving(home, command, **variables) as editor:

        async def yes(_params: Any) -> Any:
            return {"success": True}

        async def done(_params: Any) -> Any:
            return None

        async def no_setting(_params: Any) -> Any:
            return [None]

        async def no_secret(_params: Any) -> Any:
            return {"value": None}

        editor.answers = {
            "agentinfra/lm/request": model.answer,
            "agentinfra/secret/get": no_secret,
            "workspace/configuration": no_setting,
            "window/showDocument": yes,
            "window/workDoneProgress/create": done,
            "workspace/textDocumentContent/refresh": done,
        }
        await editor.initialize(folder, capabilities=capabilities)
        yield Desk(editor, folder, model)
        assert await editor.leave() == 0
    assert processes_of(home) == set()


def titles(actions: list[dict[str, Any]]) -> list[str]:
    return [one["title"] for one in actions]


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after edits, as an editor applies them."""
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]

    def at(place: dict[str, int]) -> int:
        return starts[place["line"]] + place["character"]

    for edit in sorted(edits, key=lambda one: at(one["range"]["start"]), reverse=True):
        text = text[: at(edit["range"]["start"])] + edit["newText"] + text[at(edit["range"]["end"]) :]
    return text


async def test_what_is_offered_depends_on_the_place_and_on_what_was_asked_for(tmp_path):
    async with desk(tmp_path) as at:
        assert await at.actions() == []  # it is not open
        at.open()
        everything = ["Write tests for double", "Explain double", "Review double"]
        assert titles(await at.actions(13)) == everything
        assert titles(await at.actions(9)) == [
            "Implement Circle.area",
            *(one.replace("double", "Circle.area") for one in everything),
        ]
        assert titles(await at.actions(0)) == ["Explain shapes.py", "Review shapes.py"]
        assert titles(await at.actions(9, triggerKind=2)) == ["Implement Circle.area"]
        assert titles(await at.actions(13, triggerKind=2)) == []
        assert titles(await at.actions(13, only=["quickfix"], diagnostics=[WRONG])) == ["Fix with AgentInfra"]
        assert titles(await at.actions(9, only=["refactor"])) == ["Implement Circle.area"]
        assert titles(await at.actions(13, only=["source"])) == everything
        assert titles(await at.actions(13, only=["source.agentinfra.review"])) == ["Review double"]
        assert titles(await at.actions(13, only=["source.organizeImports"])) == []
        assert titles(await at.actions(13, only=["sourcery"])) == []

        (fix, *_) = await at.actions(13, diagnostics=[WRONG])
        assert fix["diagnostics"] == [WRONG] and fix["kind"] == "quickfix" and fix["tags"] == [1]
        assert "edit" not in fix and "command" not in fix and "isPreferred" not in fix
        at.type(f"# {MARK}: write it\n", 2)
        assert titles(await at.actions(0, triggerKind=2)) == [f"Implement {MARK}"]
        assert at.model.asked == []


async def test_a_specification_has_actions_of_its_own(tmp_path):
    async with desk(tmp_path) as at:
        spec = at.folder / "spec.md"
        text = "# Tea\n\n## Requirements\n\n### FR-1 · Brew\n\nBrews fast.\n"
        at.uri = spec.as_uri()
        at.open(text)
        assert not [one for one in await at.actions(4) if one["title"].startswith(("Explain", "Review"))]
        assert await at.actions(4, only=["source"]) == []


async def test_a_fix_is_resolved_to_a_versioned_annotated_edit(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        at.type(SOURCE, 7)
        at.model.replies = [FIX]

        async def chosen(params: Any) -> Any:
            assert params == {"items": [{"scopeUri": at.uri, "section": "agentinfra.model"}]}
            return ["client:chosen"]

        at.editor.answers["workspace/configuration"] = chosen
        result = (await at.fix())["result"]
        ((change,), notes) = result["edit"]["documentChanges"], result["edit"]["changeAnnotations"]
        assert change["textDocument"] == {"uri": at.uri, "version": 7}
        assert applied(SOURCE, change["edits"]) == FIXED
        assert len(change["edits"]) == 1 and change["edits"][0]["range"]["start"] == {"line": 13, "character": 0}
        assert {edit["annotationId"] for edit in change["edits"]} == set(notes)
        (note,) = notes.values()
        assert note["label"] == "Fix with AgentInfra" and note["description"] == "AgentInfra, client:chosen"
        assert "line 14: error pytest E1: double(2) is 5" in at.model.asked[0]
        assert at.path.read_text() == SOURCE


async def test_an_implementation_takes_the_place_of_its_stub(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        at.model.replies = ["```python\ndef area(self):\n    return 3 * self.radius**2\n```"]
        result = (await at.resolve(await at.action("Implement Circle.area", 9)))["result"]
        (change,) = result["edit"]["documentChanges"]
        new = applied(SOURCE, change["edits"])
        assert "    def area(self):\n        return 3 * self.radius**2\n" in new
        assert "NotImplementedError" not in new and "def double" in new


async def test_tests_are_a_new_file_or_more_of_the_one_that_is_there(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        at.model.replies = [
            "```python\nfrom shapes import double\n\n\ndef test_double():\n    assert double(2) == 4\n```"
        ]
        result = (await at.resolve(await at.action("Write tests for double")))["result"]
        create, change = result["edit"]["documentChanges"]
        uri = (at.folder / "tests" / "test_shapes.py").as_uri()
        assert (create["kind"], create["uri"], change["textDocument"]) == ("create", uri, {"uri": uri, "version": None})
        assert "assert double(2) == 4" in applied("", change["edits"])

        there = "from shapes import Circle\n\n\ndef test_circle():\n    assert Circle(1).radius == 1\n"
        (at.folder / "test_shapes.py").write_text(there)
        result = (await at.resolve(await at.action("Write tests for double")))["result"]
        (change,) = result["edit"]["documentChanges"]
        new = applied(there, change["edits"])
        assert new.count("def test_") == 2 and change["textDocument"]["uri"].endswith("project/test_shapes.py")


async def test_what_is_explained_is_shown_as_a_document_without_a_file(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        at.model.replies = ["It doubles.", "One too many."]
        for title, text in (("Explain double", "It doubles.\n"), ("Review double", "One too many.\n")):
            before = len(at.shown())
            assert "edit" not in (await at.resolve(await at.action(title)))["result"]
            await at.editor.until(lambda before=before: len(at.shown()) > before)
            found = await at.editor.result("workspace/textDocumentContent", {"uri": at.shown()[-1]})
            assert found == {"text": text}
        assert at.shown()[0].startswith("agentinfra:/")
        gone = await at.editor.request("workspace/textDocumentContent", {"uri": "agentinfra:/nothing"})
        assert gone["error"]["code"] == -32602


async def test_an_editor_that_can_do_less_gets_commands_plain_edits_and_files(tmp_path):
    plain = {
        "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}}}},
        "workspace": {"applyEdit": True},
        "experimental": {"agentinfra": {"version": 1, "models": True}},
    }
    async with desk(tmp_path, plain) as at:
        at.open()
        edits: list[Any] = []

        async def apply(params: Any) -> Any:
            edits.append(params)
            return {"applied": True}

        at.editor.answers["workspace/applyEdit"] = apply
        at.model.replies = [FIX, "It doubles."]
        action = await at.action("Fix with AgentInfra", diagnostics=[WRONG])
        assert action["command"]["command"] == "agentinfra.act" and "data" not in action and "tags" not in action
        await at.editor.result("workspace/executeCommand", action["command"])
        await at.editor.until(lambda: edits)
        assert applied(SOURCE, edits[0]["edit"]["changes"][at.uri]) == FIXED
        await at.editor.result("workspace/executeCommand", (await at.action("Explain double"))["command"])
        (told,) = await at.editor.until(at.told)
        assert (
            told.startswith("Explain double: file://")
            and Path(told.partition("file://")[2]).read_text() == "It doubles.\n"
        )


async def test_an_editor_that_knows_commands_alone_gets_these(tmp_path):
    async with desk(tmp_path, {"experimental": {"agentinfra": {"version": 1, "models": True}}}) as at:
        at.open()
        found = await at.actions(9)
        assert [sorted(one) for one in found] == [["arguments", "command", "title"]] * 4
        assert {one["command"] for one in found} == {"agentinfra.act"}


async def test_a_process_that_dies_is_told_of_and_another_takes_its_place(tmp_path):
    async with desk(tmp_path) as at:
        at.open()

        async def die() -> str:
            for process in processes_of(tmp_path) - {str(at.editor.process.pid)}:
                os.kill(int(process), signal.SIGKILL)
            return FIX

        at.model.replies = [die]
        refused = await at.fix()
        assert refused["error"]["message"].startswith("The process of the code actions ended")
        at.model.replies = [FIX]
        assert "edit" in (await at.fix())["result"]


async def test_what_takes_too_long_goes_on_and_offers_its_edit_when_it_is_done(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        edits: list[Any] = []
        go_on = asyncio.Event()

        async def apply(params: Any) -> Any:
            edits.append(params)
            return {"applied": True}

        async def late() -> str:
            await go_on.wait()
            return FIX

        at.editor.answers["workspace/applyEdit"] = apply
        at.model.replies = [late]
        action = await at.action("Fix with AgentInfra", diagnostics=[WRONG])
        begun = asyncio.get_running_loop().time()
        reply = await at.resolve(action)
        assert "edit" not in reply["result"] and asyncio.get_running_loop().time() - begun < 5.5
        await at.editor.until(lambda: at.editor.notes.get("$/progress"))
        assert at.editor.notes["$/progress"][0]["value"]["title"] == "AgentInfra: Fix with AgentInfra"
        go_on.set()
        await at.editor.until(lambda: edits)
        assert edits[0]["label"] == "Fix with AgentInfra"
        assert applied(SOURCE, edits[0]["edit"]["documentChanges"][0]["edits"]) == FIXED
        assert at.editor.notes["$/progress"][-1]["value"]["kind"] == "end"
        async with asyncio.timeout(10):
            while (known := (await at.editor.result("agentinfra/run/get", {}))["actions"])[0]["state"] == "working":
                await asyncio.sleep(0.05)
        assert [(one["title"], one["state"], one["reason"]) for one in known] == [("Fix with AgentInfra", "done", "")]


async def test_what_went_on_when_the_server_died_is_shown_as_interrupted_by_the_next(tmp_path):
    async def never() -> str:
        await asyncio.sleep(600)
        return FIX

    with pytest.raises(ConnectionError):
        async with desk(tmp_path) as at:
            at.open()
            at.model.replies = [never]
            await at.resolve(await at.action("Explain double"))
            async with asyncio.timeout(20):
                while not (known := (await at.editor.result("agentinfra/run/get", {}))["actions"]):
                    await asyncio.sleep(0.05)
            at.editor.process.kill()
            raise ConnectionError
    (working,) = known
    assert (working["title"], working["state"]) == ("Explain double", "working")
    async with serving(tmp_path) as editor:
        await editor.initialize(tmp_path / "project", ours=True)
        listed = await editor.result("agentinfra/run/get", {})
        assert listed["actions"] == [{**working, "state": "interrupted"}]
        assert listed["runs"] == []
        assert await editor.leave() == 0


async def test_a_document_that_was_changed_meanwhile_is_left_alone(tmp_path):
    async with desk(tmp_path) as at:
        at.open()

        async def while_typing() -> str:
            at.type(SOURCE + "# mine\n", 2)
            await asyncio.sleep(0.1)
            return FIX

        at.model.replies = [while_typing]
        stale = await at.action("Fix with AgentInfra", diagnostics=[WRONG])
        refused = await at.resolve(stale)
        assert refused["error"]["code"] == -32801 and "has changed since" in refused["error"]["message"]
        assert (await at.resolve(stale))["error"]["code"] == -32801
        assert len(at.model.asked) == 1
        # A client whose numbers do not grow.
        at.model.replies = [while_typing]
        at.type(SOURCE, 2)
        assert (await at.fix())["error"]["code"] == -32801


BAD = {
    "I would rather not.": "The reply holds no Python",
    FIX.replace("shapes.py", "../other.py"): "other.py",
    FIX.replace("shapes.py", "setup.py"): "The reply changes setup.py",
    FIX.replace("number + 1", "nonsense"): "do not fit",
    "shapes.py\n<<<<<<< SEARCH\n    return number": "cut",
    FIX.replace("    return number + number\n", "    return (\n"): "would not be Python",
}


async def test_what_a_model_answers_wrongly_is_told_and_changes_nothing(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        for reply, said in BAD.items():
            at.model.replies, at.model.asked = [reply], []
            refused = await at.fix()
            assert refused["error"]["code"] == -32803, refused
            assert said in refused["error"]["message"], refused
            assert len(at.model.asked) == 2 and "could not be used" in at.model.asked[1]
        at.model.replies = [FIX]
        assert "edit" in (await at.fix())["result"]


async def test_a_model_that_fails_is_told_of(tmp_path):
    async with desk(tmp_path) as at:
        at.open()

        async def refuse() -> str:
            raise Refusal(-33001, "the person said no")

        at.model.replies = [refuse]
        assert "may not be asked" in (await at.fix())["error"]["message"]
        await at.resolve(await at.action("Explain double"))
        (told,) = await at.editor.until(at.told)
        assert told.startswith("Explain double: ") and "may not be asked" in told


async def test_a_withdrawn_action_is_not_gone_on_with(tmp_path):
    async with desk(tmp_path) as at:
        at.open()

        async def endless() -> str:
            await asyncio.Event().wait()
            return ""

        at.model.replies = [endless]
        action = await at.action("Fix with AgentInfra", diagnostics=[WRONG])
        asking = asyncio.create_task(at.editor.request("codeAction/resolve", action, "mine"))
        await at.editor.until(lambda: at.model.asked)
        at.editor.notify("$/cancelRequest", {"id": "mine"})
        assert (await asking)["error"]["code"] == -32800
        await at.editor.until(lambda: at.editor.notes.get("$/cancelRequest"))

        # So many at once, and no more; they end with the server.
        data = (await at.action("Explain double"))["data"]
        command = {"command": "agentinfra.act", "arguments": [data]}
        told = [await at.editor.request("workspace/executeCommand", command) for _ in range(20)]
        assert "16 code actions are at work" in told[-1]["error"]["message"] and "result" in told[0]

        # Where its progress is shown, it can be stopped as well.
        begun = await at.editor.until(lambda: at.editor.notes.get("$/progress"))
        at.editor.notify("window/workDoneProgress/cancel", {"token": begun[0]["token"]})
        ended = {"token": begun[0]["token"], "value": {"kind": "end"}}
        await at.editor.until(lambda: ended in at.editor.notes["$/progress"])
        assert at.told() == []


async def test_without_a_model_or_trust_the_actions_say_why_they_cannot_be_done(tmp_path):
    without = {**CAPABILITIES, "experimental": {}}
    async with desk(tmp_path, without, ALONE, **NO_MODEL, AGENTINFRA_MODEL_DIR=str(tmp_path)) as at:
        (tmp_path / "config.toml").write_text("")
        at.open()
        found = await at.actions(9)
        assert len(found) == 4
        assert all("No model is configured" in one["disabled"]["reason"] for one in found)
    untrusted = {**CAPABILITIES, "experimental": {"agentinfra": {**OURS, "trust": True}}}
    (tmp_path / "other").mkdir()
    async with desk(tmp_path / "other", untrusted) as at:
        at.open()
        found = await at.actions(9)
        assert {one["disabled"]["reason"] for one in found} == {"The workspace is not trusted"}
        data = {"uri": at.uri, "version": 1, "title": "T", "what": "fix", "first": 0, "last": 0, "problems": []}
        assert "not trusted" in (await at.resolve({"title": "T", "data": data}))["error"]["message"]
        assert at.model.asked == []
        at.editor.notify("agentinfra/trust/granted", {})
        async with asyncio.timeout(10):
            while "disabled" in (await at.actions(9))[0]:
                await asyncio.sleep(0.05)


async def test_wrong_data_is_answered_with_what_is_wrong(tmp_path):
    async with desk(tmp_path) as at:
        at.open()
        action = await at.action("Explain double")
        for change, said in (({"version": "x"}, "version"), ({"uri": "file:///etc/passwd"}, "changed since")):
            refused = await at.resolve({**action, "data": {**action["data"], **change}})
            assert said in refused["error"]["message"]
        refused = await at.resolve({**action, "data": {**action["data"], "agent": "Nobody"}})
        assert "There is no agent 'Nobody'" in refused["error"]["message"]
        unknown = {"title": "Somebody's", "data": {"theirs": 1}}
        assert "error" in await at.resolve(unknown)
        assert (await at.resolve({"title": "No data"}))["result"]["title"] == "No data"


ACTING = """
import os
from pathlib import Path

from agentinfra.agents.code_actions import ActionAnswer, OfferedAction

Path(os.environ["SEEN"], f"imported-{os.getpid()}").touch()


class Capitals:
    name = "Capitals"

    def code_actions(self):
        return [
            OfferedAction("shout", "Shout", "refactor.rewrite.shout", "selection", ("*.py",)),
            OfferedAction("ask", "Ask around", "source"),
        ]

    async def perform(self, request, model):
        if request.what == "shout":
            return ActionAnswer(files={request.path: request.text.replace("Shapes", "SHAPES")})
        return f"They say: {request.path}"
"""


async def test_an_installed_packages_agent_is_listed_by_name_and_acts_in_its_own_process(tmp_path):
    seen, site = tmp_path / "seen", tmp_path / "site"
    info = site / "capitals-1.0.dist-info"
    for folder in (seen, info):
        folder.mkdir(parents=True)
    (site / "capitals.py").write_text(ACTING)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: capitals\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[agentinfra.code_actions]\ncapitals = capitals:Capitals\n")
    trusting = {**CAPABILITIES, "experimental": {"agentinfra": {**OURS, "trust": True}}}
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    async with desk(tmp_path, trusting, PYTHONPATH=path, SEEN=str(seen)) as at:
        at.open()
        await at.actions()
        await asyncio.sleep(1)  # long enough for a process that must not be
        assert processes_of(tmp_path) == {str(at.editor.process.pid)}
        at.editor.notify("agentinfra/trust/granted", {})
        async with asyncio.timeout(30):
            while "Capitals: Ask around" not in titles(await at.actions()):
                await asyncio.sleep(0.1)
        assert "Capitals: Shout" not in titles(await at.actions())
        assert titles(await at.actions(13, 14, only=["refactor"])) == ["Capitals: Shout"]
        assert [one.name for one in seen.iterdir()] != [f"imported-{at.editor.process.pid}"]

        (shout,) = await at.actions(13, 14, only=["refactor"])
        (change,) = (await at.resolve(shout))["result"]["edit"]["documentChanges"]
        assert applied(SOURCE, change["edits"]) == SOURCE.replace("Shapes", "SHAPES")
        (ask,) = [one for one in await at.actions() if one["title"] == "Capitals: Ask around"]
        assert "edit" not in (await at.resolve(ask))["result"]
        found = await at.editor.result("workspace/textDocumentContent", {"uri": at.shown()[-1]})
        assert found == {"text": "They say: shapes.py"}
        assert at.model.asked == []
