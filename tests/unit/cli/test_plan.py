from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agentinfra.cli.main import commands
from agentinfra.cli.plan import read_idea, recorded_idea
from agentinfra.core.errors import InputError
from agentinfra.workflow.run_options import IDEA_BYTES


def refused(*arguments: str, stdin: str | bytes | None = None) -> InputError:
    result = CliRunner().invoke(commands, arguments, input=stdin)
    assert isinstance(result.exception, InputError)
    assert result.output == ""
    return result.exception


def test_an_idea_is_an_argument_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "idea.md"
    file.write_bytes("\ufeffGrüße zählen\n".encode())
    assert read_idea("count greetings", None) == "count greetings"
    assert read_idea(None, file) == "Grüße zählen\n"


@pytest.mark.parametrize("given", [(None, None), ("x", Path("y"))])
def test_an_idea_comes_from_exactly_one_place(given: tuple[Any, Any]) -> None:
    with pytest.raises(InputError):
        read_idea(*given)


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x89PNG\xff\xfe")
    for name in ("binary", "missing", "."):
        with pytest.raises(InputError, match="idea file"):
            read_idea(None, tmp_path / name)


def test_a_huge_file_is_refused_for_its_length_even_where_it_is_cut_within_a_character(tmp_path: Path) -> None:
    for shift in range(3):
        file = tmp_path / "huge.md"
        file.write_bytes(b"x" * shift + "你".encode() * IDEA_BYTES)
        assert "too long" in refused("plan", "--idea-file", str(file), "--yes").what


def test_standard_input_is_a_file_too() -> None:
    assert "The idea is empty" in refused("plan", "--idea-file", "-", "--yes", stdin=b" \n").what
    assert "idea file - is not text" in refused("plan", "-f", "-", "--yes", stdin=b"\xff\xff").what


def test_a_run_that_would_have_to_ask_and_cannot_is_refused_at_once() -> None:
    error = refused("plan", "a calculator")
    assert "not a terminal" in error.what
    assert "--yes" in error.next_step


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--mode", "yolo"], "yolo"),
        (["--budget-minutes", "0"], "--budget-minutes"),
        (["--budget-usd", "-1"], "--budget-usd"),
        (["--budget-requests", "0"], "--budget-requests"),
        (["--budget-tokens", "-1"], "--budget-tokens"),
        (["--max-attempts", "0"], "--max-attempts"),
        (["--planner", "Nobody"], "planner"),
        (["--record", "a", "--replay", "b"], "recorded and replayed"),
    ],
)
def test_options_that_make_no_sense_are_refused(option: list[str], told: str) -> None:
    assert told in refused("plan", "a calculator", "--yes", *option).what


def test_a_replay_needs_its_record(tmp_path: Path) -> None:
    assert "cannot be read" in refused("replay", str(tmp_path / "missing.jsonl")).what
    other = tmp_path / "other.txt"
    for text in ("", "no json", '["idea"]', '{"format": "agentinfra-recording-1"}'):
        other.write_text(text)
        assert str(other) in refused("replay", str(other)).what


def test_a_record_may_hold_its_idea(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    record.write_text('{"format": "agentinfra-recording-1", "idea": "count hikes"}\n{"key": 1}\n')
    assert recorded_idea(record) == "count hikes"


@pytest.fixture(autouse=True)
def _nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
