"""Which files are listed, and why others are left out."""

import os
import socket
import subprocess
import time

import pytest

from agentinfra.memory.workspace_files import MAX_BYTES, list_files, reason_to_skip


def listed(root):
    return [file.path for file in list_files(root)]


def skipped(root):
    told = {}
    list(list_files(root, told.__setitem__))
    return told


def write(root, **files):
    for name, content in files.items():
        place = root / name.replace("__", "/").replace("_DOT_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())


def reason(root, path, content, *, size=None):
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    if size is not None:
        os.truncate(place, size)
    return reason_to_skip(root, path, place.lstat(), content[:8192])


def test_files_come_folder_by_folder_by_name_with_time_and_size(tmp_path):
    write(tmp_path, b="22", a="1", z__y__c="333", m__d="4444")
    os.utime(tmp_path / "a", ns=(5, 1 << 62))
    files = list(list_files(tmp_path))
    assert [(file.path, file.size) for file in files] == [("a", 1), ("b", 2), ("m/d", 4), ("z/y/c", 3)]
    assert files[0].mtime_ns == 1 << 62
    assert files[1].mtime_ns == (tmp_path / "b").stat().st_ctime_ns


def test_symbolic_links_are_never_followed(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(root, a="x", inner__b="x")
    write(outside, secret="x")
    (root / "loop").symlink_to(root)
    (root / "inner" / "up").symlink_to("..")
    (root / "out").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "dangling").symlink_to("nowhere")
    assert listed(root) == ["a", "inner/b"]
    assert skipped(root) == dict.fromkeys(["dangling", "file", "inner/up", "loop", "out"], "a symbolic link")
    stat = (root / "out" / "secret").lstat()
    assert reason_to_skip(root, "out/secret", stat, b"x") == "behind a symbolic link"
    assert reason_to_skip(root, "file", (root / "file").lstat(), b"x") == "no regular file"


def test_pipes_and_sockets_are_left_alone(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert skipped(tmp_path) == {"pipe": "no regular file", "socket": "no regular file"}
        assert listed(tmp_path) == []


def test_names_of_any_bytes(tmp_path):
    names = [b"\xff\xfe.py", "é.py".encode(), b"new\nline.py", b"-x", b" ", b"[a].py", b"\\.py"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert sorted(os.fsencode(path) for path in listed(tmp_path)) == sorted(names)
    path = os.fsdecode(b"\xff\xfe.py")
    assert reason_to_skip(tmp_path, path, (tmp_path / path).lstat(), b"x") is None


def test_other_repositories_and_worktrees_inside_are_left_out(tmp_path):
    write(tmp_path, a="x", clone__b="x", linked__c="x", linked___DOT_git="gitdir: /nowhere")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "clone")], check=True)
    assert listed(tmp_path) == ["a"]
    other = "another repository or worktree"
    assert skipped(tmp_path) == {".git": "the repository's own files", "clone": other, "linked": other}
    assert reason_to_skip(tmp_path, "clone/b", (tmp_path / "clone" / "b").lstat(), b"x") == other
    assert reason_to_skip(tmp_path, ".git/config", (tmp_path / ".git" / "config").lstat(), b"") is not None


def test_a_folder_that_cannot_be_read_is_told_of(tmp_path):
    gone = tmp_path / "gone"
    assert listed(gone) == []
    assert skipped(gone) == {"": "cannot be read: No such file or directory"}


@pytest.mark.parametrize(
    "path",
    [
        "node_modules/a/b.js",
        "x/.venv/lib/a.py",
        "dist/a.js",
        "build/a.py",
        "a/__pycache__/b.pyc",
        "vendor/a.go",
        ".ruff_cache/a",
    ],
)
def test_vendored_and_built_folders_are_left_out(tmp_path, path):
    assert "ignored by the built-in rules" in str(reason(tmp_path, path, b"x"))
    assert listed(tmp_path) == []


@pytest.mark.parametrize("path", ["package-lock.json", "x/uv.lock", "Cargo.lock", "a.min.js", "go.sum", "a.js.map"])
def test_locks_and_minified_files_are_left_out_by_name(tmp_path, path):
    assert "ignored by the built-in rules" in str(reason(tmp_path, path, b"x"))


def test_a_path_from_elsewhere_is_judged_by_every_folders_rules(tmp_path):
    write(tmp_path, _DOT_gitignore="*.log\n/out/\n", a___DOT_gitignore="!keep.log\n")
    assert reason(tmp_path, "a/b/x.log", b"x") == "ignored by .gitignore: *.log"
    assert reason(tmp_path, "a/b/keep.log", b"x") is None
    assert reason(tmp_path, "out/deep/a.py", b"x") == "ignored by .gitignore: /out/"
    assert reason_to_skip(tmp_path, "out/deep/a.py", (tmp_path / "out/deep/a.py").lstat(), b"x", listed=True) is None
    (tmp_path / ".gitignore").write_text("*.py\n")  # read anew
    assert reason(tmp_path, "a/b/x.log", b"x") is None
    assert reason(tmp_path, "a/b/x.py", b"x") == "ignored by .gitignore: *.py"


def test_a_huge_file_is_left_out_unread(tmp_path):
    assert reason(tmp_path, "a.py", b"x", size=MAX_BYTES) is None
    assert reason(tmp_path, "b.py", b"x", size=MAX_BYTES + 1) == "larger than 1,000,000 bytes"
    assert reason(tmp_path, "c.py", b"x", size=2**30) == "larger than 1,000,000 bytes"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", None),
        ("naïve 😀\n".encode() * 2000, None),
        ("naïve".encode("latin-1"), None),
        ("naïve".encode("utf-16"), None),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (b"\x80\x03c\x01\x02" * 20, "binary"),
        (bytes(range(128, 256)) * 4, "binary"),
        (b"# Generated by the protocol buffer compiler.  DO NOT EDIT!\nx = 1\n", "generated by a program"),
        (b"// Code generated by stringer; DO NOT EDIT.\n", "generated by a program"),
        (b"/*\n * @generated by a tool\n */\n", "generated by a program"),
        (b"<!-- This file is auto-generated by x -->\n", "generated by a program"),
        (b"text = 'Code generated by hand'\n", None),
        (b"# How ids are generated, and why\n", None),
        (b"var a=" + b"1," * 2000, "minified or data: its lines are very long"),
        (b"short();\n" * 900, None),
    ],
)
def test_what_stands_in_a_file_may_be_a_reason(tmp_path, content, expected):
    assert reason(tmp_path, "a.js", content) == expected


def test_prose_may_have_long_lines(tmp_path):
    assert reason(tmp_path, "a.md", b"word " * 1000) is None


def test_many_files_are_listed_fast(tmp_path):
    write(tmp_path, _DOT_gitignore="*.log\n/out/\n*.tmp\n!keep.tmp\ndocs/**/x\n")
    for folder in range(50):
        place = tmp_path / f"package{folder}"
        place.mkdir()
        for number in range(60):
            (place / f"module{number}.py").touch()
    start = time.process_time()
    assert len(listed(tmp_path)) == 3001
    assert time.process_time() - start < 1  # ten times what it takes
