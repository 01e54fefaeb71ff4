"""The DBOS engine's own promises: crashes, the lock, files, quietness."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.errors import EngineError, RunStopped
from agentinfra.workflow.durable import DbosEngine

PROGRAM = Path(__file__).with_name("crashing_program.py")
STEPS = 30
CRASHES = 5


@contextmanager
def program(folder: Path, steps: int = STEPS) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, str(PROGRAM), str(folder / "runs.db"), str(folder / "effects"), str(steps)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_boot(folder: Path, boots: int) -> None:
    deadline = time.monotonic() + 30
    while effects(folder).count("boot") < boots:
        assert time.monotonic() < deadline, "the program did not start working"
        time.sleep(0.01)


def effects(folder: Path) -> list[str]:
    path = folder / "effects"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_killed_at_random_moments_it_finishes_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    moments = random.Random(20)
    for crash in range(CRASHES):
        with program(tmp_path) as process:
            wait_for_boot(tmp_path, crash + 1)
            time.sleep(moments.uniform(0.05, 0.25))
            process.send_signal(signal.SIGKILL)
    with program(tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert (output, errors) == ("[0, 10, 20, 30]\n", "")

    boots: list[list[str]] = []
    for line in effects(tmp_path):
        if line == "boot":
            boots.append([])
        else:
            boots[-1].append(line)
    assert len(boots) == CRASHES + 1
    starts: dict[str, list[int]] = defaultdict(list)
    for lines in boots:
        assert len(lines) == len(set(lines)), "within one process no step runs twice"
        for _, child, step in (line.split() for line in lines if line.startswith("start")):
            starts[child].append(int(step))
    assert sorted(starts) == ["0", "1", "2", "3"]
    for steps in starts.values():
        # A step that follows proves that the one before is on record: the numbers never go back.
        assert steps == sorted(steps)
        assert set(steps) == set(range(STEPS))
        assert len(steps) <= STEPS + CRASHES
    assert sum(len(steps) for steps in starts.values()) > 4 * STEPS, "no crash hit a step in flight: the test is blind"


def test_interrupted_from_the_keyboard_it_ends_soon_and_goes_on_later(tmp_path: Path) -> None:
    with program(tmp_path) as process:
        wait_for_boot(tmp_path, 1)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(30) != 0
        assert time.monotonic() - began < 5
    with program(tmp_path) as process:
        assert process.communicate(timeout=60) == ("[0, 10, 20, 30]\n", "")
    assert len([line for line in effects(tmp_path) if line.startswith("end")]) == 4 * STEPS


async def test_a_second_process_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "runs.db")
    with program(tmp_path, steps=1000) as process:
        await asyncio.to_thread(wait_for_boot, tmp_path, 1)
        with pytest.raises(EngineError, match=f"worked on by process {process.pid}"):
            await engine.result("run")
        process.kill()
        await asyncio.to_thread(process.wait)
    with pytest.raises(RunStopped, match="Run it again"):
        await engine.result("run")
    await engine.close()


async def test_one_process_has_one_engine_open(tmp_path: Path) -> None:
    first, second = DbosEngine(tmp_path / "a.db"), DbosEngine(tmp_path / "b.db")
    with pytest.raises(EngineError, match="no workflow"):
        await first.result("w")
    with pytest.raises(EngineError, match=r"works on .*a\.db already"):
        await second.result("w")
    await second.close()
    await first.close()
    with pytest.raises(EngineError, match="no workflow"):
        await second.result("w")
    await second.close()


async def test_files_are_private_and_write_ahead(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "runs.db")
    with pytest.raises(EngineError):
        await engine.result("w")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"runs.db", "runs.db-wal", "runs.db.lock"} <= names
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    await engine.close()
    assert not (tmp_path / "runs.db-wal").exists()


async def test_a_folder_that_does_not_exist_is_named_and_can_be_made(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "missing" / "runs.db")
    with pytest.raises(EngineError, match="missing"):
        await engine.result("w")
    (tmp_path / "missing").mkdir()
    with pytest.raises(EngineError, match="no workflow w"):
        await engine.result("w")
    await engine.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_text("this is a letter, not a database " * 40)
    engine = DbosEngine(path)
    with pytest.raises(EngineError, match="not a database"):
        await engine.result("w")
    assert path.read_text().startswith("this is a letter")
    await engine.close()


async def test_another_versions_workflow_is_not_touched(tmp_path: Path) -> None:
    async def work(argument: Any) -> Any:
        raise RunStopped("later")

    engine = DbosEngine(tmp_path / "runs.db")
    engine.register("work", work)
    with pytest.raises(RunStopped):
        await engine.run("work", "w", None)
    await engine.close()
    with sqlite3.connect(tmp_path / "runs.db") as connection:
        connection.execute("UPDATE workflow_status SET application_version = 'agentinfra-0'")
    connection.close()
    with pytest.raises(EngineError, match=r"another version \(agentinfra-0\)"):
        await engine.run("work", "w", None)
    await engine.close()


def test_importing_the_module_does_not_import_dbos() -> None:
    code = "import sys, agentinfra.workflow.durable; print([name for name in sys.modules if name.startswith('dbos')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_the_engine_belongs_to_the_loop_that_opened_it(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "runs.db")

    async def ask() -> None:
        await engine.result("w")

    async def ask_and_close() -> None:
        with pytest.raises(EngineError, match="no workflow"):
            await ask()
        with pytest.raises(EngineError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, ask())
        await engine.close()

    asyncio.run(ask_and_close())
    asyncio.run(ask_and_close())
