"""What lies in workspaces beside good files: the index neither hangs nor fails, and follows what can be followed."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentinfra.memory.ignore_rules import MAX_BYTES as MAX_IGNORE_BYTES
from agentinfra.memory.long_term_memory import project_memory
from agentinfra.memory.regular_file import read_regular
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory

GOOD = "def brew(cups):\n    return cups\n"
SECONDS = 20
"""What hangs is cut off; on an idle machine all takes a tenth of a second."""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "good.py").write_text(GOOD)
    return folder


@pytest.fixture
async def memory(root, tmp_path):
    opened = WorkspaceMemory.open(root, data=tmp_path / "data", embedder=None)
    yield opened
    await opened.aclose()


async def indexed(memory):
    async with asyncio.timeout(SECONDS):
        return await memory.index()


async def found(memory, query):
    return {hit.path for hit in await memory.search(query)}


async def test_pipes_sockets_devices_and_loops_are_passed_by(memory, root):
    os.mkfifo(root / "pipe.py")
    os.mkfifo(root / ".gitignore")
    (root / "zero.py").symlink_to("/dev/zero")
    (root / "loop").symlink_to(".")
    (root / "itself").symlink_to("itself")
    (root / "sub").mkdir()
    (root / "sub" / "up").symlink_to("..")
    (root / "sub" / ".gitignore").symlink_to("/dev/zero")
    (root / "sub" / "inner.py").write_text(GOOD)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.path.relpath(root / "socket.py"))
    report = await indexed(memory)
    listening.close()
    assert report.files == 2
    assert await found(memory, "brew") == {"good.py", "sub/inner.py"}


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_takes_a_files_place_after_it_was_listed_is_not_waited_for(tmp_path, make):
    make(tmp_path / "taken")
    try:
        assert read_regular(tmp_path / "taken", 100)[1] == b""
    except OSError as error:
        assert "symbolic link" in str(error)
    assert not list(Path("/proc/self/fd").glob("*/taken"))


async def test_large_files_are_not_read(memory, root):
    with (root / "large.py").open("wb") as file:
        file.truncate(1 << 30)
    with (root / ".gitignore").open("wb") as file:
        file.truncate(1 << 30)
    began = time.process_time()
    await indexed(memory)
    assert time.process_time() - began < 1
    assert "larger than" in (await memory.skipped())["large.py"]
    os.truncate(root / "large.py", 0)
    (root / ".gitignore").unlink()
    await indexed(memory)
    assert "large.py" not in await memory.skipped()
    assert read_regular(root / "good.py", MAX_IGNORE_BYTES)[1] == GOOD.encode()


async def test_names_may_be_any_bytes(memory, root, tmp_path):
    names = [
        b"\xff\xfe.py",
        b"new\nline.py",
        b"tab\t.py",
        "größe 茶.py".encode(),
        b"a'\"`$(x);*?[.py",
        b"x" * 251 + b".py",
    ]
    for name in names:
        Path(os.fsdecode(bytes(root) + b"/" + name)).write_text(GOOD.replace("brew", "steep"))
    folder = Path(os.fsdecode(bytes(root) + b"/\xf0\x28"))
    folder.mkdir()
    (folder / "in.py").write_text(GOOD.replace("brew", "steep"))
    assert (await indexed(memory)).files == len(names) + 2
    wanted = {os.fsdecode(name) for name in names} | {os.fsdecode(b"\xf0\x28/in.py")}
    assert await found(memory, "steep") == wanted
    assert (await indexed(memory)).changed == 0
    shutil.rmtree(folder)
    assert (await indexed(memory)).removed == 1
    done = subprocess.run(
        [Path(sys.executable).with_name("agentinfra"), "search", "steep", "-w", root],
        env={**os.environ, "AGENTINFRA_DATA_DIR": str(tmp_path / "cli")}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.count(b"steep") >= len(names)


async def test_what_lies_beside_does_not_keep_edits_from_being_followed(memory, root):
    (root / "loop").symlink_to(".")
    (root / "sub").mkdir()
    (root / "sub" / "up").symlink_to("../sub")
    (root / "dangling.py").symlink_to("nowhere")
    with (root / "large.py").open("wb") as file:
        file.truncate(1 << 30)
    name = Path(os.fsdecode(bytes(root) + b"/sub/\xff\xfe\n.py"))
    name.write_text(GOOD)
    began = time.process_time()
    async with asyncio.timeout(SECONDS), contextlib.aclosing(memory.follow()) as looks:
        assert (await anext(looks)).report.files == 2
        for word in ("steep", "drink"):
            name.write_text(GOOD.replace("brew", word))
            assert (await anext(looks)).report.changed == 1
            assert os.fsencode(*await found(memory, word)) == b"sub/\xff\xfe\n.py"
        os.truncate(root / "large.py", 0)
        (root / "large.py").write_text(GOOD.replace("brew", "pour"))
        await anext(looks)
    assert await found(memory, "pour") == {"large.py"}
    assert time.process_time() - began < 3


async def test_a_workspace_itself_may_have_any_name(tmp_path):
    root = Path(os.fsdecode(bytes(tmp_path) + b"/w\xff\n"))
    root.mkdir()
    (root / "good.py").write_text(GOOD)
    memory = WorkspaceMemory.open(root, data=tmp_path / "data", embedder=None)
    lessons = project_memory(root, tmp_path / "data")
    assert (await indexed(memory)).files == 1
    await lessons.astore("tea is hot")
    assert await found(memory, "brew") == {"good.py"}
    assert await lessons.aretrieve("tea") == ["tea is hot"]
    for one in (memory, lessons):
        await one.aclose()


async def test_an_edit_in_the_same_moment_and_of_the_same_size_is_seen(memory, root):
    for word in ("steep", "drink", "spill"):
        path = root / "good.py"
        stat = path.stat()
        path.write_text(GOOD.replace("brew", word))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        await indexed(memory)
        assert await found(memory, word) == {"good.py"}


async def test_an_edit_whose_time_was_set_back_is_seen(memory, root, monkeypatch):
    monkeypatch.setattr("agentinfra.memory.indexer.RACY_NS", -(10**18))  # as if all of it were long ago
    await indexed(memory)
    assert (await indexed(memory)).changed == 0
    stat = (root / "good.py").stat()
    await asyncio.sleep(0.05)
    (root / "good.py").write_text(GOOD.replace("brew", "boil"))
    os.utime(root / "good.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (await indexed(memory)).changed == 1
    assert await found(memory, "boil") == {"good.py"}


async def test_an_edit_is_seen_though_the_clock_says_it_is_still_to_come(memory, root):
    future = time.time_ns() + 10**9 * 3600
    for word in ("steep", "drink"):
        (root / "good.py").write_text(GOOD.replace("brew", word) + "# \n" * (word == "drink"))
        os.utime(root / "good.py", ns=(future, future))
        (root / "other.py").write_text(f"def {word}er():\n    return 1\n")
        os.utime(root / "other.py", ns=(future, future))  # the same size and the same time, twice
        await indexed(memory)
        assert await found(memory, word) >= {"good.py"}
        assert await found(memory, f"{word}er") >= {"other.py"}
    os.utime(root / "good.py", ns=(1, 1))  # the clock went back; nothing else changed
    report = await indexed(memory)
    assert (report.changed, report.chunks) == (0, 0)


UNREADABLE = """
import asyncio, sys
from pathlib import Path
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory
async def main(root, data):
    memory = WorkspaceMemory.open(root, data=data, embedder=None)
    for mode in (0, 0o600):
        (root / "secret.py").chmod(mode)
        (root / "closed").chmod(0o700 if mode else 0)
        report = await memory.index()
        print(report.files, (await memory.skipped()).get("secret.py", "indexed"), sep=":")
    await memory.aclose()
asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_what_may_not_be_read_is_told_and_read_once_it_may(root, tmp_path):
    (root / "secret.py").write_text(GOOD)
    (root / "closed").mkdir()
    (root / "closed" / "in.py").write_text(GOOD)
    # The superuser may read anything, unless those rights are dropped.
    dropped = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*dropped, sys.executable, "-c", UNREADABLE, str(root), str(tmp_path / "data")],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["1:cannot be read: Permission denied", "3:indexed"]


async def test_files_that_vanish_and_change_while_they_are_indexed_do_no_harm(memory, root, tmp_path):
    for number in range(300):
        (root / f"m{number}.py").write_text(f"def made_{number}():\n    return {number}\n")

    def spoil(done, _total):
        for number in range(done, done + 150, 2):
            (root / f"m{number}.py").unlink(missing_ok=True)
        (root / f"m{done + 1}.py").write_text(f"def remade_{done}():\n    return 0\n")

    async with asyncio.timeout(SECONDS):
        await memory.index(spoil)
    await indexed(memory)
    (path,) = (tmp_path / "data").glob("workspaces/*/memory.db")
    store = MemoryStore.open(path, read_only=True)
    assert set(store.stamps()) == {path.name for path in root.iterdir()}
    store.close()
    assert (await indexed(memory)).changed == 0
