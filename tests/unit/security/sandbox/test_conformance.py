"""What every sandbox must hold, with the proof that each attack works where there is no sandbox.

As root the attacks run in the sandbox only. The whole suite, controls included, then runs once more as an ordinary user
whose interpreter lies below a home folder that nobody else may enter (the last test).
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from agentinfra.core.interfaces import SandboxCommand, SandboxLimits
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.security.sandbox.process import run_bounded
from agentinfra.security.sandbox.unsandboxed import Unsandboxed

ROOT = Path(__file__).parents[4]
AS_ROOT = os.geteuid() == 0
# Writes its heart beat from a process that left group and session, the way a daemon does, and holds stdout open.
DAEMON = """
    import os, sys, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                open("beat", "w").write(str(time.time()))
                time.sleep(0.02)
        os._exit(0)
    while not os.path.exists("beat"):
        time.sleep(0.01)
"""


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


async def inside(scratch, code, *arguments, **limits):
    argv = ("python", "-c", textwrap.dedent(code), *map(str, arguments))
    return await Bubblewrap().run(SandboxCommand(argv, scratch, limits=SandboxLimits(**limits)))


async def control(scratch, code, *arguments):
    """The same attack without a sandbox; as root it would prove nothing and could do harm."""
    argv = (sys.executable, "-c", textwrap.dedent(code), *map(str, arguments))
    return await run_bounded(argv, cwd=scratch, env=os.environ, limits=SandboxLimits())


async def works_outside(scratch, code, *arguments):
    """Whether the attack that just failed in the sandbox prints "worked" without one."""
    return AS_ROOT or "worked" in (await control(scratch, code, *arguments)).stdout


async def beats(scratch):
    """Whether the daemon is alive, by its heart."""
    before = (scratch / "beat").read_text()
    await asyncio.sleep(0.3)
    return (scratch / "beat").read_text() != before


async def test_ordinary_work_is_done_and_comes_back(scratch):
    (scratch / "input.txt").write_text("42")
    code = "import sys; open('output.txt', 'w').write(open('input.txt').read()); print('out'); sys.exit('err')"
    result = await inside(scratch, code)
    assert (result.exit_code, result.stdout, result.stderr, result.timed_out) == (1, "out\n", "err\n", False)
    assert (scratch / "output.txt").read_text() == "42"
    assert (scratch / "output.txt").stat().st_uid == os.geteuid()


async def test_python_is_a_current_one_with_pytest_and_nothing_else_installed(scratch):
    code = """
        import importlib.util, sys, pytest
        installed = [name for name in ("pip", "openai", "dbos") if importlib.util.find_spec(name)]
        print(sys.version_info >= (3, 11), installed)
    """
    assert (await inside(scratch, code)).stdout == "True []\n"


@pytest.mark.parametrize("relative", [False, True])
async def test_other_folders_cannot_be_written(scratch, tmp_path, relative):
    target = tmp_path / "escaped"
    code = "import sys; open(sys.argv[1], 'w').write('x'); print('worked')"
    argument = "../escaped" if relative else target
    await inside(scratch, code, argument)
    assert not target.exists()
    assert await works_outside(scratch, code, argument)
    assert AS_ROOT or target.exists()


async def test_links_do_not_lead_out(scratch, tmp_path):
    (tmp_path / "target").write_text("old")
    (scratch / "link").symlink_to(tmp_path / "target")
    code = "open('link', 'r+').write('new'); print('worked')"
    await inside(scratch, code)
    assert (tmp_path / "target").read_text() == "old"
    assert await works_outside(scratch, code)


async def test_the_system_and_the_toolchain_are_read_only(scratch):
    code = """
        import pathlib, pytest, sys
        for folder in ("/", "/usr", "/etc", "/opt", "/dev", sys.prefix, pathlib.Path(pytest.__file__).parent):
            try:
                pathlib.Path(folder, "planted").write_text("x")
                print("planted in", folder)
            except OSError:
                pass
        for setting in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
            try:
                open(setting, "w").close()
                print("opened", setting)
            except OSError:
                pass
        print("tried")
    """
    assert (await inside(scratch, code)).stdout == "tried\n"


async def test_the_home_folder_is_not_there(scratch, tmp_path):
    secret = Path(tempfile.mkdtemp(prefix=".agentinfra-test-", dir=Path.home())) / "id_ed25519"
    try:
        secret.write_text("private key")
        code = "import sys; print(open(sys.argv[1]).read() and 'worked')"
        assert "worked" not in (await inside(scratch, code, secret)).stdout
        assert await works_outside(scratch, code, secret)
    finally:
        shutil.rmtree(secret.parent)


async def test_neither_the_checkout_nor_other_files_of_the_disk_are_there(scratch):
    for path in (ROOT / "pyproject.toml", "/etc/passwd", "/etc/hostname", "/var/log"):
        code = "import os, sys; os.stat(sys.argv[1]); print('worked')"
        assert "worked" not in (await inside(scratch, code, path)).stdout
        assert await works_outside(scratch, code, path)


async def test_the_network_outside_cannot_be_reached_but_one_of_its_own_can(scratch):
    visitors = []
    server = await asyncio.start_server(lambda reader, writer: (visitors.append(1), writer.close()), "127.0.0.1")
    code = """
        import socket, sys
        with socket.create_server(("127.0.0.1", 0)) as own:
            socket.create_connection(("localhost", own.getsockname()[1]), 2)
            print("own")
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
        print("worked")
    """
    port = server.sockets[0].getsockname()[1]
    async with server:
        result = await inside(scratch, code, port)
        assert (result.stdout, visitors) == ("own\n", [])
        assert await works_outside(scratch, code, port)
    assert AS_ROOT or visitors


async def test_secrets_in_the_environment_and_open_files_do_not_come_along(scratch, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = """
        import os, pathlib
        seen = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/environ") if os.access(path, os.R_OK)]
        seen += [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
        print(len(seen), "worked" if b"sk" + b"-secret" in b"".join(seen) else "nothing")
        print(max(int(name) for name in os.listdir("/proc/self/fd")))
    """
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        lines = (await inside(scratch, code)).stdout.split("\n")
    # bwrap, its child and this process; descriptor 3 is the listing itself.
    assert lines[0].endswith("nothing") and int(lines[0].split()[0]) >= 4
    assert lines[1] == "3"
    assert await works_outside(scratch, code)


async def test_other_processes_are_not_visible(scratch):
    victim = await asyncio.create_subprocess_exec("sleep", "60")
    code = """
        import os, signal, sys
        try:
            os.kill(int(sys.argv[1]), signal.SIGKILL)
            print("worked")
        except OSError:
            pass
        print(len([name for name in os.listdir("/proc") if name.isdigit()]) < 6)
    """
    try:
        assert (await inside(scratch, code, victim.pid)).stdout == "True\n"
        assert victim.returncode is None
        assert await works_outside(scratch, code, victim.pid)
    finally:
        if AS_ROOT:
            victim.kill()
        await victim.wait()


async def test_there_are_no_privileges_inside(scratch):
    code = """
        import ctypes, os
        status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
        print(os.getuid(), {status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")})
        print(status["NoNewPrivs"].strip(), ctypes.CDLL(None, use_errno=True).unshare(0x10000000))
    """
    assert (await inside(scratch, code)).stdout == "1000 {'0000000000000000'}\n1 -1\n"


async def test_the_wall_limit_ends_everything_daemons_included(scratch):
    result = await inside(scratch, DAEMON + "\n    time.sleep(60)", wall_seconds=1.5)
    assert result.timed_out
    assert result.exit_code == 128 + signal.SIGKILL
    assert result.seconds < 3
    assert not await beats(scratch)


async def test_a_daemon_does_not_outlive_its_command_nor_hold_it_up(scratch):
    result = await inside(scratch, DAEMON)
    assert (result.exit_code, result.timed_out) == (0, False)
    assert not await beats(scratch)


async def test_control_the_daemon_lives_on_without_a_sandbox(scratch):
    code = textwrap.dedent(DAEMON.replace("while True:", "for _ in range(100):"))
    await Unsandboxed().run(SandboxCommand(("python", "-c", code), scratch))
    assert await beats(scratch)


async def test_cancelling_ends_everything(scratch):
    task = asyncio.create_task(inside(scratch, DAEMON + "\n    time.sleep(60)"))
    while not (scratch / "beat").exists():
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await beats(scratch)


def named(marker):
    """The processes that were started with this argument."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


async def test_nothing_is_left_at_the_moment_a_cancelled_run_returns(scratch):
    """Not even a daemon that let go of the streams, by which its end could be noticed."""
    quiet = "import os\nos.close(1)\nos.close(2)" + textwrap.dedent(DAEMON) + "time.sleep(60)"
    for attempt in range(5):
        (scratch / "beat").unlink(missing_ok=True)
        marker = f"{scratch.parent.name}-{attempt}"
        task = asyncio.create_task(inside(scratch, quiet, marker))
        while not (scratch / "beat").exists():
            await asyncio.sleep(0.02)
        assert named(marker)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not named(marker)


async def test_the_sandbox_dies_with_a_killed_server(scratch, tmp_path):
    program = f"""
        import asyncio, pathlib
        from agentinfra.core.interfaces import SandboxCommand
        from agentinfra.security.sandbox.bubblewrap import Bubblewrap
        code = {textwrap.dedent(DAEMON) + "time.sleep(60)"!r}
        asyncio.run(Bubblewrap().run(SandboxCommand(("python", "-c", code), pathlib.Path({str(scratch)!r}))))
    """
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", textwrap.dedent(program), cwd=ROOT)
    async with asyncio.timeout(20):
        while not (scratch / "beat").exists():
            await asyncio.sleep(0.02)
    assert await beats(scratch)
    server.kill()
    await server.wait()
    await asyncio.sleep(0.7)
    assert not await beats(scratch)


FORKS = """
    import os, signal, time
    children = []
    try:
        for _ in range(90):
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            children.append(child)
        print("worked")
    except OSError:
        print("stopped at", len(children))
    for child in children:
        os.kill(child, signal.SIGKILL)
"""


async def test_a_fork_bomb_is_bounded(scratch):
    result = await inside(scratch, FORKS, processes=40)
    assert result.stdout.startswith("stopped at ")
    assert 20 <= int(result.stdout.split()[-1]) <= 40
    assert await works_outside(scratch, FORKS)


async def test_a_flood_of_output_is_capped_and_stopped(scratch):
    code = "import sys\nprint('first')\nwhile True: sys.stdout.write('x' * 1000)"
    result = await inside(scratch, code, output_bytes=10_000)
    assert result.exit_code == 128 + signal.SIGKILL
    assert not result.timed_out
    assert result.stdout.startswith("first\n")
    assert "bytes left out" in result.stdout and len(result.stdout) < 11_000


async def test_memory_is_bounded(scratch):
    code = "data = bytearray(300 << 20); print('worked')"
    result = await inside(scratch, code, memory_bytes=200 << 20)
    assert "MemoryError" in result.stderr and "worked" not in result.stdout
    assert "worked" in (await inside(scratch, code)).stdout


@pytest.mark.parametrize("target", ["big", "/tmp/big", "/dev/shm/big"])
async def test_files_are_bounded_and_so_is_the_room_for_temporary_ones(scratch, target):
    code = """
        import signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for number in range(3):
            with open(f"{sys.argv[1]}{number}", "wb") as file:
                file.write(bytes(700_000))
        print("worked")
        open(sys.argv[1], "wb").write(bytes(2_000_000))
        print("more")
    """
    result = await inside(scratch, code, target, file_bytes=1 << 20)
    assert result.stdout == ("worked\n" if target == "big" else "")
    assert "Errno" in result.stderr


async def test_processor_time_is_bounded(scratch):
    result = await inside(scratch, "while True: pass", cpu_seconds=1)
    assert (result.exit_code, result.timed_out) == (128 + signal.SIGKILL, False)


async def test_it_costs_little(scratch):
    """The least of a few runs, so that a busy machine does not decide; about 20 ms here."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        await Bubblewrap().run(SandboxCommand(("true",), scratch))
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.25


# $1 user id, $2 home, $3 interpreter's prefix, $4 place for it, $5 packages, $6 checkout, then the command.
LAYOUT = """
    set -eu
    uid=$1 home=$2 prefix=$3 place=$4 packages=$5 checkout=$6
    shift 6
    mount -t tmpfs stage /sys
    mkdir /sys/prefix /sys/packages /sys/checkout
    mount --bind "$prefix" /sys/prefix
    mount --bind "$packages" /sys/packages
    mount --bind "$checkout" /sys/checkout
    mount -t tmpfs -o "mode=700,uid=$uid,gid=$uid" home "$home"
    mkdir -p "$place" "$home/packages" "$home/checkout"
    mount --bind /sys/prefix "$place"
    mount --bind /sys/packages "$home/packages"
    mount --bind /sys/checkout "$home/checkout"
    umount /sys/prefix /sys/packages /sys/checkout /sys
    cd "$home/checkout"
    exec setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$@"
"""

if AS_ROOT:

    def test_the_suite_holds_for_an_ordinary_user_below_a_private_home():
        prefix = Path(sys.base_prefix).resolve()
        in_system = prefix.is_relative_to("/usr")
        home = Path("/root") if in_system else Path("/", prefix.parts[1])
        place = home / "python" if in_system else prefix
        packages = next(folder for folder in site.getsitepackages() if Path(folder, "pytest").is_dir())
        temporary = tempfile.mkdtemp()
        os.chown(temporary, 4321, 4321)
        script = ("unshare", "--mount", "sh", "-c", textwrap.dedent(LAYOUT), "layout", "4321", home)
        python = place / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        suite = f"{home}/checkout/{Path(__file__).relative_to(ROOT)}"
        pytest_run = (
            python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--basetemp={temporary}/tests",
            suite,
        )
        path = f"{home}/packages:{home}/checkout"
        try:
            done = subprocess.run(
                [*script, prefix, place, packages, ROOT, *pytest_run],
                env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
                check=False,
                capture_output=True,
                text=True,
                timeout=180,
            )
        finally:
            shutil.rmtree(temporary)
        assert done.returncode == 0, done.stdout + done.stderr
        passed = re.search(r"(\d+) passed", done.stdout)
        assert passed and int(passed[1]) >= 25, done.stdout
