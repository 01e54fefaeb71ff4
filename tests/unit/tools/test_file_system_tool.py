from __future__ import annotations

from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, PatchError
from agentinfra.core.messages import ToolCall
from agentinfra.tools import FileSystemTool
from agentinfra.tools.registry import ToolRegistry


@pytest.fixture
def files(tmp_path: Path) -> FileSystemTool:
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "root").mkdir()
    return FileSystemTool(tmp_path / "root")


def test_what_is_written_is_read_and_listed(files: FileSystemTool) -> None:
    files.write_file("pkg/schön 1.py", "x = 'ä'\n")
    assert files.read_file("pkg/schön 1.py") == "x = 'ä'\n"
    assert files.list_files() == ["pkg/schön 1.py"]


def test_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = FileSystemTool()
    monkeypatch.chdir(tmp_path)
    tool.write_file("a.txt", "a")
    assert (tmp_path / "a.txt").read_text() == "a"


@pytest.mark.parametrize("path", ["../outside.txt", "link.txt", "folder/outside.txt", ".git/config", ""])
def test_nothing_outside_is_reached(files: FileSystemTool, path: str) -> None:
    root = files.root
    (root / "link.txt").symlink_to(root.parent / "outside.txt")
    (root / "folder").symlink_to(root.parent)
    for attempt in (lambda: files.read_file(path), lambda: files.write_file(path, "x")):
        with pytest.raises(PatchError):
            attempt()
    with pytest.raises(PatchError):
        files.read_file(str(root.parent / "outside.txt"))
    assert (root.parent / "outside.txt").read_text() == "secret"
    assert files.list_files() == []


@pytest.mark.parametrize("name", [".env", "sub/.env.local", "server.pem", ".ssh/id_ed25519", ".aws/credentials"])
def test_files_that_hold_keys_are_not_read(files: FileSystemTool, name: str) -> None:
    (files.root / name).parent.mkdir(exist_ok=True)
    (files.root / name).write_text("KEY=1")
    with pytest.raises(InputError, match="hold keys"):
        files.read_file(name)


def test_what_is_no_readable_text_is_named(files: FileSystemTool) -> None:
    (files.root / "raw.bin").write_bytes(b"\xff\x00")
    (files.root / "large.txt").write_bytes(b"x" * ((1 << 20) + 1))
    for path, reason in (("raw.bin", "not text"), ("large.txt", "too large"), ("none.txt", "No such file")):
        with pytest.raises(InputError, match=reason):
            files.read_file(path)


async def test_a_model_reads_writes_and_lists(files: FileSystemTool) -> None:
    registry = ToolRegistry([files])

    async def ask(**arguments: str) -> tuple[str, bool]:
        result = await registry.call(ToolCall("1", "file_system", arguments))
        return result.content, result.is_error

    assert await ask(operation="write", path="a.py", content="") == ("Wrote a.py", False)
    assert await ask(operation="write", path="b.py", content="b = 1\n") == ("Wrote b.py", False)
    assert await ask(operation="list") == ("a.py\nb.py", False)
    assert await ask(operation="read", path="b.py") == ("b = 1\n", False)
    assert (await ask(operation="read"))[1]
    assert "needs content" in (await ask(operation="write", path="c.py"))[0]
    assert (await ask(operation="write", path="../c.py", content="x"))[1]
    assert (await ask(operation="erase"))[1]


async def test_inside_a_loop_the_asynchronous_form_is_named(files: FileSystemTool) -> None:
    with pytest.raises(InputError, match=r"await tool\.aread_file"):
        files.read_file("a.py")
    with pytest.raises(InputError, match=r"await tool\.awrite_file"):
        files.write_file("a.py", "")
    with pytest.raises(InputError, match=r"await tool\.alist_files"):
        files.list_files()
