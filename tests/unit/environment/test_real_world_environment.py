from __future__ import annotations

from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, PatchError, SandboxError
from agentinfra.core.interfaces import SandboxCommand, SandboxResult
from agentinfra.environment import RealWorldEnvironment
from agentinfra.environment.base_environment import RunCommand, WriteFiles
from agentinfra.security.sandbox.unsandboxed import Unsandboxed


class BrokenSandbox:
    name = "broken"

    async def run(self, command: SandboxCommand) -> SandboxResult:
        raise SandboxError(f"No sandbox for {command.scratch}")


@pytest.fixture
def world(tmp_path: Path) -> RealWorldEnvironment:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.py").write_text("print('hi')\n")
    return RealWorldEnvironment(tmp_path / "root", Unsandboxed())


def test_files_go_through_the_gate(world: RealWorldEnvironment) -> None:
    assert world.step(WriteFiles({"pkg/b.py": "x = 1\n"})).files == ("a.py", "pkg/b.py")
    assert (world.root / "pkg" / "b.py").read_text() == "x = 1\n"
    with pytest.raises(PatchError):
        world.step(WriteFiles({"ok.py": "", "../evil.py": ""}))
    assert world.reset().files == ("a.py", "pkg/b.py")


def test_commands_see_a_copy_and_cannot_change_the_folder(world: RealWorldEnvironment) -> None:
    program = "open('new.txt', 'w').write('x'); exec(open('a.py').read()); print('\\x1b[31mred'); raise SystemExit(3)"
    seen = world.step(RunCommand(("python", "-c", program)))
    assert (seen.text, seen.ok, seen.files) == ("hi\nred\n", False, ("a.py",))
    assert world.step(RunCommand(("python", "a.py"))).ok


def test_what_is_not_the_projects_own_is_not_listed(world: RealWorldEnvironment) -> None:
    (world.root / "link").symlink_to("/etc")
    (world.root / ".git").mkdir()
    (world.root / ".git" / "config").write_text("")
    assert world.observe().files == ("a.py",)


async def test_a_broken_sandbox_runs_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "root").mkdir()
    world = RealWorldEnvironment(tmp_path / "root", BrokenSandbox())
    with pytest.raises(SandboxError):
        await world.astep(RunCommand(("true",)))
    assert [path.name for path in tmp_path.glob("agentinfra-world-*")] == []


async def test_inside_a_loop_the_asynchronous_form_is_named(world: RealWorldEnvironment) -> None:
    for call, name in ((world.observe, "aobserve"), (world.reset, "areset")):
        with pytest.raises(InputError, match=f"await environment.{name}"):
            call()
    assert (await world.aobserve()).files == ("a.py",)
