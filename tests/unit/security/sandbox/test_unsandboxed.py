import os
import signal
import sys
from pathlib import Path

import pytest

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxCommand, SandboxLimits
from agentinfra.security.sandbox.unsandboxed import Unsandboxed


async def run(scratch, *argv, env=None, **limits):
    return await Unsandboxed().run(SandboxCommand(argv, scratch, env=env or {}, limits=SandboxLimits(**limits)))


def test_it_says_that_it_is_none():
    assert Unsandboxed().name == "none"


async def test_python_is_this_one_in_the_scratch_folder(tmp_path):
    code = "import os, pytest, sys; print(sys.executable, os.getcwd())"
    assert (await run(tmp_path, "python", "-c", code)).stdout == f"{sys.executable} {tmp_path}\n"


async def test_the_environment_is_not_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = "import os; print(os.environ.get('OPENAI_API_KEY'), os.environ['HOME'], os.environ['EXTRA'])"
    result = await run(tmp_path, "python", "-c", code, env={"EXTRA": "1"})
    assert result.stdout == f"None {tmp_path} 1\n"


async def test_memory_files_and_time_are_bounded(tmp_path):
    assert "MemoryError" in (await run(tmp_path, "python", "-c", "bytearray(300 << 20)", memory_bytes=200 << 20)).stderr
    await run(tmp_path, "python", "-c", "open('big', 'wb').write(bytes(2 << 20))", file_bytes=1 << 20)
    assert (tmp_path / "big").stat().st_size <= 1 << 20
    spun = await run(tmp_path, "python", "-c", "while True: pass", cpu_seconds=1)
    assert spun.exit_code in (128 + signal.SIGKILL, 128 + signal.SIGXCPU) and not spun.timed_out
    assert (await run(tmp_path, "sleep", "60", wall_seconds=0.3)).timed_out


async def test_limits_above_the_own_ones_are_lowered_not_refused(tmp_path):
    result = await run(tmp_path, "python", "-c", "print('ok')", open_files=1 << 40)
    assert result.stdout == "ok\n"


async def test_a_missing_program_and_a_missing_folder_are_told(tmp_path):
    result = await run(tmp_path, "no-such-program")
    assert result.exit_code == 1 and "no-such-program: No such file" in result.stderr
    with pytest.raises(SandboxError):
        await run(tmp_path / "gone", "true")


async def test_it_protects_nothing_and_that_is_why_it_must_be_chosen(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    await run(scratch, "python", "-c", "open('../escaped', 'w')")
    assert Path(tmp_path / "escaped").exists()
    assert (tmp_path / "escaped").stat().st_uid == os.geteuid()
