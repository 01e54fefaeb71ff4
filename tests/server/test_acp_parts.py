"""How events, prompts and questions are translated for the Agent Client Protocol, without a run."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acp.client.connection import ClientSideConnection
from acp.schema import SessionNotification
from agentinfra_server.acp import asking, records
from agentinfra_server.acp.blocks import text_of
from agentinfra_server.acp.changes import changes_of
from agentinfra_server.acp.commands import COMMANDS, Command, command_of
from agentinfra_server.acp.files import EditorFiles
from agentinfra_server.acp.messages import Block, FileAccess, Resource
from agentinfra_server.acp.session import Session
from agentinfra_server.acp.transcript import Transcript
from agentinfra_server.protocol.person_messages import PermissionParams, QuestionParams
from agentinfra_server.session.workspaces import Workspaces

from agentinfra.core.config import workspace_folder
from agentinfra.core.events import Event
from agentinfra.protocols.json_rpc import LINE_BYTES, Handler, JsonRpcPeer, Params, RpcError
from agentinfra.workflow.run_options import IDEA_BYTES
from tests.server.acp_editor import Person
from tests.server.acp_schema import Inspector, wrong

FOLDER = Path("/place/project")
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "use-over-acp.md"
MICRO = ("planner", "Backend", "MicroAgent:T-1")
TASKS = {
    "tasks": [
        {"id": "T-1", "title": "One", "files": ["one.py"], "engineer": "Backend"},
        {"id": "T-2", "title": "Two", "depends_on": ["T-1"], "engineer": "Backend"},
    ]
}
QUESTION = QuestionParams(run_id="r", question_id="Q-1", kind="question", message="Which?", options=["a", "b"])
APPROVAL = QuestionParams(run_id="r", question_id="approval", kind="approve", message="Build?")


class Log:
    """Numbers events and hands them to a transcript; every update has to be valid by the official schema."""

    def __init__(self) -> None:
        self.transcript = Transcript("r", FOLDER)
        self._seq = 0

    def add(self, kind: Any, data: dict[str, Any], agent: tuple[str, ...] = (), **more: Any) -> list[Any]:
        self._seq += 1
        event = Event("r", self._seq, float(self._seq), kind, data, agent)
        return checked(self.transcript.take(event, **more))


def checked(updates: list[Any]) -> list[Any]:
    notifications = [{"sessionId": "s", "update": update} for update in updates]
    assert [wrong(SessionNotification, one) for one in notifications] == [[]] * len(notifications)
    return [SessionNotification.model_validate(one).update for one in notifications]


@pytest.fixture
def log() -> Log:
    made = Log()
    made.add("state_update", {"state": "planning", "idea": "Build it", "model": "local:m", "branch": "agentinfra/r"})
    made.add("plan_update", TASKS)
    return made


def test_a_call_ends_once_with_what_it_said(log):
    (call,) = log.add("tool_call", {"id": "code T-1", "title": "code T-1", "kind": "think"}, MICRO)
    assert (call.title, call.kind, call.status) == ("Backend › T-1 › code", "think", "in_progress")
    assert [one.path for one in call.locations] == ["/place/project/one.py"]
    assert call.field_meta["agentinfra"] == {"runId": "r", "seq": 3, "agentPath": list(MICRO), "taskId": "T-1"}
    (again,) = log.add("tool_call", {"id": "other", "title": "look", "kind": "unheard-of"})
    assert (again.title, again.kind) == ("look", "other")
    (end,) = log.add("tool_call_update", {"id": "code T-1", "status": "failed", "content": "no answer"}, MICRO)
    assert (end.tool_call_id, end.status, end.content[0].content.text) == (call.tool_call_id, "failed", "no answer")
    assert log.add("tool_call_update", {"id": "code T-1", "status": "completed"}, MICRO) == []


def test_a_run_that_ends_leaves_nothing_at_work(log):
    (call,) = log.add("tool_call", {"id": "plan", "title": "plan", "kind": "think"}, ("planner",))
    log.add("question", {"id": "Q-1", "text": "Which?", "why": "", "options": ["a"]})
    *ended, summary = log.add("state_update", {"state": "failed", "reason": "The budget is used up."})
    assert [one.status for one in ended] == ["failed", "failed"]
    assert ended[0].tool_call_id == call.tool_call_id
    assert summary.content.text.startswith("**Failed: 0 of 2 tasks done.**\n\nThe budget is used up.")
    assert "/resume" not in summary.content.text
    assert "/resume" in log.add("state_update", {"state": "stopped"})[-1].content.text
    assert log.transcript.close() == []


@pytest.mark.parametrize(
    ("phase", "outcome", "status"),
    [
        ("red", "failed", "completed"),
        ("red", "passed", "failed"),
        ("green", "passed", "completed"),
        ("green", "failed", "failed"),
    ],
)
def test_tests_are_judged_by_what_their_phase_wants(log, phase, outcome, status):
    tests = [{"id": "tests/test_one.py::test_it", "outcome": outcome, "message": "assert 1 == 2"}]
    data = {"task": "T-1", "phase": phase, "exit_code": int(outcome == "failed"), "seconds": 1, "tests": tests}
    (step,) = log.add("test_result", data, ("planner", "Backend"))
    assert (step.status, step.kind) == (status, "execute")
    assert [one.path for one in step.locations] == ["/place/project/tests/test_one.py"]
    assert bool(step.content) == (outcome == "failed")


def test_decisions_findings_and_words_are_told(log):
    diff = {"type": "diff", "path": "/place/project/one.py", "oldText": None, "newText": "x = 1\n"}
    merged = {"task": "T-1", "decision": "merged", "commit": "a" * 40}
    (step,) = log.add("change_resolved", merged, ("planner", "Backend"), changes=[diff])
    assert (step.title, step.kind, step.content[0].new_text) == ("Backend › T-1 › merged: One", "edit", "x = 1\n")
    (step,) = log.add("change_resolved", {"task": "T-1", "decision": "returned", "reason": "a conflict"})
    assert (step.status, step.content[0].content.text) == ("failed", "a conflict")
    finding = {"id": "F-1", "severity": "error", "rule": "r", "path": "one.py", "line": 3, "message": "unused"}
    (step,) = log.add("qa_finding", finding, ("planner", "QA"))
    assert (step.title, step.locations[0].line) == ("QA › error: unused", 3)
    (step,) = log.add("ruling", {"task": "T-1", "fault": "test", "reason": "it asks too much"})
    assert step.title == "T-1 › ruling: test is at fault"
    assert log.add("notice", {"level": "warning", "text": "slow"})[0].content.text == "**warning:** slow\n\n"
    (chunk,) = log.add("agent_message_chunk", {"text": "hm"}, MICRO)
    assert chunk.session_update == "agent_thought_chunk"
    (chunk,) = log.add("agent_message_chunk", {"text": "well"}, ("planner",))
    assert chunk.session_update == "agent_message_chunk"
    assert log.add("checkpoint", {"commit": "a"}) == []
    assert checked(log.transcript.idea())[0].content.text == "Build it"


def test_the_plan_says_how_far_each_task_is_and_is_told_when_it_changes(log):
    (plan,) = checked(log.transcript.plan())
    assert [(one.content, one.priority, one.status) for one in plan.entries] == [
        ("Specification", "high", "in_progress"),
        ("Backend › T-1 One", "high", "pending"),
        ("Backend › T-2 Two", "medium", "pending"),
        ("QA › Review", "medium", "pending"),
    ]
    assert log.transcript.plan() == []
    log.add("approval", {"spec_sha": "x"})
    log.add("state_update", {"state": "building"})
    log.add("agent_state", {"task": "T-1", "state": "coding", "attempt": 2, "max_attempts": 3})
    (plan,) = checked(log.transcript.plan())
    assert [one.status for one in plan.entries] == ["completed", "in_progress", "pending", "pending"]
    assert plan.entries[1].field_meta["agentinfra"]["attempt"] == 2
    log.add("agent_state", {"task": "T-1", "state": "blocked", "reason": "tries used up"})
    log.add("agent_state", {"task": "T-2", "state": "skipped", "reason": "needs T-1"})
    log.add("state_update", {"state": "reviewing"})
    (plan,) = checked(log.transcript.plan())
    assert [(one.content, one.status) for one in plan.entries[1:]] == [
        ("Backend › T-1 One (blocked: tries used up)", "pending"),
        ("Backend › T-2 Two (skipped: needs T-1)", "pending"),
        ("QA › Review", "in_progress"),
    ]


async def on_disk(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return None


async def test_a_prompt_is_one_text(tmp_path):
    (tmp_path / "notes.md").write_text("a ``` fence")
    (tmp_path / "picture").write_bytes(b"\xff\xd8")
    inside, picture = (tmp_path / "notes.md").as_uri(), (tmp_path / "picture").as_uri()
    blocks = [
        Block(type="text", text="Words \n"),
        Block(type="resource_link", name="notes.md", uri=inside),
        Block(type="resource_link", name="picture", uri=picture),
        Block(type="resource_link", name="page", uri="https://example.org/page"),
        Block(type="resource_link", name="passwd", uri="file:///etc/passwd"),
        Block(type="resource", resource=Resource(uri="file:///x.bin")),
    ]
    parts = [
        "Words \n",
        f"{inside}:\n````\na ``` fence\n````",
        f"[picture]({picture})",
        "[page](https://example.org/page)",
        "[passwd](file:///etc/passwd)",
        "[file:///x.bin]",
    ]
    assert await text_of(blocks, tmp_path, on_disk) == "\n\n".join(parts)
    (tmp_path / "link").symlink_to("/etc/passwd")
    link = Block(type="resource_link", uri=(tmp_path / "link").as_uri())
    assert (await text_of([link], tmp_path, on_disk)).startswith("[file://")
    for block in (Block(type="audio"), Block(type="text"), Block(type="resource_link")):
        with pytest.raises(RpcError, match=f"{block.type!r} cannot be used"):
            await text_of([block], tmp_path, on_disk)


def test_only_what_is_plain_answers_a_question():
    assert asking.answer_to(QUESTION, "1") == "b"
    assert [asking.answer_to(QUESTION, chosen) for chosen in ("2", "", "own-words", "-1", "²")] == [None] * 5
    assert asking.answer_in_words(QUESTION, " c ") == "c" and asking.answer_in_words(QUESTION, " ") is None
    assert asking.answer_in_words(QUESTION, "/undo T-1") is None
    assert [asking.answer_to(APPROVAL, chosen) for chosen in ("approve", "reject", "0", "")] == [
        "approve",
        "reject",
        None,
        None,
    ]
    said = ("/approve", "Yes!", "no", "approve it, but", "/reject T-1")
    assert [asking.answer_in_words(APPROVAL, one) for one in said] == ["approve", "approve", "reject", None, None]
    assert asking.options_of(QuestionParams(run_id="r", question_id="Q", kind="question", message="Free?")) == ()


def test_what_models_say_is_shown_without_what_hides():
    hostile = replace(QUESTION, message="Which\n\u202eone?", options=["a\x1b[8m", "b"], recommended="b")
    assert asking.content_of(hostile)["title"] == "Which one?"
    assert [one["name"] for one in asking.options_of(hostile)] == ["a", "b (recommended)", "In my own words"]
    assert asking.open_words(hostile).startswith("Which\none?")


def test_commands_are_told_from_ideas():
    undo = command_of("/undo T-1  T-2\n")
    assert undo and (undo.name, undo.tasks) == ("undo", ("T-1", "T-2"))
    assert command_of("/plan a tool\n\nthat  counts") == Command("plan", "a tool\n\nthat  counts")
    assert command_of("/resume") == Command("resume")
    assert [command_of(said) for said in ("undo T-1", "/etc is full", "", "/ resume")] == [None] * 4


def test_the_record_of_sessions_outlives_damage(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    assert records.sessions(tmp_path) == {}
    records.add(tmp_path, "one", "r1")
    with (workspace_folder(tmp_path) / records.FILE).open("ab") as file:
        file.write(b'\xff\n[1]\n{"session": 5, "run": "x"}\n{"session": "cut')
        file.write(b"\n")
    records.add(tmp_path, "two", "r2")
    records.add(tmp_path, "one", "r3")
    assert records.sessions(tmp_path) == {"one": ["r1", "r3"], "two": ["r2"]}


async def test_no_diff_is_shown_where_there_is_no_repository(tmp_path):
    assert await changes_of(tmp_path, "a" * 40) == []


@asynccontextmanager
async def session_with(person: Person, folder: Path, **more: Any) -> AsyncIterator[Session]:
    """A session whose editor is the official client, over a pair of sockets."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    editor_reader, editor_writer = await asyncio.open_connection(sock=theirs)
    peer, client = JsonRpcPeer(reader, writer), ClientSideConnection(person, editor_writer, editor_reader)
    serving = asyncio.create_task(peer.serve())
    workspaces = Workspaces(lambda: [folder.as_uri()])
    session = Session("s", folder, peer, workspaces, {}, "review", **more)
    try:
        yield session
    finally:
        await session.aclose()
        workspaces.close()
        await client.close()
        editor_writer.close()
        await serving
        writer.close()


@asynccontextmanager
async def files_of(access: FileAccess, handlers: Mapping[str, Handler], **more: Any) -> AsyncIterator[EditorFiles]:
    """Files of an editor that answers by the handlers."""
    ours, theirs = [await asyncio.open_connection(sock=one, limit=LINE_BYTES) for one in socket.socketpair()]
    peers = [JsonRpcPeer(*ours), JsonRpcPeer(*theirs, handlers)]
    serving = [asyncio.create_task(peer.serve()) for peer in peers]
    try:
        yield EditorFiles("s", peers[0], access, **more)
    finally:
        for _, writer in (ours, theirs):
            writer.close()
            await writer.wait_closed()
        await asyncio.gather(*serving)


async def silence(_params: Params) -> None:
    await asyncio.sleep(60)


async def nonsense(_params: Params) -> object:
    return {"content": 5}


async def nothing_written(_params: Params) -> object:
    return {}


@pytest.mark.parametrize("answer", [{"fs/read_text_file": silence}, {"fs/read_text_file": nonsense}, {}])
async def test_where_the_editor_does_not_say_what_it_has_the_disk_counts(tmp_path, answer):
    (tmp_path / "one.md").write_text("saved")
    (tmp_path / "picture").write_bytes(b"\xff\xd8")
    async with files_of(FileAccess(read_text_file=True), answer, answer_seconds=0.05) as files:
        assert await files.read(tmp_path / "one.md") == "saved"
        assert await files.read(tmp_path / "picture") is None
        assert await files.edits(tmp_path / "one.md") is None


async def test_files_are_the_editors_only_where_it_offers_them(tmp_path):
    (tmp_path / "one.md").write_bytes(b"saved\r\nlines\r\n")

    async def shown(params: Params) -> object:
        assert params["sessionId"] == "s"
        return {"content": {"one.md": "saved\r\nlines\r\n", "new.md": "x" * 200_000}[Path(params["path"]).name]}

    answers = {"fs/read_text_file": shown, "fs/write_text_file": nothing_written}
    async with files_of(FileAccess(), answers) as files:
        assert await files.read(tmp_path / "new.md") is None and not files.can_write
    async with files_of(FileAccess(read_text_file=True, write_text_file=True), answers) as files:
        assert len(await files.read(tmp_path / "new.md") or "") == IDEA_BYTES
        assert await files.edits(tmp_path / "one.md") is None  # other line ends are no edit
        assert await files.edits(tmp_path / "new.md") == (None, "x" * 200_000)
        assert files.can_write and not await files.write(tmp_path / "new.md", "x")  # it says so, but does not


@pytest.mark.parametrize(("choice", "is_allowed"), [("allow", True), ("deny", False), ("", False), ("else", False)])
async def test_a_permission_is_denied_unless_it_is_plainly_given(tmp_path, choice, is_allowed):
    person = Person()
    person.choose = lambda _call, _options: choice
    async with session_with(person, tmp_path) as session:
        asked = PermissionParams(run_id="r", title="Run\n\u202enpm", detail="npm install\u200b left-pad\x1b[2J")
        assert await session.permit(asked) is is_allowed
    ((call, options),) = person.asked
    assert (call.title, call.kind, call.content[0].content.text) == ("Run npm", "execute", "npm install left-pad")
    assert [option.kind for option in options] == ["allow_once", "reject_once"]


async def test_silence_denies(tmp_path):
    waits = asyncio.Event()

    class Silent(Person):
        async def request_permission(self, *_args: Any, **_named: Any) -> Any:
            await waits.wait()

    async with session_with(Silent(), tmp_path, permit_seconds=0.05) as session:
        assert await session.permit(PermissionParams(run_id="r", title="t", detail="d")) is False
        waits.set()


async def test_an_editor_that_knows_no_permissions_denies(tmp_path):
    class Bare:
        async def session_update(self, **_named: Any) -> None: ...

    async with session_with(Bare(), tmp_path) as session:  # type: ignore[arg-type]
        assert await session.permit(PermissionParams(run_id="r", title="t", detail="d")) is False
        with pytest.raises(RpcError, match="no models"):
            await session.ask_model({}, lambda _: asyncio.sleep(0))
        with pytest.raises(RpcError, match="no models"):
            await session.count_tokens({})
        assert await session.secret("OPENAI_API_KEY") is None


def test_what_the_official_schema_does_not_have_is_seen():
    plan = {"sessionUpdate": "plan", "entries": [{"content": "x", "priority": "high", "status": "pending"}]}
    said = {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": plan}}
    for broken in (
        {**plan, "colour": "red"},
        {**plan, "entries": [{**plan["entries"][0], "status": "stuck"}]},  # the SDK drops such an entry
        {**plan, "sessionUpdate": "plans"},
    ):
        assert wrong(SessionNotification, {"sessionId": "s", "update": broken})
        inspector = Inspector()
        inspector.inspect(said)
        assert inspector.problems == []
        inspector.inspect({**said, "params": {"sessionId": "s", "update": broken}})
        assert inspector.problems
    for message in ({**said, "method": "session/upd"}, {**said, "jsonrpc": "1.0"}, {**said, "extra": 1}, {"id": 1}):
        inspector = Inspector()
        inspector.inspect({"jsonrpc": "2.0", **message})
        assert inspector.problems


def test_the_guide_names_the_commands_and_settings_that_there_are():
    guide = GUIDE.read_text("utf-8")
    named = set(re.findall(r"`/(\w+)", guide.partition("## For who writes a client")[0]))
    assert named == {str(one["name"]) for one in COMMANDS}
    settings = [json.loads(block)["agent_servers"] for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)]
    assert [(one["AgentInfra"]["command"], one["AgentInfra"]["args"]) for one in settings] == [
        ("agentinfra", ["acp", "--init"])
    ] * 2
    assert guide.count("untested") == 4
