"""Clients that hang, flood, lie, die, or speak too late."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from agentinfra_server.output import PatientOutput

from agentinfra.core.config import workspace_folder
from tests.server.editor import SCRIPT, Editor, serving
from tests.server.test_runs import START

LIMIT = 30
STATUS = {"command": "agentinfra.status"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def document(folder: Path, version: int | None = None) -> dict[str, Any]:
    uri = (folder / "tea.py").as_uri()
    return {"uri": uri} if version is None else {"uri": uri, "version": version}


def change(folder: Path, version: int, line: int, text: str) -> dict[str, Any]:
    place = {"line": line, "character": 0}
    return {
        "textDocument": document(folder, version),
        "contentChanges": [{"range": {"start": place, "end": place}, "text": text}],
    }


async def status(editor: Editor) -> Any:
    return await editor.result("workspace/executeCommand", STATUS)


async def test_lies_about_documents_and_versions_do_no_harm(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        editor.notify("textDocument/didChange", change(folder, 7, 0, "x"))  # never opened
        editor.notify("textDocument/didClose", {"textDocument": document(folder)})
        item = {**document(folder, 5), "languageId": "python", "text": "a = 1\n"}
        editor.notify("textDocument/didOpen", {"textDocument": item})
        editor.notify("textDocument/didOpen", {"textDocument": {**item, "version": 2}})
        for version in (1, 5, 5, -3, 10**12):
            editor.notify("textDocument/didChange", change(folder, version, 0, "#"))
        editor.notify("textDocument/didChange", change(folder, 6, 10**9, "far"))
        editor.notify("textDocument/didSave", {"textDocument": document(folder)})
        editor.notify("textDocument/didClose", {"textDocument": document(folder)})
        editor.notify("textDocument/didClose", {"textDocument": document(folder)})
        assert await status(editor) == []
        assert await editor.leave() == 0


async def test_an_editor_that_answers_nothing_keeps_nobody_else_waiting(tmp_path, folder):
    silence = asyncio.Event()

    async def never(_params: Any) -> None:
        await silence.wait()

    async with serving(tmp_path) as editor:
        editor.answers = {"window/showMessageRequest": never, "window/workDoneProgress/create": never}
        await editor.initialize(folder, capabilities={"window": {"workDoneProgress": True}})
        begun = await editor.result("workspace/executeCommand", {"command": "agentinfra.plan", "arguments": [START]})
        await editor.until(lambda: [one for one, _ in editor.asked if one == "window/showMessageRequest"])
        assert [(run["run"], run["state"]) for run in await status(editor)] == [(begun["runId"], "awaiting_approval")]
        assert await editor.leave() == 0
    assert children_of(folder) == []


def children_of(folder: Path) -> list[str]:
    found: list[str] = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = place.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(folder) in command:
            found.append(command.decode(errors="replace"))
    return found


async def test_a_client_that_reads_late_gets_every_answer(tmp_path):
    async with serving(tmp_path) as editor:
        assert editor.process.stdout
        await editor.initialize()
        transport = editor.process.stdout._transport  # type: ignore[attr-defined]
        transport.pause_reading()
        asked = [asyncio.create_task(editor.request("workspace/executeCommand", STATUS)) for _ in range(3000)]
        await asyncio.sleep(1.0)  # what was written by now is more than a pipe holds
        transport.resume_reading()
        answers = await asyncio.wait_for(asyncio.gather(*asked), LIMIT)
        assert [one["result"] for one in answers] == [[]] * 3000


async def test_requests_after_the_shutdown_are_refused_and_the_exit_still_counts(tmp_path):
    async with serving(tmp_path) as editor:
        await editor.initialize()
        await editor.request("shutdown")
        assert (await editor.request("workspace/executeCommand", STATUS))["error"]["code"] == -32600
        editor.notify("exit")
        assert await asyncio.wait_for(editor.process.wait(), LIMIT) == 0


async def test_a_log_that_cannot_be_read_is_told_and_the_server_lives(tmp_path, folder):
    log = workspace_folder(folder, tmp_path / "data") / "events.db"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"no database " * 500)
    async with serving(tmp_path) as editor:
        await editor.initialize(folder)
        failed = await editor.request("workspace/executeCommand", STATUS)
        assert "events.db" in failed["error"]["message"]
        assert (await editor.request("agentinfra/models/list", {}))["result"]["models"] is not None


async def test_an_editor_that_is_killed_leaves_no_process(tmp_path, folder):
    async with serving(tmp_path) as editor:
        await editor.initialize(folder, ours=True)
        await editor.result("agentinfra/run/start", START)
        assert children_of(folder)
        editor.process.send_signal(signal.SIGKILL)
        await editor.process.wait()
        async with asyncio.timeout(LIMIT):
            while children_of(folder):
                await asyncio.sleep(0.05)


def test_a_client_that_closes_its_end_ends_the_server(tmp_path):
    process = subprocess.Popen(SCRIPT, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin
    process.stdin.close()
    assert process.wait(LIMIT) == 1


class Pipe:
    """A pipe that holds little, as an output and its reader."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        self.output = os.fdopen(writer, "wb")


def test_what_is_not_read_waits_until_it_is():
    pipe, lost = Pipe(), list[int]()
    output = PatientOutput(pipe.output, on_lost=lambda: lost.append(1))
    frames = [b"%06d" % number * 100 for number in range(1000)]
    for frame in frames:
        output.write(frame)
    whole = b"".join(frames)
    read = bytearray()
    while len(read) < len(whole):
        read += os.read(pipe.reader, 65536)
    assert bytes(read) == whole
    output.close()
    assert os.read(pipe.reader, 1) == b""
    os.close(pipe.reader)
    assert lost == []


def test_who_reads_nothing_counts_as_gone():
    pipe, lost = Pipe(), list[int]()
    output = PatientOutput(pipe.output, on_lost=lambda: lost.append(1), most=100_000)
    with pytest.raises(BrokenPipeError, match="bytes unread"):
        for _ in range(1000):
            output.write(b"x" * 1000)
    assert lost == [1]
    os.close(pipe.reader)
    output.close()


def test_who_is_gone_is_told_to_the_writer():
    pipe = Pipe()
    output = PatientOutput(pipe.output, on_lost=lambda: None)
    os.close(pipe.reader)
    with pytest.raises(BrokenPipeError, match="Broken pipe"):
        for _ in range(1000):
            output.write(b"x")
            time.sleep(0.01)
    output.close()
