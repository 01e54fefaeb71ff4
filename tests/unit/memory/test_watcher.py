"""Changes of real files, as the system tells of them."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import InotifyFD

from agentinfra.memory.changes import MOST_PATHS, Changes
from agentinfra.memory.watcher import FolderWatches, watching
from agentinfra.memory.workspace_memory import WorkspaceMemory

LIMIT = 10


@pytest.fixture
def root(tmp_path):
    for name in ("src/deep/a.py", "b.py", "node_modules/x/index.js", ".git/HEAD"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    (tmp_path / ".gitignore").write_text("node_modules/\n")
    return tmp_path


async def told(changes: Changes, act: Callable[[], object], enough: set[str]) -> set[str]:
    """All that is told after an act, until everything that must be is."""
    act()
    seen: set[str] = set()
    async with asyncio.timeout(LIMIT):
        while not enough <= seen:
            seen |= await changes.next() or set()
    return seen


@pytest.mark.parametrize(
    ("act", "enough"),
    [
        (lambda root: (root / "src/deep/a.py").write_text("2"), {"src/deep/a.py"}),
        (lambda root: (root / "new.py").write_text("1"), {"new.py"}),
        (lambda root: (root / "b.py").unlink(), {"b.py"}),
        (lambda root: (root / "b.py").rename(root / "src/c.py"), {"b.py", "src/c.py"}),
        (lambda root: (root / "b.py").replace(root / "src/deep/a.py"), {"src/deep/a.py"}),
        (lambda root: shutil.rmtree(root / "src"), {"src"}),
        (lambda root: (root / "src/deep").rename(root / "src/other"), {"src/deep", "src/other"}),
        (lambda root: (root / "caf\udce9.py").write_text("1"), {"caf\udce9.py"}),
    ],
)
async def test_every_kind_of_change_is_told(root, act, enough):
    async with watching(root) as changes:
        assert changes.polling == ""
        await told(changes, lambda: act(root), enough)


async def test_a_new_folder_and_what_was_in_it_before_it_was_watched(root):
    outside = root.parent / f"{root.name}-outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "a.py").write_text("1")
    async with watching(root) as changes:
        await told(changes, lambda: outside.rename(root / "moved"), {"moved"})
        await asyncio.sleep(0.2)
        await told(changes, lambda: (root / "moved/inner/b.py").write_text("1"), {"moved/inner/b.py"})


async def test_ignored_folders_cost_nothing(root):
    async with watching(root) as changes:
        (root / "node_modules/x/index.js").write_text("2")
        (root / ".git/HEAD").write_text("2")
        seen = await told(changes, lambda: (root / "b.py").write_text("2"), {"b.py"})
    assert seen == {"b.py"}


async def test_many_writes_come_together_and_steady_ones_do_not_wait_for_quiet(root):
    async with watching(root) as changes:
        for number in range(500):
            (root / "b.py").write_text(str(number))
        assert await asyncio.wait_for(changes.next(), LIMIT) == {"b.py"}

        async def write_on():
            while True:
                (root / "b.py").write_text("on")
                await asyncio.sleep(0.01)

        writing = asyncio.create_task(write_on())
        try:
            for _ in range(2):
                assert await asyncio.wait_for(changes.next(), 3) == {"b.py"}
        finally:
            writing.cancel()


async def test_the_end_of_a_write_is_told_sooner_than_its_middle():
    changes = Changes(quiet=30, longest=60, settled=0.001)
    changes.note("a")
    waiting = asyncio.create_task(changes.next())
    await asyncio.sleep(0.02)
    assert not waiting.done()
    changes.note("b", is_settled=True)
    assert await asyncio.wait_for(waiting, LIMIT) == {"a", "b"}
    changes.note("c", is_settled=True)
    changes.note("c")  # it is written again
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(changes.next(), 0.05)


@pytest.mark.parametrize("save", ["write", "rename"])
async def test_a_save_is_told_without_waiting_for_more(root, save):
    async with watching(root, Changes(quiet=30, longest=60, settled=0.001)) as changes:
        if save == "write":
            (root / "b.py").write_text("2")
        else:
            (root / ".gitignore").rename(root / "b.py")
        seen = await asyncio.wait_for(changes.next(), LIMIT)
    assert seen is not None
    assert "b.py" in seen


async def test_too_many_changes_are_a_look_at_everything():
    changes = Changes(quiet=0.001)
    for number in range(MOST_PATHS + 5):
        changes.note(f"f{number}")
    assert await changes.next() is None
    changes.note("a")
    assert await changes.next() == {"a"}
    changes.note("a")
    changes.note(None)
    assert await changes.next() is None


async def test_now_and_then_everything_is_looked_at_anyway():
    assert await Changes(rescan=0.01).next() is None


async def test_polling_tells_nothing_but_the_time(root):
    async with watching(root, Changes(rescan=60, poll=0.05), polling=True) as changes:
        assert changes.polling == "asked for"
        (root / "b.py").write_text("2")
        assert await asyncio.wait_for(changes.next(), LIMIT) is None


def test_where_watches_are_short_it_polls_and_says_so(root):
    program = (
        "import asyncio, os, resource, sys\nfrom pathlib import Path\nfrom agentinfra.memory.watcher import watching\n"
        "async def main():\n"
        "    few = len(os.listdir('/proc/self/fd'))\n"  # those that are open, and the one that lists them
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))\n"
        "    async with watching(Path(sys.argv[1])) as changes:\n"
        "        print(changes.polling)\n"
        "import watchdog.observers\nasyncio.run(main())"
    )
    command = [sys.executable, "-P", "-c", program, str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "no file watch left" in ran.stdout, ran.stderr


def watched() -> int:
    """How many watches this process holds, as the system counts them."""
    count = 0
    for info in Path("/proc/self/fdinfo").iterdir():
        with suppress(FileNotFoundError):
            count += sum(line.startswith("inotify wd") for line in info.read_text().splitlines())
    return count


async def test_ignored_folders_at_any_depth_take_no_watch(root):
    (root / "src/deep/node_modules/x/y").mkdir(parents=True)
    async with watching(root) as changes:
        assert watched() == 3  # the root, src and src/deep
        (root / "src/deep/node_modules/x/y/index.js").write_text("1")
        seen = await told(changes, lambda: (root / "b.py").write_text("2"), {"b.py"})
    assert seen == {"b.py"}
    assert watched() == 0


async def test_new_rules_give_watches_back_and_take_new_ones(root):
    async with watching(root) as changes:
        await told(changes, lambda: (root / "src/.gitignore").write_text("deep/\n"), {"src/.gitignore"})
        assert watched() == 2
        await told(changes, lambda: (root / "src/.gitignore").write_text("!deep/\n"), {"src/.gitignore"})
        assert watched() == 3
        await told(changes, lambda: (root / "src/deep/a.py").write_text("2"), {"src/deep/a.py"})


async def test_a_folder_that_becomes_another_repository_is_left_alone(root):
    async with watching(root) as changes:
        await told(changes, (root / "src/deep/.git").mkdir, {"src/deep"})
        assert watched() == 2


async def test_moved_folders_are_watched_where_they_are_now(root):
    async with watching(root) as changes:
        await told(changes, lambda: (root / "src").rename(root / "lib"), {"src", "lib"})
        await told(changes, lambda: (root / "lib/deep/a.py").write_text("2"), {"lib/deep/a.py"})
        (root / "lib").rename(root.parent / f"{root.name}-away")
        await told(changes, lambda: None, {"lib"})
        assert watched() == 1
        shutil.rmtree(root.parent / f"{root.name}-away")


async def test_no_file_is_lost_in_folders_made_faster_than_they_are_watched(root):
    async with watching(root) as changes:
        for number in range(60):
            folder = root / f"new{number}/a/b"
            folder.mkdir(parents=True)
            (folder / "f.py").write_text("1")
        seen = await told(changes, lambda: None, {f"new{number}" for number in range(60)})
        for number in range(60):  # told as a file, or by a folder that was not watched when the file was written
            assert seen & {f"new{number}", f"new{number}/a", f"new{number}/a/b", f"new{number}/a/b/f.py"}
        await told(changes, lambda: (root / "new59/a/b/g.py").write_text("1"), {"new59/a/b/g.py"})


class HeldBack(InotifyFD):
    """Leaves events with the system as long as its gate is closed."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def read_events(self, **options):
        self.gate.wait(LIMIT)
        return super().read_events(**options)


async def test_after_lost_events_everything_is_looked_at_and_watched_again(root, caplog):
    changes, inotify = Changes(), HeldBack()
    watches = FolderWatches(root, changes, inotify)
    watches.start()
    try:
        inotify.gate.clear()
        await told(changes, lambda: (root / "b.py").write_text("2"), {"b.py"})  # was waited for already
        for number in range(2_000 + int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())):
            os.utime(root / ("b.py", ".gitignore")[number % 2])
        (root / "late/inner").mkdir(parents=True)
        inotify.gate.set()
        async with asyncio.timeout(LIMIT):
            while await changes.next() is not None:
                pass
        assert "overflowed" in caplog.text
        assert watched() == 5
        await told(changes, lambda: (root / "late/inner/a.py").write_text("1"), {"late/inner/a.py"})
    finally:
        inotify.gate.set()
        watches.stop()


class FewWatches(InotifyFD):
    """A system with few watches left."""

    left = 2

    def add_callback(self, *arguments):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return super().add_callback(*arguments)


async def test_a_folder_for_which_no_watch_is_left_is_polled_for(root):
    changes = Changes(poll=0.05)
    watches = FolderWatches(root, changes, FewWatches())
    watches.start()
    try:
        assert "max_user_watches is " in changes.polling
        await told(changes, lambda: (root / "b.py").write_text("2"), {"b.py"})  # what is watched is told still
        assert await asyncio.wait_for(changes.next(), LIMIT) is None
    finally:
        watches.stop()


async def test_a_workspace_that_goes_away_is_polled_for(root):
    async with watching(root, Changes(poll=0.05)) as changes:
        root.rename(root.parent / f"{root.name}-away")
        async with asyncio.timeout(LIMIT):
            while not changes.polling:
                await changes.next()
        assert "moved or removed" in changes.polling
        (root.parent / f"{root.name}-away").rename(root)


@pytest.fixture
async def memory(root, tmp_path_factory):
    made = WorkspaceMemory.open(root, data=tmp_path_factory.mktemp("data"))
    yield made
    await made.aclose()


async def test_what_is_written_is_found_and_what_is_deleted_is_not(root, memory):
    async with aclosing(memory.follow()) as follow:
        first = await anext(follow)
        assert first.report.files == 3 and first.polling == ""
        (root / "src/deep/new.py").write_text("def zebra():\n    return 1\n")
        assert (await asyncio.wait_for(anext(follow), LIMIT)).report.changed == 1
        (hit,) = await memory.search("zebra", 1)
        assert hit.path == "src/deep/new.py"
        (root / "src").rename(root / "lib")
        async with asyncio.timeout(LIMIT):
            while (await memory.search("zebra", 1))[0].path != "lib/deep/new.py":
                await anext(follow)
        shutil.rmtree(root / "lib")
        async with asyncio.timeout(LIMIT):
            while "lib/deep/new.py" in {hit.path for hit in await memory.search("zebra")}:
                await anext(follow)


async def test_new_rules_take_files_out(root, memory):
    async with aclosing(memory.follow()) as follow:
        assert (await anext(follow)).report.files == 3
        (root / ".gitignore").write_text("src/\n")
        async with asyncio.timeout(LIMIT):
            report = (await anext(follow)).report
        assert report.removed == 1 and report.changed == 1  # what is in src goes, the rules are a file, too


async def test_a_checkout_of_another_branch_is_followed(root, memory):
    def git(*arguments):
        own = ["-c", "user.name=A", "-c", "user.email=a@b", "-C", str(root)]
        subprocess.run(["git", *own, *arguments], check=True, capture_output=True)

    shutil.rmtree(root / ".git")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-q", "-b", "many")
    for number in range(400):
        (root / "src" / f"many{number}.py").write_text(f"def many{number}():\n    return {number}\n")
    git("add", "-A")
    git("commit", "-qm", "many")
    git("checkout", "-q", "main")
    async with aclosing(memory.follow()) as follow:
        assert (await anext(follow)).report.files == 3
        git("checkout", "-q", "many")
        async with asyncio.timeout(30):
            while (await anext(follow)).report.files < 403:
                pass
        git("checkout", "-q", "main")
        async with asyncio.timeout(30):
            while (await anext(follow)).report.files > 3:
                pass


def test_index_watch_is_quiet_in_the_background_and_ends_with_ctrl_c(root, tmp_path):
    command = ["env", "--default-signal=INT", Path(sys.executable).with_name("agentinfra"), "index", "--watch"]
    own = {**os.environ, "AGENTINFRA_DATA_DIR": str(tmp_path / "data")}
    process = subprocess.Popen(
        [*command, "--json", "--workspace", str(root)], stdout=subprocess.PIPE, text=True, env=own
    )
    with process:
        try:
            assert json.loads(process.stdout.readline())["files"] == 3
            assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
            (root / "new.py").write_text("x = 1\n")
            assert json.loads(process.stdout.readline())["changed"] == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
