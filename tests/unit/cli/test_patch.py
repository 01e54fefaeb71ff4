import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agentinfra.cli.main import commands

PATCH = "a.txt\n<<<<<<< SEARCH\none\n=======\nONE\n>>>>>>> REPLACE\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "patch.txt").write_text(PATCH)
    return tmp_path


def apply(root: Path, *options: str, text: str = "") -> Result:
    return CliRunner().invoke(commands, ["patch", "apply", "--root", str(root / "tree"), *options], input=text)


def read(root: Path) -> str:
    return (root / "tree" / "a.txt").read_text()


def test_a_file_with_a_patch_is_applied(root: Path) -> None:
    result = apply(root, str(root / "patch.txt"))
    assert (result.exit_code, result.output) == (0, "changed a.txt: line 1 (exact)\n")
    assert read(root) == "ONE\ntwo\n"


@pytest.mark.parametrize("options", [["-"], []])
def test_standard_input_is_read_where_no_file_is_named(root: Path, options: list[str]) -> None:
    assert apply(root, *options, text=f"Here you are:\n{PATCH}").exit_code == 0
    assert read(root) == "ONE\ntwo\n"


def test_this_folder_is_the_tree_by_default(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "tree")
    assert CliRunner().invoke(commands, ["patch", "apply"], input=PATCH).exit_code == 0
    assert read(root) == "ONE\ntwo\n"


def test_a_dry_run_writes_nothing(root: Path) -> None:
    result = apply(root, "--dry-run", text=PATCH)
    assert result.exit_code == 0
    assert "changed a.txt: line 1 (exact)\nnothing was written" in result.output
    assert read(root) == "one\ntwo\n"


def test_a_refused_patch_exits_with_1_and_leaves_the_tree(root: Path) -> None:
    result = apply(root, text=PATCH.replace("one", "three"))
    assert result.exit_code == 1
    assert "✗ 1 of 1 changes do not fit" in result.stderr
    assert "next: Send all of them again" in result.stderr
    assert read(root) == "one\ntwo\n"


def test_what_is_no_patch_exits_with_2(root: Path) -> None:
    result = apply(root, text="I cannot do that.")
    assert result.exit_code == 2
    assert "✗ This is not a patch" in result.stderr


@pytest.mark.parametrize(
    ("format", "code"), [("search-replace", 0), ("unified", 2), ("v4a", 2), ("whole", 2), ("ed", 2)]
)
def test_only_the_named_format_is_looked_for(root: Path, format: str, code: int) -> None:
    assert apply(root, "--format", format, text=PATCH).exit_code == code
    assert read(root) == ("ONE\ntwo\n" if code == 0 else "one\ntwo\n")


def test_json_tells_what_was_done(root: Path) -> None:
    told = json.loads(apply(root, "--json", text=PATCH).stdout)
    file = {"path": "a.txt", "change": "changed", "hunks": [{"line": 1, "step": "exact"}], "moved_from": ""}
    assert told == {"applied": True, "files": [file], "notes": [], "dry_run": False}


@pytest.mark.parametrize(("text", "code", "is_patch"), [(PATCH.replace("one", "x"), 1, True), ("prose", 2, False)])
def test_json_tells_what_was_refused(root: Path, text: str, code: int, is_patch: bool) -> None:
    result = apply(root, "--json", text=text)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["applied"], told["is_patch"]) == (code, False, is_patch)
    assert told["what"]
    assert told["next_step"]


def test_control_characters_of_a_patch_do_not_reach_the_terminal(root: Path) -> None:
    result = apply(root, text=PATCH.replace("one", "\x1b]0;owned\x07three"))
    assert result.exit_code == 1
    assert "\x1b" not in result.stderr


def test_a_patch_that_cannot_be_read_is_bad_input(root: Path) -> None:
    assert apply(root, str(root / "missing")).exception is not None
    (root / "bytes").write_bytes(b"\xff")
    assert "no UTF-8" in str(apply(root, str(root / "bytes")).exception)
