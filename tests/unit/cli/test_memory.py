import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agentinfra.cli.main import commands
from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import InputError, StoreError


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "hikes").mkdir()
    return tmp_path / "hikes"


def memory(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(commands, ["memory", *arguments, "--workspace", str(workspace)])


def added(workspace: Path, *arguments: str) -> str:
    return memory(workspace, "add", *arguments).output.rpartition(" ")[2].strip()


def listed(workspace: Path, *options: str) -> list[dict[str, Any]]:
    return json.loads(memory(workspace, "list", "--json", *options).stdout)


def test_what_is_added_is_listed_with_its_kind_and_place(workspace: Path, tmp_path: Path) -> None:
    assert memory(workspace, "list").output == "Nothing is remembered here yet.\n"
    added(workspace, "Money is in cents.", "--kind", "rule", "--why", "floats round")
    added(workspace, "I like tabs.", "--user")
    kept = [(one["text"], one["kind"], one["scope"], one["why"], one["author"]) for one in listed(workspace)]
    assert kept == [
        ("Money is in cents.", "rule", "project", "floats round", "person"),
        ("I like tabs.", "fact", "user", "", "person"),
    ]
    assert [one["text"] for one in listed(workspace, "--kind", "rule")] == ["Money is in cents."]
    (tmp_path / "other").mkdir()
    assert [one["text"] for one in listed(tmp_path / "other")] == ["I like tabs."]
    shown = memory(workspace, "list").output
    assert "project  rule  Money is in cents." in shown
    assert "user     fact  I like tabs." in shown


def test_a_newer_decision_supersedes_and_the_older_stays_on_record(workspace: Path) -> None:
    for text in ("Round up.", "Round down."):
        added(workspace, text, "--kind", "decision", "--subject", "rounding")
    assert [one["text"] for one in listed(workspace)] == ["Round down."]
    assert "rounding: Round up. (superseded)" in memory(workspace, "list", "--all").output


def test_one_is_shown_by_the_end_of_its_id(workspace: Path) -> None:
    id = added(workspace, "Money is in cents.", "--subject", "money")
    shown = memory(workspace, "show", id[-4:]).output
    assert f"id  {id}" in shown
    assert "subject  money" in shown
    assert "tainted  false" in shown
    assert "superseded" not in shown
    assert json.loads(memory(workspace, "show", id, "--json").stdout)["text"] == "Money is in cents."


def test_what_is_forgotten_is_gone_from_both_files(workspace: Path, tmp_path: Path) -> None:
    ids = [added(workspace, "xyzzy of the project"), added(workspace, "xyzzy of the user", "--user")]
    kept = added(workspace, "the door is blue")
    assert memory(workspace, "forget", *ids).output == "Forgot 2\n"
    assert [one["id"] for one in listed(workspace, "--all")] == [kept]
    files = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
    assert files
    assert not any(b"xyzzy" in file.read_bytes() for file in files)


@pytest.mark.parametrize(("verb", "id"), [("show", "nothing"), ("forget", "nothing"), ("show", "")])
def test_an_id_that_is_not_there_is_bad_input(workspace: Path, verb: str, id: str) -> None:
    added(workspace, "x")
    error = memory(workspace, verb, id).exception
    assert isinstance(error, InputError)
    assert "memory list" in error.next_step


def test_an_end_that_several_have_is_bad_input_and_forgets_nothing(workspace: Path) -> None:
    ids = [added(workspace, f"fact {number}") for number in range(17)]
    ends = [id[-1] for id in ids]
    [twice, *_] = [end for end in ends if ends.count(end) > 1]  # of 17 hexadecimal digits two are equal
    error = memory(workspace, "forget", ids[0], twice).exception
    assert isinstance(error, InputError)
    assert "memories have an id that ends in" in error.what
    assert len(listed(workspace)) == 17


@pytest.mark.parametrize("arguments", [(" ",), ("x", "--kind", "wish"), ()])
def test_what_cannot_be_remembered_is_refused(workspace: Path, arguments: tuple[str, ...]) -> None:
    result = memory(workspace, "add", *arguments)
    assert isinstance(result.exception, InputError) or result.exit_code == 2
    assert listed(workspace) == []


def test_control_characters_do_not_reach_the_terminal(workspace: Path) -> None:
    id = added(workspace, "red \x1b[31m\u202eeman")
    for verb in (("list",), ("show", id)):
        assert "\x1b" not in memory(workspace, *verb).output
        assert "\u202e" not in memory(workspace, *verb).output


def test_a_file_that_cannot_be_opened_exits_with_3(workspace: Path, tmp_path: Path) -> None:
    path = workspace_folder(workspace, tmp_path / "data") / "memory.db"
    path.mkdir(parents=True)
    assert isinstance(memory(workspace, "list").exception, StoreError)
    command = [Path(sys.executable).with_name("agentinfra"), "memory", "list", "-w", workspace]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 3
    assert "✗ The memory in" in done.stderr


def test_a_check_mends_what_is_damaged(workspace: Path, tmp_path: Path) -> None:
    (workspace / "tea.py").write_text("def brew(cups):\n    return cups\n")
    ids = {added(workspace, "The door is blue."), added(workspace, "I like tabs.", "--user")}
    CliRunner().invoke(commands, ["index", "--workspace", str(workspace)])
    whole = memory(workspace, "check")
    assert (whole.exit_code, whole.output) == (0, "All is whole.\n")
    for path in (workspace_folder(workspace, tmp_path / "data") / "memory.db", tmp_path / "data" / "memory.db"):
        path.write_bytes(path.read_bytes()[:5000])
        with pytest.warns(RuntimeWarning, match=r"moved to memory\.db\.damaged|restored"):
            damaged = memory(workspace, "check")
        assert (damaged.exit_code, damaged.stdout) == (1, "What was damaged is moved aside and made again.\n")
        assert memory(workspace, "check").exit_code == 0
    assert {one["id"] for one in listed(workspace)} == ids
