"""The verb ``spec import``, on what other tools wrote."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentinfra.cli.main import commands
from agentinfra.core.errors import InputError
from agentinfra.spec.document import parse
from agentinfra.spec.tasks_document import parse_tasks

SOURCES = Path(__file__).parents[1] / "spec" / "imports" / "sources"
FEATURE = SOURCES / "spec_kit" / "001-tea-timer"
TASKS = SOURCES / "task_master" / "untagged.json"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run_import(*arguments):
        result = CliRunner().invoke(commands, ["spec", "import", *map(str, arguments)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return run_import


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def test_both_documents_are_written_and_what_is_left_out_is_told(run, tmp_path):
    assert run(TASKS).splitlines() == [
        "Imported from task-master as a draft: requirements 2, tasks 4, questions 0; written to spec.md and tasks.md",
        "Left out (1):",
        "  untagged.json:7 status: done: the engine alone says how far T-1 is, by its proofs",
    ]
    assert written(tmp_path) == ["spec.md", "tasks.md"]
    spec = parse((tmp_path / "spec.md").read_text())
    assert (spec.status, len(spec.requirements)) == ("draft", 2)
    assert len(parse_tasks((tmp_path / "tasks.md").read_text())) == 4


def test_documents_that_are_there_stay_unless_forced(run, tmp_path):
    (tmp_path / "tasks.md").write_text("mine")
    with pytest.raises(InputError, match=r"tasks\.md would be overwritten\. Say --output, or --force to replace"):
        run(TASKS)
    assert written(tmp_path) == ["tasks.md"]
    run(TASKS, "--force")
    assert (tmp_path / "tasks.md").read_text().startswith("# Tasks\n")


def test_a_broken_link_in_their_place_is_not_followed(run, tmp_path):
    (tmp_path / "spec.md").symlink_to(tmp_path / "elsewhere.md")
    with pytest.raises(InputError, match=r"spec\.md would be overwritten"):
        run(TASKS)
    run(TASKS, "--force")
    assert written(tmp_path) == ["spec.md", "tasks.md"]
    assert not (tmp_path / "spec.md").is_symlink()


def test_the_output_may_lie_elsewhere(run, tmp_path):
    (tmp_path / "docs").mkdir()
    run(FEATURE, "--output", "docs/tea.md")
    assert written(tmp_path / "docs") == ["tasks.md", "tea.md"]
    with pytest.raises(InputError, match=r"none/spec\.md cannot be written\. No such file"):
        run(FEATURE, "-o", "none/spec.md")
    with pytest.raises(InputError, match=r"tasks\.md is where the tasks go"):
        run(FEATURE, "-o", "docs/tasks.md")


def test_json_says_all_that_was_left_out(run):
    told = json.loads(run(FEATURE, "--json"))
    assert (told["format"], told["files"]) == ("spec-kit", ["spec.md", "tasks.md"])
    assert (told["requirements"], told["tasks"], told["questions"]) == (9, 12, 3)
    assert told["left_out"][0] == {
        "place": "spec.md:7",
        "path": "spec.md",
        "line": 7,
        "what": "**Status**: Approved",
        "why": "what is imported is a draft: read it, then approve it here",
    }
    assert len(told["left_out"]) == 10


def test_a_format_can_be_named(run):
    with pytest.raises(InputError, match=r"There is no format 'word'\. Use one of spec-kit, task-master"):
        run(FEATURE, "--format", "word")
    with pytest.raises(InputError, match=r"holds no spec\.md"):
        run(TASKS, "--format", "spec-kit")


def test_what_is_imported_has_no_errors(run):
    run(FEATURE)
    result = CliRunner().invoke(commands, ["spec", "check", ".", "--json"])
    assert result.exit_code == 1
    assert '"error"' not in result.output


def test_escape_sequences_of_the_source_do_not_reach_the_terminal(run, tmp_path):
    data = {"tasks": [{"id": 1, "title": "x", "status": "\x1b[31mdone\x1b]0;title\x07\nnow"}]}
    (tmp_path / "tasks.json").write_text(json.dumps(data))
    assert "  tasks.json:1 status: done now: the engine" in run(tmp_path / "tasks.json")
