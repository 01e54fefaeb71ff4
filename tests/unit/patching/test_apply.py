import asyncio
import json
import multiprocessing
import os
import random
import resource
import signal
import stat
import time
from pathlib import Path

import pytest

from agentinfra.core.errors import PatchError
from agentinfra.patching.apply import TreeChange, apply_files, apply_made, recover
from agentinfra.patching.gate import STAGING


def tree(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


async def test_files_are_replaced_and_made_with_their_folders(tmp_path: Path):
    (tmp_path / "a.py").write_text("old")
    await apply_files(tmp_path, {"a.py": "new\r\n", "pkg/sub/b.py": "ß"})
    assert (tmp_path / "a.py").read_bytes() == b"new\r\n"
    assert (tmp_path / "pkg/sub/b.py").read_text(encoding="utf-8") == "ß"
    assert not (tmp_path / STAGING).exists()


async def test_an_executable_file_stays_executable(tmp_path: Path):
    script = tmp_path / "run.sh"
    script.write_text("old")
    script.chmod(0o755)
    await apply_files(tmp_path, {"run.sh": "new"})
    assert stat.S_IMODE(script.stat().st_mode) == 0o755


async def test_one_refused_path_refuses_all(tmp_path: Path):
    (tmp_path / "a.py").write_text("old")
    with pytest.raises(PatchError, match="refused"):
        await apply_files(tmp_path, {"a.py": "new", "b/c.py": "new", "../d.py": "new"})
    assert tree(tmp_path) == {"a.py": "old"}
    assert not (tmp_path / "b").exists()


async def test_a_text_that_cannot_be_encoded_changes_nothing(tmp_path: Path):
    (tmp_path / "a.py").write_text("old")
    with pytest.raises(PatchError, match="could not be written"):
        await apply_files(tmp_path, {"a.py": "new", "b.py": "\udc80"})
    assert tree(tmp_path) == {"a.py": "old"}


@pytest.fixture
def few_descriptors():
    """Let the process open only a few files more, so that a deep path fails at the moment of its rename."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 15, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_failure_between_two_renames_is_rolled_back(tmp_path: Path, few_descriptors: None):
    (tmp_path / "a.py").write_text("old")
    deep = "/".join("d" * 40) + "/c.py"
    with pytest.raises(PatchError, match="could not be written"):
        await apply_files(tmp_path, {"a.py": "new", "fresh/b.py": "new", deep: "new"})
    assert tree(tmp_path) == {"a.py": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


async def test_a_missing_root_is_a_clear_error(tmp_path: Path):
    with pytest.raises(PatchError, match="could not be written"):
        await apply_files(tmp_path / "missing", {"a.py": ""})


async def test_two_patches_at_once_do_not_mix(tmp_path: Path):
    results = await asyncio.gather(
        *(apply_files(tmp_path, {f"{name}.py": str(n) for name in "abcdefgh"}) for n in range(6)),
        return_exceptions=True,
    )
    assert all(result is None or isinstance(result, PatchError) for result in results)
    assert None in results
    assert len(set(tree(tmp_path).values())) == 1


async def test_cancelling_waits_until_the_tree_is_whole(tmp_path: Path):
    task = asyncio.create_task(apply_files(tmp_path, {f"{n}.py": "x" for n in range(200)}))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(tree(tmp_path)) in (0, 200)
    await apply_files(tmp_path, {"a.py": "after"})


async def test_without_a_crash_there_is_nothing_to_recover(tmp_path: Path):
    assert not await recover(tmp_path)


@pytest.mark.parametrize(
    "journal",
    [
        "{",
        "[]",
        '{"entries": [{"path": "../victim", "existed": false}], "folders": []}',
        '{"entries": [], "folders": [".."]}',
    ],
)
async def test_a_journal_that_came_with_the_tree_harms_nothing(tmp_path: Path, journal: str):
    root = tmp_path / "root"
    (root / STAGING).mkdir(parents=True)
    (root / STAGING / "journal.json").write_text(journal)
    (tmp_path / "victim").write_text("precious")
    with pytest.raises(PatchError, match="cannot be undone"):
        await recover(root)
    assert (tmp_path / "victim").read_text() == "precious"


async def test_a_journal_cannot_reach_through_a_link(tmp_path: Path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / STAGING).mkdir(parents=True)
    outside.mkdir()
    (outside / "victim").write_text("precious")
    (root / "link").symlink_to(outside)
    entries = [{"path": "link/victim", "existed": False}]
    (root / STAGING / "journal.json").write_text(json.dumps({"entries": entries, "folders": []}))
    with pytest.raises(PatchError):
        await recover(root)
    assert (outside / "victim").read_text() == "precious"


def write_for_ever(root: str) -> None:
    generation = 0
    while True:
        generation += 1
        files = {f"d{n % 7}/{n}.py": str(generation) for n in range(60)} | {
            f"new{generation}/{n}.py": "x" for n in range(3)
        }
        asyncio.run(apply_files(Path(root), files))


async def test_kill_in_the_middle_leaves_all_or_nothing(tmp_path: Path):
    for number in range(4):
        root = tmp_path / str(number)
        root.mkdir()
        process = multiprocessing.get_context("spawn").Process(target=write_for_ever, args=(str(root),))
        process.start()
        deadline = time.monotonic() + 60
        while not (root / "new2").exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(random.uniform(0.0, 0.1))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        await recover(root)
        assert len({text for path, text in tree(root).items() if path.startswith("d")}) == 1
        assert all(len(list(folder.iterdir())) == 3 for folder in root.glob("new*"))
        assert not (root / STAGING).exists()


async def test_files_are_deleted_with_the_folders_that_they_leave_empty(tmp_path: Path):
    for path in ("a.py", "only/deep/b.py", "both/c.py", "both/d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("old")
    await apply_files(tmp_path, {"a.py": None, "only/deep/b.py": None, "both/c.py": None, "new.py": "new"})
    assert tree(tmp_path) == {"both/d.py": "old", "new.py": "new"}
    assert not (tmp_path / "only").exists()


async def test_a_file_that_is_not_there_cannot_be_deleted(tmp_path: Path):
    (tmp_path / "a.py").write_text("old")
    with pytest.raises(PatchError, match=r"b\.py cannot be deleted"):
        await apply_files(tmp_path, {"a.py": "new", "b.py": None})
    assert tree(tmp_path) == {"a.py": "old"}
    assert not (tmp_path / STAGING).exists()


async def test_deleting_passes_the_gate(tmp_path: Path):
    (tmp_path / "root" / ".vscode").mkdir(parents=True)
    (tmp_path / "root" / ".vscode" / "settings.json").write_text("{}")
    (tmp_path / "outside").write_text("precious")
    for path in ("../outside", ".vscode/settings.json"):
        with pytest.raises(PatchError, match="refused"):
            await apply_files(tmp_path / "root", {path: None})
    assert (tmp_path / "outside").exists()
    assert (tmp_path / "root" / ".vscode" / "settings.json").exists()


async def test_a_deletion_is_rolled_back_with_the_rest(tmp_path: Path, few_descriptors: None):
    (tmp_path / "a.py").write_text("old")
    deep = "/".join("d" * 40) + "/c.py"
    with pytest.raises(PatchError, match="could not be written"):
        await apply_files(tmp_path, {"a.py": None, deep: "new"})
    assert tree(tmp_path) == {"a.py": "old"}


async def test_a_moved_file_keeps_its_mode(tmp_path: Path):
    (tmp_path / "run.sh").write_text("old")
    (tmp_path / "run.sh").chmod(0o755)
    await apply_made(tmp_path, lambda: TreeChange({"run.sh": None, "bin/run": "new"}, {"bin/run": "run.sh"}))
    assert tree(tmp_path) == {"bin/run": "new"}
    assert stat.S_IMODE((tmp_path / "bin/run").stat().st_mode) == 0o755


async def test_what_is_made_sees_the_tree_as_it_was_before_a_crash(tmp_path: Path):
    (tmp_path / "a.py").write_text("half")
    (tmp_path / STAGING).mkdir()
    (tmp_path / STAGING / "old-0").write_text("whole")
    entries = [{"path": "a.py", "existed": True}]
    (tmp_path / STAGING / "journal.json").write_text(json.dumps({"entries": entries, "folders": []}))
    seen: list[str] = []

    def make() -> TreeChange:
        seen.append((tmp_path / "a.py").read_text())
        return TreeChange({})

    await apply_made(tmp_path, make)
    assert seen == ["whole"]
    assert tree(tmp_path) == {"a.py": "whole"}
