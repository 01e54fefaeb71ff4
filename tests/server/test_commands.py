"""The verbs as an editor without any extension sends them."""

from __future__ import annotations

import asyncio
import subprocess

from tests.server.editor import Editor, serving
from tests.server.test_runs import START

DISPLAY = {"window": {"workDoneProgress": True}}


async def command(editor: Editor, verb: str, *arguments: object):
    return await editor.request(
        "workspace/executeCommand", {"command": f"agentinfra.{verb}", "arguments": [*arguments]}
    )


async def test_a_whole_run_by_commands_with_progress(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    async with serving(tmp_path) as editor:
        later = asyncio.Event()

        async def nobody_chooses(_params):
            await later.wait()

        async def create(_params):
            return None

        editor.answers = {"window/showMessageRequest": nobody_chooses, "window/workDoneProgress/create": create}
        offered = (await editor.initialize(folder, capabilities=DISPLAY))["capabilities"]
        verbs = {name.removeprefix("agentinfra.") for name in offered["executeCommandProvider"]["commands"]}
        assert {"plan", "approve", "reject", "stop", "resume", "accept", "drop", "undo", "redo"} <= verbs

        run = (await command(editor, "plan", START))["result"]["runId"]
        await editor.until(lambda: [one for one, _ in editor.asked if one == "window/showMessageRequest"])
        assert (await command(editor, "approve"))["result"] == {"state": "building"}
        await editor.until(lambda: [one for one in shown(editor) if one["kind"] == "end"], 120)
        values = shown(editor)
        assert values[0]["kind"] == "begin" and values[0]["cancellable"]
        assert values[-1] == {"kind": "end", "message": "done"}
        assert "4/4 tasks" in [one.get("message") for one in values]
        assert sorted(percent := [one["percentage"] for one in values[:-1]]) == percent
        assert {note["token"] for note in editor.notes["$/progress"]} == {f"agentinfra-{run}"}

        refused = await command(editor, "approve")
        assert refused["error"]["message"].startswith("No run waits for an approval")
        while "result" not in (accepted := await command(editor, "accept", {"runId": run})):
            await asyncio.sleep(0.1)
        assert len(accepted["result"]["commit"]) == 40
        log = subprocess.run(["git", "-C", folder, "log", "--oneline"], capture_output=True, text=True, check=True)
        assert len(log.stdout.splitlines()) > 4
        assert await editor.leave() == 0


async def test_cancelling_the_progress_stops_the_run(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    async with serving(tmp_path) as editor:

        async def create(_params):
            return None

        async def approve(_params):
            return {"title": "Approve & build"}

        editor.answers = {"window/showMessageRequest": approve, "window/workDoneProgress/create": create}
        await editor.initialize(folder, capabilities=DISPLAY)
        run = (await command(editor, "plan", START))["result"]["runId"]
        await editor.until(lambda: [one for one in shown(editor) if "tasks" in one.get("message", "")], 60)
        editor.notify("window/workDoneProgress/cancel", {"token": "somebody else's"})
        editor.notify("window/workDoneProgress/cancel", {"token": f"agentinfra-{run}"})
        await editor.until(lambda: [one for one in shown(editor) if one["kind"] == "end"], 60)
        assert shown(editor)[-1]["message"] == "stopped"
        resumed = await command(editor, "resume")
        assert resumed["result"]["state"] in ("building", "stopped")
        assert (await command(editor, "stop"))["result"] == {"state": "stopped"}


async def test_commands_say_what_is_wrong(tmp_path):
    async with serving(tmp_path) as editor:
        await editor.initialize()
        refused = await command(editor, "plan", {"prompt": "a thing"})
        assert refused["error"]["message"] == "No folder is open. Open the folder to work in."
        refused = await command(editor, "plan", "a thing")
        assert refused["error"]["message"] == "params is an object"
        refused = await command(editor, "fly")
        assert refused["error"]["code"] == -32602


def shown(editor: Editor):
    return [note["value"] for note in editor.notes.get("$/progress", [])]
