"""Leases of ports, databases and profiles: held by one at a time, across processes, never beyond a process's end."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agentinfra.core.errors import WorkspaceError
from agentinfra.core.interfaces import SandboxCommand, SandboxResult
from agentinfra.security.sandbox.unsandboxed import Unsandboxed
from agentinfra.workflow.leases import LeasedSandbox, LeasePool

HOLDER = """
import asyncio, sys
from pathlib import Path
from agentinfra.workflow.leases import LeasePool

async def hold():
    async with LeasePool(Path(sys.argv[1]), int(sys.argv[2]), 1).hold() as lease:
        (lease.folder / "left.txt").write_text("left")
        print(lease.port, flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


@pytest.fixture
def first() -> int:
    """A port with nobody on it and on the next two."""
    for port in range(23_000, 24_000, 3):
        sockets = [socket.socket() for _ in range(3)]
        try:
            for number, one in enumerate(sockets):
                one.bind(("127.0.0.1", port + number))
            return port
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise AssertionError("no free ports")


async def test_those_at_work_have_different_leases_and_give_them_back(tmp_path: Path, first: int) -> None:
    pool = LeasePool(tmp_path / "leases", first, 2)
    async with pool.hold() as one, pool.hold() as two:
        assert {one.port, two.port} == {first, first + 1}
        assert one.folder != two.folder
        assert list(one.folder.iterdir()) == []
        assert set(one.environment().values()).isdisjoint(two.environment().values())
        with pytest.raises(WorkspaceError, match=f"All 2 ports from {first} on are taken"):
            await pool.hold().__aenter__()
        (one.folder / "database.sqlite").write_text("x")
    async with pool.hold() as again:
        assert again.port == first
        assert list(again.folder.iterdir()) == []
    assert not one.folder.exists()


async def test_a_port_on_which_somebody_listens_is_passed_over(tmp_path: Path, first: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        async with LeasePool(tmp_path, first, 2).hold() as lease:
            assert lease.port == first + 1


async def test_the_lease_of_a_process_that_was_killed_is_free_and_empty_again(tmp_path: Path, first: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), str(first)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{first}\n"
        pool = LeasePool(tmp_path, first, 1)
        with pytest.raises(WorkspaceError, match="taken"):
            await pool.hold().__aenter__()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / str(first) / "left.txt").exists()
        async with pool.hold() as lease:
            assert lease.port == first
            assert list(lease.folder.iterdir()) == []


async def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, first: int) -> None:
    (tmp_path / "leases").write_text("in the way")
    with pytest.raises(WorkspaceError, match="leases cannot be written to"):
        await LeasePool(tmp_path / "leases", first, 1).hold().__aenter__()


PRINT = "import os; print(*(os.environ['AGENTINFRA_' + name] for name in ('PORT', 'DATABASE', 'PROFILE')))"


def command(scratch: Path) -> SandboxCommand:
    return SandboxCommand(("python", "-c", PRINT), scratch)


async def test_commands_of_a_task_are_told_of_its_lease(tmp_path: Path, first: int) -> None:
    pool = LeasePool(tmp_path / "leases", first, 3)
    sandbox = LeasedSandbox(Unsandboxed(), pool)
    assert sandbox.name == "none"

    async def task() -> tuple[list[str], list[str], int]:
        async with pool.hold() as lease:
            said = [(await sandbox.run(command(tmp_path))).stdout for _ in range(2)]
            assert said[0].split()[1:] == [str(lease.folder / "database.sqlite"), str(lease.folder / "profile")]
            return said[0].split(), said[1].split(), lease.port

    both = await asyncio.gather(task(), task())
    assert all(one == two and one[0] == str(port) for one, two, port in both)
    assert both[0][2] != both[1][2]


async def test_a_command_of_no_task_has_a_lease_of_its_own(tmp_path: Path, first: int) -> None:
    pool = LeasePool(tmp_path / "leases", first, 2)
    sandbox = LeasedSandbox(Unsandboxed(), pool)
    assert (await sandbox.run(command(tmp_path))).stdout.split()[0] == str(first)
    async with pool.hold():
        pass
    assert list((tmp_path / "leases").glob("*/")) == []


class Box:
    """A sandbox with a /tmp of its own; keeps what it was asked to run."""

    name = "box"

    def __init__(self) -> None:
        self.commands: list[SandboxCommand] = []

    async def run(self, command: SandboxCommand) -> SandboxResult:
        self.commands.append(command)
        return SandboxResult(0, "", "", 0.0)


async def test_in_a_sandbox_the_files_lie_where_it_can_write(tmp_path: Path, first: int) -> None:
    box = Box()
    async with LeasePool(tmp_path, first, 1).hold():
        await LeasedSandbox(box, LeasePool(tmp_path)).run(
            SandboxCommand(("x",), tmp_path, env={"AGENTINFRA_PORT": "1"})
        )
    assert box.commands[0].env == {
        "AGENTINFRA_PORT": "1",
        "AGENTINFRA_DATABASE": "/tmp/database.sqlite",
        "AGENTINFRA_PROFILE": "/tmp/profile",
    }
