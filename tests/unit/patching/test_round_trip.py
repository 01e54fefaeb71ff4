"""A patch made from any two trees gives the second; applied again it is refused or changes nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from patch_writers import WRITERS, Tree, unified

from agentinfra.core.errors import NotAPatch, PatchError
from agentinfra.patching.draft import draft
from agentinfra.patching.patch import Patch
from agentinfra.patching.read_patch import read_patch

WORDS = [
    "a",
    "b",
    "x = 1",
    "    return x",
    "\treturn",
    "",
    "",
    " ",
    "}",
    "--- a",
    "+++ b",
    "@@ -1 +1 @@",
    "*** x",
    "…“",
]
LINES = st.lists(st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=6))
ENDS = st.sampled_from(["\n", "\n", "\r\n"])
PATHS = st.sampled_from(["a.py", "b/c.txt", "b/d.py", "e.md"])


@st.composite
def texts(draw: st.DrawFn, *, any_end: bool = True) -> str:
    lines, end = draw(LINES), draw(ENDS)
    text = "".join(line + end for line in lines)
    return text.removesuffix(end) if any_end and draw(st.booleans()) else text


@st.composite
def two_trees(draw: st.DrawFn, *, any_end: bool = True) -> tuple[Tree, Tree]:
    before = draw(st.dictionaries(PATHS, texts(any_end=any_end), max_size=3))
    after = dict(draw(st.dictionaries(PATHS, texts(any_end=any_end), max_size=2)))
    for path, text in before.items():
        if draw(st.booleans()):
            after[path] = edited(draw, text)
    return before, after


def edited(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 2))] = draw(st.lists(st.sampled_from(WORDS), max_size=2))
    return "\n".join(lines)


def patched(tree: Tree, patch: Patch) -> dict[str, str]:
    result: dict[str, str | None] = {**tree, **draft(patch, tree.get).texts}
    return {path: text for path, text in result.items() if text is not None}


def check(before: Tree, after: Tree, text: str, format: str) -> None:
    try:
        patch = read_patch(text, format)
    except NotAPatch:
        assert before == after
        return
    assert patched(before, patch) == after
    try:
        assert patched(after, patch) == after
    except PatchError:
        assert before != after


@given(two_trees())
@settings(deadline=None)
@example(({"a.py": "a\n" * 7}, {"a.py": "a\n" * 8}))
@example(({"a.py": "a\n" * 8}, {"a.py": "a\n" * 7}))
@example(({"a.py": "-- a\n++ b\n"}, {"a.py": "-- b\n"}))
def test_git_diffs_of_any_two_trees(trees: tuple[Tree, Tree]) -> None:
    check(*trees, unified(*trees), "unified")


@given(two_trees())
@settings(deadline=None)
def test_plain_diffs_with_the_whole_file_as_context(trees: tuple[Tree, Tree]) -> None:
    before, after = trees
    # A plain diff has no way to say that a file without lines comes or goes.
    before = {path: text for path, text in before.items() if text or path in after}
    after = {path: text for path, text in after.items() if text or path in before}
    check(before, after, unified(before, after, git=False, context=10_000), "unified")


def without_strange_ends(tree: Tree) -> dict[str, str]:
    """Every file ends with a line end, and a line end is one everywhere."""
    return {path: text if not text or text.endswith("\n") else text + "\n" for path, text in tree.items()}


def with_plain_ends(tree: Tree) -> dict[str, str]:
    return {path: text.replace("\r\n", "\n").replace("\ufeff", "") for path, text in tree.items()}


@given(two_trees(any_end=False), st.sampled_from(["v4a", "search-replace", "whole"]))
@settings(deadline=None)
def test_formats_for_models(trees: tuple[Tree, Tree], format: str) -> None:
    before, after = without_strange_ends(trees[0]), without_strange_ends(trees[1])
    if format != "v4a":  # the only one of them that deletes
        after = {**before, **after}
    if format == "whole":  # it keeps the line ends and the byte order mark of the file that is there
        before, after = with_plain_ends(before), with_plain_ends(after)
    check(before, after, WRITERS[format](before, after), format)


@given(two_trees(any_end=False), st.sampled_from(["v4a", "search-replace", "unified"]))
@settings(max_examples=50, deadline=None)
def test_found_by_itself(trees: tuple[Tree, Tree], format: str) -> None:
    before, after = without_strange_ends(trees[0]), without_strange_ends(trees[1])
    if format == "search-replace":
        after = {**before, **after}
    text = f"Here is the change:\n\n``````\n{WRITERS[format](before, after)}``````\n\nThat is all.\n"
    if before != after:
        assert patched(before, read_patch(text)) == after


@pytest.mark.parametrize("seed", range(12))
def test_diffs_that_git_makes(tmp_path: Path, seed: int) -> None:
    before, after = generated(seed), generated(seed + 1)
    for name, tree in (("old", before), ("new", after)):
        for path, text in tree.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(text.encode())
    text = git_diff(tmp_path)
    check(before, after, text, "auto")
    plain = subprocess.run(["diff", "-ruN", "old", "new"], check=False, cwd=tmp_path, capture_output=True).stdout
    assert patched(before, read_patch(plain.decode())) == after


def generated(seed: int) -> dict[str, str]:
    """A tree of some files that has much in common with those of neighbouring seeds."""
    tree = {"src/ä b.py": "".join(f"line {n * (1 if n % 7 else seed)}\n" for n in range(60))}
    tree[f"moved{seed // 2}.txt"] = "".join(f"text {n}\r\n" for n in range(20 + seed % 2))
    if seed % 3:
        tree["sometimes"] = "no end" * (seed % 3)
    return tree


def git_diff(folder: Path) -> str:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "core.autocrlf=false"]
    shutil.copytree(folder / "old", folder / "work")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"], ["rm", "-rqf", "."]):
        subprocess.run([*git, *command], cwd=folder / "work", check=True)
    shutil.copytree(folder / "new", folder / "work", dirs_exist_ok=True)
    subprocess.run([*git, "add", "-A"], cwd=folder / "work", check=True)
    diff = [*git, "diff", "--cached", "-M", "--no-color", "--no-ext-diff"]
    return subprocess.run(diff, cwd=folder / "work", check=True, capture_output=True).stdout.decode()
