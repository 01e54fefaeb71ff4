"""What is particular to the backend; what every sandbox must hold is in test_conformance.py."""

import asyncio
from pathlib import Path

import pytest

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxCommand
from agentinfra.security.sandbox.bubblewrap import Bubblewrap


def command(scratch, *argv, **more):
    return SandboxCommand(argv, scratch, **more)


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_it_has_a_name_for_people():
    assert Bubblewrap().name == "bubblewrap"


async def test_the_environment_is_the_given_one_over_a_small_base(tmp_path):
    code = "import os; print(sorted(os.environ), os.environ['USER'], os.environ['EXTRA'])"
    result = await Bubblewrap().run(command(tmp_path, "python", "-c", code, env={"USER": "me", "EXTRA": "ä=1"}))
    base = ["HOME", "LANG", "PATH", "PWD", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE", "PYTHONPATH", "USER"]
    assert result.stdout == f"{sorted([*base, 'EXTRA'])} me ä=1\n"


async def test_the_working_directory_is_the_scratch_folder_at_its_own_path(tmp_path):
    result = await Bubblewrap().run(command(tmp_path, "pwd"))
    assert result.stdout == f"{tmp_path}\n"


async def test_a_scratch_folder_behind_a_link_keeps_the_name_it_was_given(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    await Bubblewrap().run(command(tmp_path / "link", "python", "-c", f"open('{tmp_path}/link/new', 'w')"))
    assert (tmp_path / "real" / "new").exists()


async def test_read_only_folders_are_visible_but_not_writable_even_within_the_scratch_folder(tmp_path):
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    within = scratch / "tests"
    for folder in (outside, within):
        folder.mkdir(parents=True)
        (folder / "file").write_text("kept")
    code = f"""
for folder in ({str(outside)!r}, {str(within)!r}):
    print(open(folder + "/file").read())
    try:
        open(folder + "/file", "w")
    except OSError as error:
        print(error.strerror)
open("free", "w")
"""
    read_only = (outside, within)
    result = await Bubblewrap().run(command(scratch, "python", "-c", code, read_only=read_only))
    assert result.stdout == "kept\nRead-only file system\n" * 2
    assert (scratch / "free").exists() and (within / "file").read_text() == "kept"


async def test_a_program_that_does_not_exist_is_the_commands_failure(tmp_path):
    result = await Bubblewrap().run(command(tmp_path, "no-such-program"))
    assert result.exit_code == 127 and "no-such-program" in result.stderr


@pytest.mark.parametrize("folder", ["scratch", "read_only"])
async def test_a_missing_folder_is_a_sandbox_error(tmp_path, folder):
    gone = tmp_path / "gone"
    wrong = command(gone, "true") if folder == "scratch" else command(tmp_path, "true", read_only=(gone,))
    with pytest.raises(SandboxError, match="cannot be shown"):
        await Bubblewrap().run(wrong)


async def test_a_failing_bubblewrap_is_told_apart_from_a_failing_command(tmp_path):
    failing = Path("/usr/bin/false")
    with pytest.raises(SandboxError, match="could not start") as caught:
        await Bubblewrap(failing).run(command(tmp_path, "true"))
    assert caught.value.next_step
    assert (await Bubblewrap().run(command(tmp_path, "false"))).exit_code == 1


async def test_a_missing_bubblewrap_is_a_sandbox_error(tmp_path):
    with pytest.raises(SandboxError):
        await Bubblewrap(tmp_path / "bwrap").run(command(tmp_path, "true"))


async def test_several_run_at_once_and_leave_no_descriptor_open(tmp_path):
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    before = open_descriptors()
    results = await asyncio.gather(*(Bubblewrap().run(command(folder, "pwd")) for folder in folders))
    assert [result.stdout for result in results] == [f"{folder}\n" for folder in folders]
    assert open_descriptors() == before


async def test_a_variable_cannot_smuggle_options_in(tmp_path):
    with pytest.raises(SandboxError, match="NUL"):
        await Bubblewrap().run(command(tmp_path, "true", env={"A": "1\0--bind\0/\0/"}))
