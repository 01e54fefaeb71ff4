"""Giving up root; the module has nothing to do, and nothing to test beyond its arguments, for an ordinary user."""

import asyncio
import os
import stat
import subprocess
from pathlib import Path

import pytest

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxCommand
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.security.sandbox.privileges import SANDBOX_UID, is_root, stage, take_back, unprivileged

AS_ROOT = os.geteuid() == 0


def test_is_root_knows():
    assert is_root() == AS_ROOT


def test_each_source_gets_one_place_outside_every_home():
    staged = stage([Path("/root/a"), Path("/root/b"), Path("/root/a")])
    assert list(staged) == [Path("/root/a"), Path("/root/b")]
    assert len(set(staged.values())) == 2


def test_the_command_comes_last_and_untouched():
    argv = unprivileged(("bwrap", "--x", "a b"), {Path("/a b"): Path("/sys/0")}, Path("/scratch"))
    assert argv[-6:] == ("/a b", "/sys/0", "--", "bwrap", "--x", "a b")


def host_uids(marker):
    """Real, effective, saved and file-system user ids of the processes that carry the marker in their command line."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (process / "cmdline").read_bytes():
                line = next(line for line in (process / "status").read_text().splitlines() if line.startswith("Uid:"))
                yield {int(uid) for uid in line.split()[1:]}
        except (FileNotFoundError, ProcessLookupError):
            continue


async def run(scratch, *argv):
    return await Bubblewrap().run(SandboxCommand(argv, scratch))


if AS_ROOT:

    async def test_nothing_inside_runs_as_root_of_the_host(tmp_path):
        task = asyncio.create_task(run(tmp_path, "sh", "-c", ": marker-4711; touch up; sleep 5"))
        while not (tmp_path / "up").exists():
            await asyncio.sleep(0.02)
        uids = [uids for uids in host_uids(b"marker-4711") if uids]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert uids and all(found == {SANDBOX_UID} for found in uids)

    async def test_the_scratch_folder_works_below_a_private_one_and_is_returned(tmp_path):
        private = tmp_path / "private"
        scratch = private / "scratch"
        (scratch / "folder").mkdir(parents=True)
        (scratch / "folder" / "old").write_text("old")
        (scratch / "folder" / "old").chmod(0o600)
        private.chmod(0o700)
        assert (
            await run(scratch, "sh", "-c", "cat folder/old; mkdir -p new/deep; touch new/deep/file")
        ).stdout == "old"
        owners = {path.stat().st_uid for path in [scratch, *scratch.rglob("*")]}
        assert owners == {os.geteuid()}
        assert (scratch / "new" / "deep" / "file").exists()

    async def test_it_is_returned_to_whom_it_belonged_also_after_cancelling(tmp_path):
        os.chown(tmp_path, 4321, 4322)
        task = asyncio.create_task(run(tmp_path, "sh", "-c", "touch file; sleep 20"))
        while not (tmp_path / "file").exists():
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert {(path.stat().st_uid, path.stat().st_gid) for path in (tmp_path, tmp_path / "file")} == {(4321, 4322)}

    async def test_what_is_removed_while_it_is_returned_is_no_error(tmp_path):
        for number in range(2000):
            (tmp_path / str(number)).mkdir()
            os.chown(tmp_path / str(number), SANDBOX_UID, SANDBOX_UID)

        def remove_from_the_end():
            for folder in reversed(list(tmp_path.iterdir())):
                folder.rmdir()

        await asyncio.gather(take_back(tmp_path, 0, 0), asyncio.to_thread(remove_from_the_end))
        assert list(tmp_path.iterdir()) == []

    async def test_what_cannot_be_returned_is_told(tmp_path):
        (tmp_path / "file").touch()
        os.chown(tmp_path / "file", SANDBOX_UID, SANDBOX_UID)
        with pytest.raises(SandboxError, match="left with the sandbox's owner"):
            await take_back(tmp_path, 0, 2**40)  # no such group

    async def test_a_set_user_id_program_does_not_come_back_as_one_of_root(tmp_path):
        await run(tmp_path, "sh", "-c", "cp /bin/true planted; chmod 6755 planted")
        planted = (tmp_path / "planted").stat()
        assert planted.st_uid == 0
        assert not planted.st_mode & (stat.S_ISUID | stat.S_ISGID)

    async def test_a_file_that_is_also_linked_elsewhere_keeps_its_owner_and_its_content(tmp_path):
        scratch, outside = tmp_path / "scratch", tmp_path / "outside"
        scratch.mkdir()
        outside.write_text("kept")
        outside.chmod(0o644)
        os.link(outside, scratch / "link")
        result = await run(scratch, "sh", "-c", "cat link; echo changed > link")
        assert result.stdout == "kept" and result.exit_code != 0
        assert outside.read_text() == "kept" and outside.stat().st_uid == 0

    async def test_links_in_the_scratch_folder_do_not_lead_the_owner_change_out(tmp_path):
        scratch, outside = tmp_path / "scratch", tmp_path / "outside"
        scratch.mkdir()
        outside.mkdir()
        (scratch / "link").symlink_to(outside)
        await run(scratch, "sh", "-c", f"ln -s {outside} second; sleep 0.1")
        assert {(scratch / name).lstat().st_uid for name in ("link", "second")} == {0}
        assert outside.stat().st_uid == 0 and outside.stat().st_ctime_ns <= scratch.stat().st_ctime_ns

    async def test_folders_nested_beyond_every_path_length_are_returned_too(tmp_path):
        code = "import os\nfor _ in range(1500):\n  os.mkdir('deep'); os.chdir('deep')\nopen('end', 'w')"
        try:
            assert (await run(tmp_path, "python", "-c", code)).exit_code == 0
            assert (tmp_path / "deep" / "deep").stat().st_uid == 0
        finally:
            # Too deep for pytest's own cleaning up.
            subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)
