"""How conversations end over the Agent Client Protocol: closed and taken up, killed, left unread, talked to madly."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from acp.exceptions import RequestError
from acp.helpers import text_block

from tests.server.acp_editor import AGENTINFRA, Person, editor, own_home, raw_editor
from tests.server.test_runs import DEMO, IDEA, processes_of

MESSAGES = 3000
VALUES: list[Any] = [None, True, 0, -1, 1e308, "", "x" * 300, "\x1b[2J\u202e", [], [[]], {}, {"type": "text"}, "/"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def is_building(person: Person) -> bool:
    return any(entry.status == "in_progress" for entry in person.plan[1:])


async def test_a_conversation_is_closed_and_taken_up_without_being_told_again(tmp_path, folder):
    async with editor(tmp_path, "--init", "--replay", str(DEMO)) as (person, agent):
        name = (await agent.new_session(str(folder))).session_id
        prompt = asyncio.create_task(agent.prompt(name, [text_block(IDEA)]))
        await person.until(lambda: is_building(person))
        await agent.close_session(name)
        assert (await prompt).stop_reason == "cancelled"
        assert "`/resume` goes on with it" in person.said
        assert len(processes_of(tmp_path)) == 1
        with pytest.raises(RequestError, match="There is no session"):
            await agent.prompt(name, [text_block("/resume")])

        told = len(person.told)
        assert (await agent.resume_session(name, str(folder))).modes.current_mode_id == "review"
        await person.until(lambda: len(person.told) > told)
        assert [update.session_update for update in person.told[told:]] == ["available_commands_update"]
        assert (await agent.prompt(name, [text_block("/resume")])).stop_reason == "end_turn"
        assert "**Finished: 4 of 4 tasks done.**" in person.said
        assert "user_message_chunk" not in {update.session_update for update in person.told}
        with pytest.raises(RequestError, match="There is no session nobody"):
            await agent.resume_session("nobody", str(folder))


async def test_a_question_that_is_closed_by_a_cancel_is_not_told_to_be_open(tmp_path, folder):
    async with raw_editor(tmp_path, "--init", "--replay", str(DEMO)) as client:
        session = (await client.request("session/new", {"cwd": str(folder), "mcpServers": []}))["result"]["sessionId"]
        prompt = {"sessionId": session, "prompt": [{"type": "text", "text": IDEA}]}
        client.say({"id": 5, "method": "session/prompt", "params": prompt})
        asked = await client.hear_method("session/request_permission")
        client.say({"method": "session/cancel", "params": {"sessionId": session}})
        client.say({"id": asked["id"], "result": {"outcome": {"outcome": "cancelled"}}})  # as the protocol wants it
        said = []
        while "method" in (message := await client.hear()):
            said.append(message["params"].get("update", {}).get("content", {}))
        assert message["result"]["stopReason"] == "cancelled"
        (summary,) = [one["text"] for one in said if isinstance(one, dict) and one]
        assert "`/resume` goes on with it" in summary


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)])
async def test_an_agent_that_is_killed_leaves_nobody_behind(tmp_path, folder, sent, code):
    async with raw_editor(tmp_path, "--init", "--mode", "unattended", "--replay", str(DEMO)) as client:
        session = (await client.request("session/new", {"cwd": str(folder), "mcpServers": []}))["result"]["sessionId"]
        prompt = {"sessionId": session, "prompt": [{"type": "text", "text": IDEA}]}
        client.say({"id": 5, "method": "session/prompt", "params": prompt})
        while (await client.hear_method("session/update"))["params"]["update"]["sessionUpdate"] != "plan":
            pass
        assert len(processes_of(tmp_path)) > 1
        client.process.send_signal(sent)
        end = time.monotonic() + 30
        while processes_of(tmp_path) and time.monotonic() < end:
            while await client.process.stdout.read(65_536):
                pass
            await asyncio.sleep(0.05)
        assert processes_of(tmp_path) == set()
        assert await client.process.wait() == code
    async with editor(tmp_path) as (person, agent):  # and nothing is lost
        await agent.load_session(str(folder), session)
        assert len(person.plan) > 1


async def test_an_editor_that_reads_nothing_is_not_waited_for(tmp_path, folder):
    ask = {"jsonrpc": "2.0", "method": "session/new", "params": {"cwd": str(folder), "mcpServers": []}}
    lines = b"".join(json.dumps({**ask, "id": number}).encode() + b"\n" for number in range(500))
    with subprocess.Popen(
        [AGENTINFRA, "acp"],
        env=own_home(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as agent:
        agent.stdin.write(lines)  # the answers fill the other pipe
        agent.stdin.close()
        try:
            assert await asyncio.to_thread(agent.wait, 30) == 0
        finally:
            agent.kill()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--mode reckless", "There is no mode 'reckless'"),
        ("--budget-usd 0", "must be more than 0"),
        ("", "have to be an editor's pipes"),
        ("<&-", "have to be an editor's pipes"),
    ],
)
def test_what_cannot_be_served_is_refused_on_standard_error(tmp_path, options, complaint):
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            ["sh", "-c", f"exec {AGENTINFRA} acp {options}"],
            env=own_home(tmp_path),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, (tmp_path / "out").read_bytes()) == (2, b"")
    assert complaint in done.stderr and "Traceback" not in done.stderr


async def test_every_request_is_answered_however_mad(tmp_path, folder):
    # Folders that these find are no repositories, and ideas are never whole, so that no run begins.
    chance = random.Random(7)
    async with raw_editor(tmp_path) as client:
        session = (await client.request("session/new", {"cwd": str(folder), "mcpServers": []}))["result"]["sessionId"]
        sane = sane_messages(folder, session)
        wanted: set[Any] = set()
        for number in range(100, 100 + MESSAGES):
            method, params = chance.choice(sane)
            message = {"id": number, "method": method, "params": mutated(params, chance)}
            wanted.add(number)
            client.say(message) if chance.random() < 0.97 else client.send(cut(message, chance, wanted))
        while wanted:
            message = await client.hear()
            if "method" not in message:
                wanted.discard(message["id"])
        await client.leave()
    assert processes_of(tmp_path) == set()


def sane_messages(folder: Path, session: str) -> list[tuple[str, dict[str, Any]]]:
    image = {"type": "image", "data": "", "mimeType": "image/png"}
    words = {"type": "text", "text": "/undo T-1"}
    return [
        ("initialize", {"protocolVersion": 1, "clientCapabilities": {"fs": {"readTextFile": True}}}),
        ("authenticate", {"methodId": "none"}),
        ("session/new", {"cwd": str(folder), "mcpServers": []}),
        ("session/load", {"cwd": str(folder), "mcpServers": [], "sessionId": "unknown"}),
        ("session/resume", {"cwd": str(folder), "sessionId": "unknown"}),
        ("session/list", {"cwd": str(folder)}),
        ("session/prompt", {"sessionId": session, "prompt": [image]}),
        ("session/prompt", {"sessionId": "unknown", "prompt": [words]}),
        ("session/set_mode", {"sessionId": session, "modeId": "review"}),
        ("session/close", {"sessionId": "unknown"}),
        ("session/nothing", {}),
    ]


def mutated(params: dict[str, Any], chance: random.Random) -> Any:
    """The parameters with one of them missing, another one, or as something else; often as they are."""
    made = json.loads(json.dumps(params))
    match chance.randrange(5) if made else 0:
        case 1:
            del made[chance.choice(list(made))]
        case 2:
            made[chance.choice(list(made))] = chance.choice(VALUES)
        case 3:
            made[chance.choice(["_meta", "x"])] = chance.choice(VALUES)
        case 4 if chance.random() < 0.2:
            return chance.choice(VALUES)
    return made


def cut(message: dict[str, Any], chance: random.Random, wanted: set[Any]) -> bytes:
    """The message as bytes that are cut short; it cannot be answered by its number."""
    wanted.discard(message["id"])
    line = json.dumps(message).encode()
    return line[: chance.randrange(1, len(line) - 1)]
