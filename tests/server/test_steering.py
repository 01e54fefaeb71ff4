"""A person steers a run: tasks done again, words to those at work; with a scripted provider in the place of a model."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.place import until
from tests.e2e.provider import CODE, SHORT, Provider
from tests.server.editor import Editor, serving
from tests.server.test_commands import command
from tests.server.test_runs import approve, events, state

WRONG = CODE.replace("// 2", "// 3")
NOTE = "Divide by two."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def asked(provider: Provider) -> list[str]:
    return [json.dumps(body["messages"]) for body in provider.asked("code")]


def hears(body: dict[str, Any]) -> str:
    return CODE if NOTE in json.dumps(body["messages"]) else WRONG


def at(provider: Provider) -> dict[str, str]:
    return {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{provider.port}/v1"}


async def start(editor: Editor, folder: Path) -> str:
    await editor.initialize(folder, ours=True)
    idea = {"prompt": SHORT, "model": "openai:gpt-4o", "initialize": True}
    run = (await editor.result("agentinfra/run/start", idea))["runId"]
    await approve(editor, run)
    return run


async def view(editor: Editor, run: str) -> dict[str, Any]:
    return await editor.result("agentinfra/run/view", {"runId": run})


async def over(editor: Editor, times: int = 1) -> list[int]:
    """The codes with which the run's processes ended."""
    ended = await editor.until(lambda: (notes := editor.notes.get("agentinfra/run/ended", []))[times - 1 :] and notes)
    await editor.until(lambda: state(editor) == "done")
    return [one["code"] for one in ended]


async def test_a_blocked_task_is_done_again_with_a_note(tmp_path, folder):
    with Provider({"code": hears}) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            run = await start(editor, folder)
            assert await over(editor) == [1]
            (task,) = (await view(editor, run))["tasks"]
            assert (task["state"], task["retries"]) == ("blocked", 0)
            wish = {"runId": run, "taskId": "T-1", "note": NOTE}
            assert (await editor.result("agentinfra/task/retry", wish))["taskIds"] == ["T-1"]
            assert await over(editor, 2) == [1, 0]
            shown = await view(editor, run)
            assert [event["seq"] for event in events(editor)] == list(range(events(editor)[0]["seq"], shown["seq"] + 1))
            (task,) = shown["tasks"]
            assert (task["state"], task["retries"], task["attempt"]) == ("done", 1, 1)
            (said,) = shown["instructions"]
            assert (said["text"], said["taskId"], said["usedBy"]) == (NOTE, "T-1", ["T-1"])
            again = await editor.request("agentinfra/task/retry", wish)
            assert "T-1 is done. Take it off the branch first" in again["error"]["message"]
            assert await editor.leave() == 0
        assert [NOTE in one for one in asked(provider)] == [False, False, False, True]


async def test_words_reach_the_request_at_hand_and_are_shown_as_waiting_and_used(tmp_path, folder):
    gate = tmp_path / "gate"

    def slow(body: dict[str, Any]) -> Iterator[str] | str:
        return hears(body) if NOTE in json.dumps(body["messages"]) else _until(gate)

    with Provider({"code": slow}) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            run = await start(editor, folder)
            await editor.until(lambda: [one for one in events(editor) if one["data"].get("id") == "code T-1"])
            next_time = await editor.result("agentinfra/run/send", {"runId": run, "text": " Be brief. "})
            assert next_time["position"] == 1
            (waiting,) = (await view(editor, run))["instructions"]
            assert (waiting["text"], waiting["when"], waiting["usedBy"]) == ("Be brief.", "next", [])
            assert len(asked(provider)) == 1
            now = {"runId": run, "taskId": "T-1", "text": NOTE, "when": "now"}
            assert (await editor.result("agentinfra/run/send", now))["position"] == 2
            assert await over(editor) == [0]
            first, second = (await view(editor, run))["instructions"]
            assert first["usedBy"] == second["usedBy"] == ["T-1"]
            late = await editor.request("agentinfra/run/send", {"runId": run, "text": "More"})
            assert late["error"]["code"] == -32602
            assert "is over" in late["error"]["message"] and "note" in late["error"]["message"]
            assert await editor.leave() == 0
        assert [("Be brief." in one, NOTE in one) for one in asked(provider)] == [(False, False), (True, True)]


def _until(gate: Path) -> Iterator[str]:
    until(gate.exists)
    yield CODE


@pytest.mark.parametrize(
    ("method", "params", "said"),
    [
        ("task/retry", {"runId": "x", "taskId": "T-1"}, "There is no run x"),
        ("task/retry", {"runId": "x"}, "taskId: Field required"),
        ("run/send", {"runId": "x", "text": "Faster"}, "There is no run x"),
        ("run/send", {"runId": "x", "text": "Faster", "when": "later"}, "when: Input should be 'next' or 'now'"),
    ],
)
async def test_what_cannot_be_done_is_answered_with_the_reason(tmp_path, folder, method, params, said):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        reply = await editor.request(f"agentinfra/{method}", params)
        assert reply["error"]["code"] == -32602, reply
        assert said in reply["error"]["message"]


async def test_the_same_by_commands(tmp_path, folder):
    with Provider({"code": hears}) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            run = await start(editor, folder)
            await over(editor)
            refused = await command(editor, "send", {"text": "Faster"})
            assert f"Run {run} is over" in refused["error"]["message"]
            refused = await command(editor, "retry", {"taskId": "T-2"})
            assert f"There is no task T-2 in run {run}" in refused["error"]["message"]
            assert (await command(editor, "retry", {"taskId": "T-1", "note": NOTE}))["result"] == {"taskIds": ["T-1"]}
            assert await over(editor, 2) == [1, 0]
            assert await editor.leave() == 0


THERE = '''"""Sums."""


def double(n):
    return n + n
'''
SPARE = """```python
import math


def half(n):
    if n < 0 and math.isinf(n):
        return n
    return n // 2
```"""
SHIFT = CODE.replace("n // 2", "n >> 1")


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(("git", *own, "-C", folder, *arguments), capture_output=True, text=True, check=True)
    return done.stdout


def repository(folder: Path) -> None:
    git(folder, "init", "--quiet")
    (folder / "sums.py").write_text(THERE)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Begin")


REFUSED = {
    "The review says nothing": {},
    "sums.py has no hunk 3": {"rejected": [{"path": "sums.py", "hunk": 3}]},
    "T-1 does not change words.py": {"rejected": [{"path": "words.py", "hunk": 1}]},
    "T-9 has no commit": {"taskId": "T-9", "rejected": [{"path": "sums.py", "hunk": 1}]},
    "holds the tests that prove T-1": {"rejected": [{"path": "tests/test_sums_half.py", "hunk": 1}]},
    "sums.py has no line 99": {"comments": [{"path": "sums.py", "line": 99, "text": "No"}]},
    "The message has": {"comments": [{"path": "sums.py", "line": 0, "text": "No" * 2_000}]},
    "There is no run x": {"runId": "x", "rejected": [{"path": "sums.py", "hunk": 1}]},
}


async def test_a_review_takes_lines_back_if_the_tests_allow_and_comments_go_to_the_agent(tmp_path, folder):
    repository(folder)
    code = {"code": lambda body: SHIFT if "Use a shift" in json.dumps(body["messages"]) else SPARE}
    with Provider(code) as provider:
        async with serving(tmp_path, **at(provider)) as editor:
            run = await start(editor, folder)
            assert await over(editor) == [0]
            (task,) = (await view(editor, run))["tasks"]
            shown = await editor.result("agentinfra/change/show", {"commit": task["commit"], "path": "sums.py"})
            lines = shown["after"].splitlines()
            top, bottom = shown["hunks"]
            assert lines[top["afterStart"] : top["afterEnd"]] == ["import math", ""]
            assert "def half(n):" in lines[bottom["afterStart"] : bottom["afterEnd"]]
            about = {"runId": run, "taskId": "T-1"}
            await refused(editor, folder, about)
            await taken_back(editor, folder, about)
            line = next(number for number, one in enumerate(lines) if "// 2" in one)
            comment = {"path": "sums.py", "line": line, "text": "Use a shift."}
            said = {**about, "rejected": [{"path": "sums.py", "hunk": 1}], "comments": [comment]}
            assert (await editor.result("agentinfra/change/review", said))["taskIds"] == ["T-1"]
            assert await over(editor, 2) == [0, 0]
            assert await editor.leave() == 0
        told = asked(provider)[-1]
        assert "They say of `return n // 2`, in sums.py:" in told and "They reject this, in sums.py:" in told
    assert "n >> 1" in git(folder, "show", f"agentinfra/{run}:sums.py")
    assert "def double" in git(folder, "show", f"agentinfra/{run}:sums.py")


async def refused(editor: Editor, folder: Path, about: dict[str, str]) -> None:
    """What cannot be, and what the tests do not allow, changes nothing."""
    branch = f"agentinfra/{about['runId']}"
    tip = git(folder, "rev-parse", branch)
    for why, said in REFUSED.items():
        reply = await editor.request("agentinfra/change/review", {**about, **said})
        assert why in reply["error"]["message"]
    said = {**about, "rejected": [{"path": "sums.py", "hunk": 2}]}
    result = await editor.result("agentinfra/change/review", said)
    assert (result["commit"], result["taskIds"]) == ("", [])
    assert [test.partition("::")[0] for test in result["failing"]] == ["tests/test_sums_half.py"]
    assert git(folder, "rev-parse", branch) == tip


async def taken_back(editor: Editor, folder: Path, about: dict[str, str]) -> None:
    """What no test needs goes, by a commit that says why; once, and by force also what tests need."""
    run = about["runId"]
    said = {**about, "rejected": [{"path": "sums.py", "hunk": 1}]}
    result = await editor.result("agentinfra/change/review", said)
    assert result["failing"] == []
    trailers = git(folder, "log", "-1", "--format=%H %(trailers:only)", f"agentinfra/{run}").split()
    assert trailers == [result["commit"], "AgentInfra-Review:", "T-1", "AgentInfra-Run:", run]
    assert "import math" not in git(folder, "show", f"agentinfra/{run}:sums.py")
    assert "def half" in git(folder, "show", f"agentinfra/{run}:sums.py")
    again = await editor.request("agentinfra/change/review", said)
    assert "taken back already" in again["error"]["message"]
    forced = {**about, "rejected": [{"path": "sums.py", "hunk": 2}], "force": True}
    result = await editor.result("agentinfra/change/review", forced)
    assert result["failing"] and result["commit"]
    assert "def half" not in git(folder, "show", f"agentinfra/{run}:sums.py")
