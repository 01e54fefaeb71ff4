"""The server as an editor meets it: a real process over standard input and output."""

import asyncio
import subprocess
import sys

import pytest

from agentinfra import __version__
from tests.server.editor import MODULE, SCRIPT, serving

LIMIT = 30
HEAVY = {"agentinfra.app", "anthropic", "apsw", "dbos", "git", "openai", "playwright", "pydantic", "rich", "sqlite_vec"}


@pytest.mark.parametrize("command", [SCRIPT, MODULE], ids=["script", "module"])
async def test_serves_and_leaves_while_the_workspace_holds_modules_of_our_names(command, tmp_path):
    for name in ("asyncio", "server", "agentinfra", "agentinfra_server", "json"):
        (tmp_path / f"{name}.py").write_text(f"import pathlib; pathlib.Path({name!r} + '.executed').touch()")

    async with serving(tmp_path, command) as editor:
        result = await editor.initialize(tmp_path)
        code = await editor.leave()

    assert result["serverInfo"] == {"name": "agentinfra-server", "version": __version__}
    assert "agentinfra.status" in result["capabilities"]["executeCommandProvider"]["commands"]
    assert code == 0
    assert list(tmp_path.glob("*.executed")) == []


def test_the_planted_modules_would_run_without_the_safe_path(tmp_path):
    (tmp_path / "asyncio.py").write_text("import pathlib; pathlib.Path('asyncio.executed').touch()")
    unsafe = [word for word in MODULE if word != "-P"]
    subprocess.run(unsafe, cwd=tmp_path, capture_output=True, timeout=LIMIT, input=b"", check=False)
    assert (tmp_path / "asyncio.executed").exists()


async def test_exit_without_shutdown_is_a_failure(tmp_path):
    async with serving(tmp_path) as editor:
        await editor.initialize()
        editor.notify("exit")
        assert await asyncio.wait_for(editor.process.wait(), LIMIT) == 1


async def test_status_is_empty_without_a_folder(tmp_path):
    async with serving(tmp_path) as editor:
        await editor.initialize()
        reply = await editor.request("workspace/executeCommand", {"command": "agentinfra.status"})
        assert reply.get("result") == [], reply


async def test_status_of_a_folder_without_runs(tmp_path):
    async with serving(tmp_path) as editor:
        await editor.initialize(tmp_path)
        reply = await editor.request("workspace/executeCommand", {"command": "agentinfra.status"})
        assert reply.get("result") == [], reply


async def test_what_is_refused_is_logged_in_a_line_without_what_was_asked(tmp_path, capfd):
    async with serving(tmp_path, stderr=None) as editor:
        await editor.initialize(tmp_path)
        secret = {"prompt": "a private idea", "model": "no-such:model"}
        assert "error" in await editor.request("agentinfra/run/start", secret)
        assert "error" in await editor.request("agentinfra/run/view", {"runId": "no-such-run"})
    said = capfd.readouterr().err
    assert [line.partition(":")[0] for line in said.splitlines()] == ["Refused", "Refused"]
    assert "private" not in said


def test_version_needs_no_editor():
    shown = subprocess.run([*SCRIPT, "--version"], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert shown.stdout == f"agentinfra-server {__version__}\n"


def test_what_others_print_stays_out_of_the_protocol():
    code = (
        "from agentinfra_server.__main__ import claim_stdout\n"
        "protocol = claim_stdout()\n"
        "import os; print('stray'); os.system('echo child')\n"
        "protocol.write(b'frame'); protocol.close()"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert ran.stdout == "frame"
    assert set(ran.stderr.split()) == {"stray", "child"}


def test_a_server_ready_for_initialize_has_loaded_nothing_heavy():
    code = "import sys; from agentinfra_server.server import create_server; create_server(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=LIMIT, check=True)
    loaded = set(ran.stdout.split())
    assert "pygls" in loaded
    assert loaded & HEAVY == set()
