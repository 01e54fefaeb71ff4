"""Runs over our own methods, with the demo's recording in the place of a model."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pygls.uris import to_fs_path

from agentinfra.spec.front_matter import body_sha
from tests.server.editor import Editor, serving

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "tests" / "e2e" / "recordings" / "demo.jsonl"
IDEA = (ROOT / "examples" / "demo_idea.md").read_text("utf-8")
START = {"prompt": IDEA, "replay": DEMO.as_uri(), "initialize": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def events(editor: Editor) -> list[dict[str, Any]]:
    return [event for update in editor.notes.get("agentinfra/run/update", []) for event in update["events"]]


def state(editor: Editor) -> str:
    updates = editor.notes.get("agentinfra/run/update", [])
    return updates[-1]["state"] if updates else ""


def added_up(editor: Editor) -> dict[str, Any]:
    """The tasks as a client has them that keeps the newest of each."""
    views = [update["view"] for update in editor.notes.get("agentinfra/run/update", [])]
    return {task["id"]: task for view in views for task in view["tasks"]}


async def approve(editor: Editor, run: str) -> None:
    sha = await editor.until(
        lambda: [event["data"]["spec"]["sha"] for event in events(editor) if event["data"].get("spec")]
    )
    await editor.until(lambda: state(editor) == "awaiting_approval")
    while True:
        reply = await editor.request(
            "agentinfra/plan/decide", {"runId": run, "decision": "approve", "specSha": sha[-1]}
        )
        if "result" in reply:
            assert reply["result"] == {"state": "building"}
            return
        assert "does not wait" in reply["error"]["message"], reply


async def test_a_run_from_the_idea_to_the_merged_commit(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        run = (await editor.result("agentinfra/run/start", START))["runId"]
        await approve(editor, run)
        await editor.until(lambda: editor.notes.get("agentinfra/run/ended"), 120)
        assert editor.notes["agentinfra/run/ended"] == [{"runId": run, "code": 0, "message": "", "why": "", "next": ""}]
        await editor.until(lambda: state(editor) == "done")
        seen = events(editor)
        assert [event["seq"] for event in seen] == list(range(seen[0]["seq"], seen[-1]["seq"] + 1))

        everything = await editor.result("agentinfra/run/get", {"runId": run, "limit": 5000})
        assert everything["state"] == "done"
        assert everything["lastSeq"] == seen[-1]["seq"] == len(everything["events"])
        assert everything["events"][-3:] == seen[-3:]
        part = await editor.result("agentinfra/run/get", {"runId": run, "sinceSeq": 5, "limit": 3})
        assert [event["seq"] for event in part["events"]] == [6, 7, 8]
        shown = await editor.result("agentinfra/run/view", {})
        assert shown["runId"] == run and shown["specUri"].startswith("file://")
        assert shown["taskIds"] == [task["id"] for task in shown["tasks"]] == ["T-1", "T-2", "T-3", "T-4"]
        assert {task["state"] for task in shown["tasks"]} == {"done"}
        assert all(task["green"] and task["commit"] for task in shown["tasks"])
        assert added_up(editor) == {task["id"]: task for task in shown["tasks"]}
        commit = shown["tasks"][0]["commit"]
        seen_file = await editor.result("agentinfra/change/show", {"commit": commit, "path": "pace.py"})
        assert seen_file["before"] == "" and "def walking_minutes" in seen_file["after"]
        unknown = await editor.request("agentinfra/change/show", {"commit": "0" * 40, "path": "pace.py"})
        assert unknown["error"]["code"] == -32803
        listed = (await editor.result("agentinfra/run/get", {}))["runs"]
        assert listed == [{"runId": run, "state": "done", "idea": IDEA, "isLive": False}]

        undone = await editor.result("agentinfra/change/decide", {"runId": run, "decision": "undo", "taskIds": ["T-4"]})
        assert undone["taskIds"] == ["T-4"]
        redone = await editor.result("agentinfra/change/decide", {"runId": run, "decision": "redo"})
        assert redone["taskIds"] == ["T-4"]
        accepted = await editor.result("agentinfra/change/decide", {"runId": run, "decision": "accept"})
        head = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        assert head.stdout.strip() == accepted["commit"]
        assert await editor.leave() == 0


async def test_a_server_that_dies_loses_nothing_and_leaves_nothing(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        run = (await editor.result("agentinfra/run/start", START))["runId"]
        await approve(editor, run)
        await editor.until(lambda: len(events(editor)) > 25, 120)
        children = processes_of(tmp_path)
        assert children
    while still := processes_of(tmp_path) & children:
        assert len(still) <= len(children)

    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        (listed,) = (await editor.result("agentinfra/run/get", {}))["runs"]
        assert (listed["runId"], listed["isLive"]) == (run, False)
        await editor.result("agentinfra/run/control", {"runId": run, "action": "resume"})
        stopped = await editor.result("agentinfra/run/control", {"runId": run, "action": "stop"})
        assert stopped["state"] == "stopped"
        await editor.result("agentinfra/run/control", {"runId": run, "action": "resume"})
        assert await editor.leave() == 0
    assert processes_of(tmp_path) == set()


async def test_an_approval_is_bound_to_what_was_seen(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        run = (await editor.result("agentinfra/run/start", START))["runId"]
        await editor.until(lambda: state(editor) == "awaiting_approval")
        decision = {"runId": run, "decision": "approve", "specSha": "0" * 64}
        while (reply := await editor.request("agentinfra/plan/decide", decision))["error"]["code"] != -32801:
            assert "does not wait" in reply["error"]["message"]
        assert state(editor) == "awaiting_approval"
        assert await editor.leave() == 0


async def test_a_plain_editor_is_asked_by_message_boxes(tmp_path, folder):
    async with serving(tmp_path) as editor:

        async def reject(params):
            assert [action["title"] for action in params["actions"]] == ["Approve & build", "Reject"]
            return {"title": "Reject"}

        async def show(params):
            assert params["uri"].endswith("/spec.md")
            return {"success": True}

        editor.answers = {"window/showMessageRequest": reject, "window/showDocument": show}
        await editor.initialize(folder, capabilities={"window": {"showDocument": {"support": True}}})
        run = (await editor.result("agentinfra/run/start", START))["runId"]
        await editor.until(lambda: editor.notes.get("window/showMessage"))
        assert "The specification was not approved" in editor.notes["window/showMessage"][0]["message"]
        assert "agentinfra/run/update" not in editor.notes
        assert [method for method, _ in editor.asked] == ["window/showDocument", "window/showMessageRequest"]
        assert (await editor.result("agentinfra/run/get", {"runId": run}))["state"] in ("failed", "stopped")


@pytest.mark.parametrize(
    ("method", "params", "said"),
    [
        ("run/start", {"prompt": 5}, "prompt: Input should be a valid string"),
        ("run/start", None, "params is an object"),
        ("run/start", {"prompt": "x", "mode": "wild"}, "mode: Input should be 'plan'"),
        ("run/start", {"prompt": "x", "folder": "file:///elsewhere"}, "is no open folder"),
        ("run/get", {"runId": "nothing"}, "There is no run nothing"),
        ("run/get", {"sinceSeq": "1"}, "sinceSeq: Input should be a valid integer"),
        ("plan/decide", {"runId": "x"}, "decision: Field required; specSha: Field required"),
        ("plan/decide", {"runId": "x", "decision": "approve", "specSha": ""}, "does not wait for an approval"),
        ("change/decide", {"runId": "x", "decision": "accept"}, "No run begins with 'x'"),
    ],
)
async def test_what_cannot_be_done_is_answered_with_the_reason(tmp_path, folder, method, params, said):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        reply = await editor.request(f"agentinfra/{method}", params)
        assert reply["error"]["code"] == -32602, reply
        assert said in reply["error"]["message"]


def processes_of(home: Path) -> set[str]:
    """Ids of processes that carry the folder in their environment."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"={home}".encode() in (process / "environ").read_bytes() and (process / "cmdline").read_bytes():
                found.add(process.name)
        except OSError:
            continue
    return found


async def test_an_unattended_run_asks_nothing(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        await editor.result("agentinfra/run/start", {**START, "mode": "unattended"})
        await editor.until(lambda: editor.notes.get("agentinfra/run/ended"), 120)
        await editor.until(lambda: state(editor) == "done")
        (approval,) = [event for event in events(editor) if event["kind"] == "approval"]
        assert approval["data"]["by"] == "--yes"
        assert await editor.leave() == 0


@pytest.mark.parametrize("by_command", [False, True])
async def test_what_was_edited_after_the_question_is_approved_as_it_is_now_at_once(tmp_path, folder, by_command):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        run = (await editor.result("agentinfra/run/start", START))["runId"]
        await editor.until(lambda: state(editor) == "awaiting_approval")
        before = await editor.result("agentinfra/run/view", {"runId": run})
        spec = Path(str(to_fs_path(before["specUri"])))
        edited = spec.read_text("utf-8") + "\nA word of mine.\n"
        spec.write_text(edited, "utf-8")
        stale = {"runId": run, "decision": "approve", "specSha": before["specSha"]}
        while "does not wait" in (
            refused := (await editor.request("agentinfra/plan/decide", stale))["error"]["message"]
        ):
            pass  # the state is told before the question is put
        assert "hash" in refused
        seen = await editor.result("agentinfra/run/view", {"runId": run})
        assert seen["specSha"] == body_sha(edited)
        if by_command:
            await editor.result("workspace/executeCommand", {"command": "agentinfra.approve", "arguments": []})
        else:
            await editor.result("agentinfra/plan/decide", {**stale, "specSha": seen["specSha"]})
        approval = await editor.until(lambda: [one for one in events(editor) if one["kind"] == "approval"])
        assert approval[0]["data"]["spec_sha"] == body_sha(edited)
