from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import PatchError
from agentinfra.patching.gate import MAX_FILE_BYTES, MAX_FILES, check_path, check_paths, check_size


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("app.py", "app.py"),
        ("./src//app.py", "src/app.py"),
        ("src/./app.py", "src/app.py"),
        ("été.py", "été.py"),
        ("gitignore", "gitignore"),
        (".gitignore", ".gitignore"),
        (".github/CODEOWNERS", ".github/CODEOWNERS"),
        ("a b/c d.txt", "a b/c d.txt"),
        ("console.py", "console.py"),
    ],
)
def test_ordinary_paths_get_one_spelling(tmp_path: Path, path: str, canonical: str):
    assert check_path(tmp_path, path) == canonical


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "src/",
        "/etc/passwd",
        "~/.ssh/config",
        "../outside.py",
        "src/../../outside.py",
        "C:/windows.py",
        "C:\\windows.py",
        "src\\app.py",
        "app.py:stream",
        "a\0b.py",
        "a\nb.py",
        "a\u200bb.py",
        "a\u202eb.py",
        "\udc80.py",
        "what?.py",
    ],
)
def test_paths_that_leave_the_tree_or_can_be_misread_are_refused(tmp_path: Path, path: str):
    with pytest.raises(PatchError, match="refused"):
        check_path(tmp_path, path)


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".GIT/hooks/pre-commit",
        "sub/.git",
        ".git./config",
        ".git /config",
        "git~1/config",
        ".ｇit/config",
    ],
)
def test_nothing_is_written_into_gits_own_folder(tmp_path: Path, path: str):
    with pytest.raises(PatchError, match="git's own folder"):
        check_path(tmp_path, path)


@pytest.mark.parametrize(
    "path",
    [
        ".vscode/settings.json",
        ".VSCode/tasks.json",
        "pkg/.vscode/settings.json",
        "my.code-workspace",
        ".idea/workspace.xml",
        ".devcontainer/devcontainer.json",
        ".github/workflows/ci.yml",
        ".mcp.json",
        ".cursor/rules",
        ".claude/settings.json",
        "AGENTS.md",
        "docs/agents.md",
        ".agentinfra/settings.toml",
        ".envrc",
        ".gitattributes",
        ".gitmodules",
        ".pre-commit-config.yaml",
        ".agentinfra-patch/journal.json",
    ],
)
def test_files_that_steer_tools_are_protected(tmp_path: Path, path: str):
    with pytest.raises(PatchError, match="protected"):
        check_path(tmp_path, path)


@pytest.mark.parametrize("path", ["nul", "src/con.txt", "a /b.py", "a./b.py", " a.py", "a.py."])
def test_names_that_some_systems_cannot_hold_are_refused(tmp_path: Path, path: str):
    with pytest.raises(PatchError, match="refused"):
        check_path(tmp_path, path)


def test_links_are_never_followed(tmp_path: Path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file.py").symlink_to(outside / "file.py")
    for path in ("folder/app.py", "file.py"):
        with pytest.raises(PatchError, match="symbolic link"):
            check_path(root, path)


def test_only_ordinary_files_in_ordinary_folders_are_targets(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    for path in ("folder", "file/app.py"):
        with pytest.raises(PatchError, match="no ordinary"):
            check_path(tmp_path, path)


@pytest.mark.parametrize("paths", [["a.py", "A.py"], ["a.py", "./a.py"], ["a", "a/b.py"], ["A/b/c.py", "a/b"]])
def test_paths_that_clash_with_each_other_are_refused(tmp_path: Path, paths: list[str]):
    with pytest.raises(PatchError, match="refused"):
        check_paths(tmp_path, paths)


def test_paths_beside_each_other_pass(tmp_path: Path):
    assert check_paths(tmp_path, ["a/b.py", "./a/c.py"]) == {"a/b.py": "a/b.py", "./a/c.py": "a/c.py"}


@pytest.mark.parametrize(
    "files",
    [{"a.py": "x" * (MAX_FILE_BYTES + 1)}, {f"{n}.py": "" for n in range(MAX_FILES + 1)}],
    ids=["one large", "many"],
)
def test_sizes_are_limited(files: dict[str, str]):
    with pytest.raises(PatchError, match="too large"):
        check_size(files)
    check_size({"a.py": "x" * MAX_FILE_BYTES})


@settings(deadline=None)
@given(st.text(st.sampled_from(list("a./\\~ gitGIT:\0")), max_size=12))
def test_what_passes_stays_inside_and_out_of_git(path: str):
    root = Path("/nonexistent-root")
    try:
        canonical = check_path(root, path)
    except PatchError:
        return
    parts = canonical.split("/")
    assert (root / canonical).is_relative_to(root)
    assert not {"", ".", "..", ".git"} & {part.lower() for part in parts}
    assert check_path(root, canonical) == canonical
