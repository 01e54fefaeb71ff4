"""Ignore rules decide as git does: compared with git itself."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentinfra.memory.ignore_rules import parse_rule
from agentinfra.memory.workspace_files import list_files

NAMES = ["a", "b", "ab", "a.py", "b.txt", "é b", "x-1"]
PIECES = [
    "a",
    "b",
    "*",
    "**",
    "?",
    "*.py",
    "a*",
    "[ab]",
    "[!a]",
    "a.py",
    "\\*",
    "é b",
    "ab",
    "[a-b]b",
    "x-[0-9]",
    "*.*",
]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


@st.composite
def patterns(draw):
    body = "/".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3)))
    mark, start, end = (
        draw(st.sampled_from(choice)) for choice in (["", "", "!"], ["", "", "/"], ["", "/", " ", "\r"])
    )
    return f"{mark}{start}{body}{end}"


ignore_file = st.lists(patterns(), max_size=5).map("\n".join)


def git(root, *words):
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True).stdout


def write_tree(root: Path, files: list[str]) -> None:
    for path in files:
        place = root / path
        if not any(parent.is_file() for parent in place.parents) and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("x")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(paths, min_size=1, max_size=12), top=ignore_file, deep=ignore_file, exclude=ignore_file)
def test_the_same_files_are_left_as_by_git(tmp_path_factory, files, top, deep, exclude):
    root = tmp_path_factory.mktemp("tree")
    git(root, "init", "-q")
    write_tree(root, files)
    (root / ".gitignore").write_text(top)
    if (root / "a").is_dir():
        (root / "a" / ".gitignore").write_text(deep)
    (root / ".git" / "info" / "exclude").write_text(exclude)
    expected = git(root, "ls-files", "-o", "--exclude-standard", "-z").decode().split("\0")[:-1]
    assert sorted(file.path for file in list_files(root)) == sorted(expected)


@pytest.mark.parametrize("line", ["", "# comment", "   ", "[a", "a\\", "!", "/"])
def test_a_line_that_can_match_nothing_is_no_rule(line):
    assert parse_rule(line) is None


@pytest.mark.parametrize(
    ("line", "path", "matches"),
    [
        ("\\#a", "#a", True),
        ("\\!a", "!a", True),
        ("a\\ ", "a ", True),
        ("a  ", "a", True),
        ("[]-]", "]", True),
        ("a[^b]", "ab", False),
    ],
)
def test_marks_can_be_escaped(line, path, matches):
    rule = parse_rule(line)
    assert rule is not None
    assert bool(rule.regex.fullmatch(path)) is matches


def test_our_own_file_counts_more_than_gits_and_than_the_built_in_rules(tmp_path):
    write_tree(tmp_path, ["build/a.py", "kept.log", "left.py", "node_modules/x/b.js"])
    (tmp_path / ".gitignore").write_text("*.log\n!node_modules/\n")
    (tmp_path / ".agentinfraignore").write_text("!build/\n!kept.log\nleft.py\n")
    told = {}
    listed = {file.path for file in list_files(tmp_path, told.__setitem__)}
    assert listed == {".agentinfraignore", ".gitignore", "build/a.py", "kept.log"}
    assert told == {
        "left.py": "ignored by .agentinfraignore: left.py",
        "node_modules": "ignored by the built-in rules: node_modules/",
    }


def test_rules_above_a_workspace_inside_a_repository_hold(tmp_path):
    git(tmp_path, "init", "-q")
    write_tree(tmp_path, ["inner/work/a.py", "inner/work/b.log", "inner/work/c.tmp", "inner/work/d.x"])
    (tmp_path / ".gitignore").write_text("inner/*/b.log\n")
    (tmp_path / "inner" / ".gitignore").write_text("/work/c.tmp\n")
    (tmp_path / ".git" / "info" / "exclude").write_text("d.x\n")
    assert [file.path for file in list_files(tmp_path / "inner" / "work")] == ["a.py"]


def test_a_linked_worktree_has_the_excludes_of_its_repository(tmp_path):
    main, linked = tmp_path / "main", tmp_path / "linked"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "x")
    git(main, "worktree", "add", "-q", str(linked))
    (main / ".git" / "info" / "exclude").write_text("*.x\n")
    write_tree(linked, ["a.x", "a.py"])
    assert [file.path for file in list_files(linked)] == ["a.py"]


def test_a_rule_for_folders_leaves_files_of_that_name(tmp_path):
    write_tree(tmp_path, ["a/x.py", "b/a", "b/x.py"])
    (tmp_path / ".gitignore").write_text("a/\n")
    assert [file.path for file in list_files(tmp_path)] == [".gitignore", "b/a", "b/x.py"]
