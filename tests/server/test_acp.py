"""The Agent Client Protocol over a real process: the official client drives runs, a raw one says wrong things."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from acp.exceptions import RequestError
from acp.helpers import embedded_text_resource, resource_block, resource_link_block, text_block

from tests.e2e.provider import SHORT, Provider
from tests.server.acp_editor import Person, RawEditor, editor, raw_editor
from tests.server.test_runs import DEMO, IDEA, processes_of

ROUNDING = {"question": "Which way is it rounded?", "why": "7 is odd", "options": ["down", "up"], "recommended": "down"}
ASKING = {"OpenQuestions": json.dumps({"questions": [ROUNDING]})}
INVALID_PARAMS, METHOD_NOT_FOUND, PARSE_ERROR, NOT_FOUND = -32602, -32601, -32700, -32002
REQUEST_CANCELLED = -32800
DONE = [
    "Specification: Python modules for hiking",
    "BackendEngineer › T-1 Calculate walking time",
    "BackendEngineer › T-2 format_time",
    "BackendEngineer › T-3 Calculate water needed",
    "BackendEngineer › T-4 Format trip description",
    "QA › Review",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def metas(entries: list[Any]) -> dict[str, Any]:
    return {entry.field_meta["agentinfra"]["id"]: entry.field_meta["agentinfra"] for entry in entries}


def state(person: Person) -> str:
    """The run's state by the newest plan."""
    plans = person.updates("plan")
    return plans[-1].field_meta["agentinfra"]["state"] if plans else ""


async def test_a_prompt_becomes_a_run_and_another_process_shows_the_same(tmp_path, folder):
    async with editor(tmp_path, "--init", "--replay", str(DEMO)) as (person, agent):
        session = await agent.new_session(str(folder))
        assert session.modes.current_mode_id == "review"
        answer = await agent.prompt(session.session_id, [text_block(IDEA)])
        assert answer.stop_reason == "end_turn"
        own = answer.field_meta["agentinfra"]
        assert (own["state"], own["costUsd"]) == ("done", 0.0) and own["tokens"] > 1000

        ((call, options),) = person.asked
        assert [option.option_id for option in options] == ["approve", "reject"]
        assert "# Python modules for hiking" in call.content[0].content.text
        calls = {one.tool_call_id: one for one in person.updates("tool_call")}
        assert calls[call.tool_call_id].title == "Approve the specification"
        ended = {one.tool_call_id: one.status for one in person.updates("tool_call_update")}
        assert all(ended.get(name, one.status) == "completed" for name, one in calls.items())
        titles = [one.title for one in calls.values()]
        assert "BackendEngineer › T-1 › code" in titles
        assert any(title.startswith("BackendEngineer › T-1 › tests (red): 0 passed, 3 failed") for title in titles)
        (merged,) = [one for one in calls.values() if one.title == "BackendEngineer › T-2 › merged: format_time"]
        (change,) = [one for one in merged.content if one.path.endswith("/pace.py")]
        assert change.path == str(folder / "pace.py") == merged.locations[0].path
        assert "def format_time" in change.new_text and "def format_time" not in change.old_text
        assert "def walking_minutes" in change.old_text

        assert [entry.content for entry in person.plan] == DONE
        assert {entry.status for entry in person.plan} == {"completed"}
        assert metas(person.plan)["T-4"]["agentPath"] == ["planner", "BackendEngineer", "MicroAgent:T-4"]
        assert metas(person.plan)["T-4"]["parent"] == "spec"
        assert all(metas(person.plan)[f"T-{n}"]["commit"] for n in (1, 2, 3, 4))
        assert len(person.updates("plan")) > len(DONE)
        assert "**Finished: 4 of 4 tasks done.**" in person.said
        plan = person.plan

    async with editor(tmp_path) as (person, agent):
        (listed,) = (await agent.list_sessions(str(folder))).sessions
        assert (listed.session_id, listed.title) == (session.session_id, "Python modules for hiking")
        await agent.load_session(str(folder), session.session_id)
        assert person.told[0].session_update == "user_message_chunk"
        assert person.told[0].content.text == IDEA
        assert person.plan == plan
        assert {one.tool_call_id: one for one in person.updates("tool_call")} == calls
        assert person.said.count("Finished") == 1
        await agent.prompt(session.session_id, [text_block("/undo T-4")])
        assert [entry.status for entry in person.plan].count("completed") == len(DONE) - 1
        await agent.prompt(session.session_id, [text_block("/redo")])
        await agent.prompt(session.session_id, [text_block("/accept")])
        head = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        assert f"Accepted: your branch is at `{head.stdout[:10]}`" in person.said
        assert (folder / "pace.py").exists()


async def test_a_cancelled_run_stops_and_goes_on_in_another_process(tmp_path, folder):
    async with editor(tmp_path, "--init", "--replay", str(DEMO)) as (person, agent):
        session = await agent.new_session(str(folder))

        async def cancel() -> None:
            await person.until(lambda: any(entry.status == "in_progress" for entry in person.plan[1:]))
            await agent.cancel(session.session_id)

        answer, _ = await asyncio.gather(agent.prompt(session.session_id, [text_block(IDEA)]), cancel())
        assert answer.stop_reason == "cancelled"
        assert answer.field_meta["agentinfra"]["state"] == "stopped"
        assert "`/resume` goes on with it" in person.said
        assert len(processes_of(tmp_path)) == 1
        plan = person.plan

    async with editor(tmp_path) as (person, agent):
        await agent.load_session(str(folder), session.session_id)
        assert [entry.content for entry in person.plan] == [entry.content for entry in plan]
        ended = {one.tool_call_id for one in person.updates("tool_call_update")}
        assert {one.tool_call_id for one in person.updates("tool_call") if one.status == "in_progress"} <= ended

        going_on = asyncio.create_task(agent.prompt(session.session_id, [text_block("/resume")]))
        await person.until(lambda: state(person) == "building")
        with pytest.raises(RequestError, match="still at work"):
            await agent.prompt(session.session_id, [text_block("another idea")])
    # The editor left in the middle of it.
    with pytest.raises(ConnectionError):
        await going_on
    assert processes_of(tmp_path) == set()


async def test_a_prompt_ends_whenever_it_is_cancelled_or_withdrawn(tmp_path, folder):
    async with raw_editor(tmp_path, "--init", "--replay", str(DEMO)) as client:

        async def session_in(place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
            place.mkdir(exist_ok=True)
            opened = await client.request("session/new", {"cwd": str(place), "mcpServers": []})
            session = {"sessionId": opened["result"]["sessionId"]}
            prompt = {**session, "prompt": [{"type": "text", "text": IDEA}]}
            return prompt, {"method": "session/cancel", "params": session}

        # A record is replayed once in a folder, should the run have begun before it was cancelled.
        prompt, cancel = await session_in(tmp_path / "other")
        client.say({"id": 5, "method": "session/prompt", "params": prompt})
        client.say(cancel)  # before there is a run
        assert (await client.answer(5))["result"]["stopReason"] == "cancelled"

        prompt, cancel = await session_in(folder)
        client.say({"id": 6, "method": "session/prompt", "params": prompt})
        asked = await client.hear_method("session/request_permission")
        client.say(cancel)
        client.say(cancel)
        withdrawn = await client.hear_method("$/cancel_request")
        assert withdrawn["params"]["requestId"] == asked["id"]
        assert (await client.answer(6))["result"]["stopReason"] == "cancelled"

        prompt["prompt"] = [{"type": "text", "text": "/resume"}]
        client.say({"id": 7, "method": "session/prompt", "params": prompt})
        await client.hear_method("session/request_permission")
        client.say({"method": "$/cancel_request", "params": {"requestId": 7}})
        assert (await client.answer(7))["error"]["code"] == REQUEST_CANCELLED
        assert len(processes_of(tmp_path)) == 1

        client.say({"id": 8, "method": "session/prompt", "params": prompt})
        while len(processes_of(tmp_path)) < 2:
            await asyncio.sleep(0.02)
        client.say(cancel)  # while the run's process starts
        assert (await client.answer(8))["result"]["stopReason"] == "cancelled"
        assert len(processes_of(tmp_path)) == 1
        await client.leave()


async def test_a_question_is_answered_by_an_option(tmp_path, folder):
    with Provider(ASKING) as provider:
        async with editor(tmp_path, "--init", "--mode", "plan", *provider.options) as (person, agent):
            person.choose = lambda _call, options: options[1 if options[0].name.startswith("down") else 0].option_id
            session = await agent.new_session(str(folder))
            answer = await agent.prompt(session.session_id, [text_block(SHORT)])
            assert answer.stop_reason == "end_turn"
            (asked, options), (approval, _) = person.asked
            assert [one.name for one in options] == ["down (recommended)", "up", "In my own words"]
            ended = {one.tool_call_id: one for one in person.updates("tool_call_update")}
            assert ended[asked.tool_call_id].content[0].content.text == "up"
            assert ended[approval.tool_call_id].status == "completed"
            assert person.plan[0].status == "completed"


async def test_what_is_left_open_is_answered_by_the_next_prompt(tmp_path, folder):
    with Provider(ASKING) as provider:
        async with editor(tmp_path, "--init", "--mode", "plan", *provider.options) as (person, agent):
            person.choose = lambda _call, options: "own-words" if len(options) == 3 else ""
            session = await agent.new_session(str(folder))
            assert (await agent.prompt(session.session_id, [text_block(SHORT)])).stop_reason == "end_turn"
            assert "Your next message is the answer." in person.said
            await agent.prompt(session.session_id, [text_block("away from zero")])
            answers = [one.content[0].content.text for one in person.updates("tool_call_update") if one.content]
            assert answers == ["away from zero"]
            assert "Nothing is built before you have approved" in person.said
            await agent.prompt(session.session_id, [text_block("what does it cost?")])
            assert person.said.count("Nothing is built before") == 2
            await agent.prompt(session.session_id, [text_block("Approve.")])
            assert person.plan[0].status == "completed"
            assert "Finished" in person.said


async def test_nothing_is_built_of_a_rejected_specification(tmp_path, folder):
    with Provider() as provider:
        async with editor(tmp_path, "--init", *provider.options) as (person, agent):
            person.choose = lambda _call, _options: "reject"
            session = await agent.new_session(str(folder))
            answer = await agent.prompt(session.session_id, [text_block(SHORT)])
            assert (answer.stop_reason, answer.field_meta["agentinfra"]["state"]) == ("end_turn", "stopped")
            assert "not approved" in person.said
            assert not provider.asked("code")
            (call, _options) = person.asked[0]
            (ended,) = [one for one in person.updates("tool_call_update") if one.tool_call_id == call.tool_call_id]
            assert ended.status == "failed"


async def test_a_run_that_dies_is_told_and_can_be_taken_up(tmp_path, folder):
    async with editor(tmp_path, "--init", "--replay", str(DEMO)) as (person, agent):
        session = await agent.new_session(str(folder))
        prompt = asyncio.create_task(agent.prompt(session.session_id, [text_block(IDEA)]))
        await person.until(lambda: state(person) == "building")
        for process in processes_of(tmp_path):
            if b"agentinfra.cli.engine" in Path(f"/proc/{process}/cmdline").read_bytes():
                os.kill(int(process), signal.SIGKILL)
        assert (await prompt).stop_reason == "end_turn"
        assert "The run's process died." in person.said
    async with editor(tmp_path) as (person, agent):
        await agent.load_session(str(folder), session.session_id)
        assert state(person) == "building"
        assert "`/resume` goes on" in person.said


async def test_two_conversations_do_not_mix(tmp_path, folder):
    other = tmp_path / "other"
    other.mkdir()
    with Provider() as provider:
        async with editor(tmp_path, "--init", *provider.options) as (person, agent):
            sessions = [await agent.new_session(str(place)) for place in (folder, other)]
            await agent.set_session_mode(session_id=sessions[0].session_id, mode_id="plan")
            await agent.set_session_mode(session_id=sessions[1].session_id, mode_id="plan")
            prompts = (agent.prompt(one.session_id, [text_block(SHORT)]) for one in sessions)
            first, second = await asyncio.gather(*prompts)
            runs = [answer.field_meta["agentinfra"]["runId"] for answer in (first, second)]
            assert runs[0] != runs[1]
            for session, run in zip(sessions, runs, strict=True):
                told = [update for name, update in person.heard if name == session.session_id]
                calls = [one for one in told if one.session_update == "tool_call"]
                assert calls and {one.field_meta["agentinfra"]["runId"] for one in calls} == {run}
                assert any(
                    "Finished" in one.content.text for one in told if one.session_update == "agent_message_chunk"
                )
            listed = (await agent.list_sessions()).sessions
            assert {(one.session_id, one.cwd) for one in listed} == {
                (sessions[0].session_id, str(folder)),
                (sessions[1].session_id, str(other)),
            }


async def test_files_come_along_with_the_words(tmp_path, folder):
    (folder / "idea.md").write_text(SHORT)
    (tmp_path / "secret.txt").write_text("not to be read")
    blocks = [
        text_block("Build this, please."),
        resource_link_block("idea.md", (folder / "idea.md").as_uri()),
        resource_link_block("secret", (tmp_path / "secret.txt").as_uri()),
        resource_block(embedded_text_resource("file:///elsewhere/rules.md", "Whole numbers only.")),
    ]
    with Provider() as provider:
        async with editor(tmp_path, "--init", "--mode", "plan", *provider.options) as (_person, agent):
            session = await agent.new_session(str(folder))
            await agent.prompt(session.session_id, blocks)
    asked = str(provider.requests)
    assert "Build this, please." in asked and "rounded down" in asked and "Whole numbers only." in asked
    assert "not to be read" not in asked


async def test_what_cannot_be_begun_is_answered_with_the_reason(tmp_path, folder):
    async with editor(tmp_path, "--replay", str(DEMO)) as (_person, agent):
        session = await agent.new_session(str(folder))
        with pytest.raises(RequestError, match="git repository"):
            await agent.prompt(session.session_id, [text_block(IDEA)])
        with pytest.raises(RequestError, match="The idea is empty"):
            await agent.prompt(session.session_id, [text_block(" ")])


WRONG: list[tuple[str, Any, int, str]] = [
    ("initialize", {}, INVALID_PARAMS, "protocolVersion"),
    ("initialize", {"protocolVersion": None}, INVALID_PARAMS, "protocolVersion"),
    ("session/new", {"mcpServers": []}, INVALID_PARAMS, "cwd: Field required"),
    ("session/new", {"cwd": "project"}, INVALID_PARAMS, "no absolute path of a folder"),
    ("session/new", {"cwd": 5}, INVALID_PARAMS, "cwd"),
    ("session/load", {"cwd": "/", "sessionId": "unknown"}, NOT_FOUND, "There is no session unknown"),
    ("session/prompt", {"sessionId": "unknown", "prompt": []}, NOT_FOUND, "There is no session unknown"),
    ("session/prompt", {"sessionId": "unknown", "prompt": "words"}, INVALID_PARAMS, "prompt"),
    ("session/set_mode", {"sessionId": "unknown"}, INVALID_PARAMS, "modeId: Field required"),
    ("session/list", {"cwd": "nowhere"}, INVALID_PARAMS, "no absolute path"),
    ("session/teleport", {}, METHOD_NOT_FOUND, "there is no method session/teleport"),
]


async def test_what_is_wrong_is_answered_with_what_is_wrong(tmp_path):
    async with raw_editor(tmp_path) as wrong:
        for method, params, code, said in WRONG:
            error = (await wrong.request(method, params))["error"]
            assert error["code"] == code, (method, params, error)
            assert said in error["message"]


async def test_a_client_that_talks_nonsense_is_told_so_and_served(tmp_path, folder):
    async with raw_editor(tmp_path) as wrong:
        await talk_nonsense(wrong, folder)


async def talk_nonsense(wrong: RawEditor, folder: Path) -> None:
    for line, code in (
        (b"garbage", PARSE_ERROR),
        (b"[1]", -32600),
        (b'{"id": 3, "method": 7}', -32600),
        (b"\xff\xfe", PARSE_ERROR),
    ):
        wrong.send(line)
        assert (await wrong.hear())["error"]["code"] == code
    for asked in (0, 1, 7, "2024-11-05"):
        result = (await wrong.request("initialize", {"protocolVersion": asked, "unknown": True}))["result"]
        assert result["protocolVersion"] == 1 and result["authMethods"] == []
    assert (await wrong.request("authenticate", {"methodId": "none"}))["result"] == {}
    session = (await wrong.request("session/new", {"cwd": str(folder), "mcpServers": []}))["result"]["sessionId"]
    image = {"type": "image", "data": "", "mimeType": "image/png"}
    refused = await wrong.request("session/prompt", {"sessionId": session, "prompt": [image]})
    assert refused["error"]["code"] == INVALID_PARAMS and "'image' cannot be used" in refused["error"]["message"]
    mode = {"sessionId": session, "modeId": "reckless"}
    assert (await wrong.request("session/set_mode", mode))["error"]["code"] == INVALID_PARAMS
    assert (await wrong.request("session/set_mode", {**mode, "modeId": "plan"}))["result"] == {}
    wrong.send(json.dumps({"method": "session/cancel", "params": {"sessionId": session}}).encode())
    undo = {"sessionId": session, "prompt": [{"type": "text", "text": "/undo T-1"}]}
    assert "There is no run to undo" in (await wrong.request("session/prompt", undo))["error"]["message"]
    for line in (await wrong.leave()).splitlines():
        assert json.loads(line)["jsonrpc"] == "2.0"
