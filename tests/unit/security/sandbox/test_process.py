import asyncio
import os
import signal
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxLimits
from agentinfra.security.sandbox.process import FLOOD_FACTOR, run_bounded


async def run(tmp_path, code, **limits):
    argv = (sys.executable, "-c", code)
    return await run_bounded(argv, cwd=tmp_path, env={}, limits=SandboxLimits(**limits))


async def test_exit_code_and_both_streams_are_kept(tmp_path):
    result = await run(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (result.exit_code, result.stdout, result.stderr, result.timed_out) == (3, "out\n", "err\n", False)


async def test_a_signal_becomes_128_plus_its_number(tmp_path):
    result = await run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    assert result.exit_code == 128 + signal.SIGTERM


async def test_stdin_is_empty_and_the_environment_is_the_given_one(tmp_path):
    code = "import os, sys; print(repr(sys.stdin.read()), 'HOME' in os.environ, os.getcwd())"
    assert (await run(tmp_path, code)).stdout == f"'' False {tmp_path}\n"


async def test_output_up_to_the_limit_is_kept_whole(tmp_path):
    result = await run(tmp_path, "print('a' * 499 + 'b' * 500, end='e')", output_bytes=1000)
    assert result.stdout == "a" * 499 + "b" * 500 + "e"


async def test_longer_output_keeps_head_and_tail(tmp_path):
    result = await run(tmp_path, "print('a' * 5000 + 'b' * 5000, end='')", output_bytes=1000)
    assert result.exit_code == 0
    assert result.stdout == "a" * 500 + "\n[… 9000 bytes left out …]\n" + "b" * 500


async def test_output_that_is_cut_is_not_kept_in_memory_either(tmp_path):
    tracemalloc.start()
    try:
        await run(tmp_path, "print('x' * 6_000_000)", output_bytes=100_000)
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()


async def test_bytes_that_are_no_text_do_not_break_it(tmp_path):
    result = await run(tmp_path, "import sys; sys.stdout.buffer.write(b'a\\xff\\x00b')")
    assert result.stdout == "a�\x00b"


async def test_a_flood_is_ended_on_either_stream(tmp_path):
    for stream in ("stdout", "stderr"):
        result = await run(tmp_path, f"import sys\nwhile True: sys.{stream}.write('x' * 999)", output_bytes=1000)
        assert (result.exit_code, result.timed_out) == (128 + signal.SIGKILL, False)
        assert len(getattr(result, stream)) < 1000 * FLOOD_FACTOR


async def test_the_wall_limit_kills_what_ignores_every_signal(tmp_path):
    ignore = "import signal, time\nfor n in range(1, 31):\n  n in (9, 19) or signal.signal(n, signal.SIG_IGN)\n"
    code = f"{ignore}time.sleep(60)"
    result = await run(tmp_path, code, wall_seconds=0.5)
    assert result.timed_out and result.exit_code == 128 + signal.SIGKILL
    assert result.seconds < 2


async def test_a_grandchild_that_holds_the_output_does_not_hold_up_the_result(tmp_path):
    code = "import os, time\nif os.fork() == 0:\n  os.setsid(); time.sleep(4)\nelse:\n  print('done')"
    started = time.monotonic()
    result = await run(tmp_path, code)
    assert (result.stdout, result.timed_out) == ("done\n", False)
    assert time.monotonic() - started < 3


async def test_cancelling_kills_the_child(tmp_path):
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(run(tmp_path, code))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_missing_program_is_a_sandbox_error_and_leaks_no_descriptor(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for argv in (("/no/such/program",), ("nul\0byte",)):
        with pytest.raises(SandboxError, match="could not be started"):
            await run_bounded(argv, cwd=tmp_path, env={}, limits=SandboxLimits())
    await run(tmp_path, "pass")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
