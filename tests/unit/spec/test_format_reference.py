"""docs/reference/spec-format.md says how the documents are read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from agentinfra.core.tasks import TaskState
from agentinfra.spec.acceptance import read_example
from agentinfra.spec.diagnostics import check_documents
from agentinfra.spec.document import parse
from agentinfra.spec.markdown import LABELS
from agentinfra.spec.requirements import AREAS, Expect, Ground, Status
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_document import parse_tasks
from agentinfra.spec.tasks_source import read_tasks

TEXT = (Path(__file__).parents[3] / "docs/reference/spec-format.md").read_text(encoding="utf-8")
SPEC, TASKS = re.findall(r"```md\n(.*?)```\n", TEXT, re.DOTALL)
(PYTHON,) = re.findall(r"```python\n(.*?)```\n", TEXT, re.DOTALL)


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose first column is called this."""
    table = TEXT.partition(f"| {head} |")[2].partition("\n\n")[0]
    lines = [re.split(r"(?<!\\)\|", line) for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line[1:-1]] for line in lines]


def test_the_specification_shown_is_read_as_it_says():
    spec = parse(SPEC)
    assert (spec.id, spec.status, spec.title, spec.goal) == (
        "261122-tea", "draft", "Tea timer", "Nobody drinks bitter tea.",
    )  # fmt: skip
    assert spec.idea == "A small module that tells how long\ntea has to steep."
    minutes, lean = spec.requirements
    assert (minutes.id, minutes.file, minutes.symbols) == ("FR-1", "tea.py", ("minutes(kind)",))
    assert [(one.call, one.expect, one.value, one.ground) for one in minutes.examples] == [
        ("minutes('green')", "returns", "2", Ground.ANSWERED),
        ("minutes('mud')", "raises", "ValueError", Ground.STATED),
    ]
    assert [one.then for one in minutes.criteria] == ["the error names the known kinds"]
    assert (lean.id, lean.area) == ("NFR-1", "backend")
    (question,) = spec.questions
    assert (question.options, question.recommended) == (("green, black", "green, black, mint"), "green, black")
    assert question.answer is None
    assert len(spec.stories) == len(spec.interface) == len(spec.out_of_scope) == 1


def test_the_tasks_shown_are_read_as_it_says():
    first, second = parse_tasks(TASKS)
    assert (first.id, first.requirements, first.files, first.symbols) == (
        "T-1", ("FR-1",), ("tea.py",), ("minutes(kind)",),
    )  # fmt: skip
    assert (second.depends_on, second.requirements) == (("T-1",), ("FR-1", "NFR-1"))
    assert [one.state for one in read_tasks(TASKS).tasks] == ["done", "blocked"]


def test_nothing_is_found_in_them_but_the_open_question_and_what_has_no_example():
    found = check_documents(read_spec(SPEC), read_tasks(TASKS))
    assert {(one.code, one.subject) for one in found} == {("open-question", "Q-1"), ("no-acceptance", "NFR-1")}


def test_the_tables_name_what_there_is():
    assert [row[0].strip("`:").lower() for row in rows("Label of a requirement")] == [
        "file",
        "interface",
        "acceptance",
        "area",
    ]
    assert {row[0].strip("`:").lower() for row in rows("Label of a requirement")} == set(LABELS)
    assert [row[0].strip("`()") for row in rows("Ground")] == list(Ground)
    assert [row[0].strip("`") for row in rows("Status")] == list(get_args(Status))
    assert [[cell.strip("`") for cell in row] for row in rows("State")] == [[one, one.checkbox] for one in TaskState]
    assert all(f"`{area}`" in TEXT for area in AREAS)


@pytest.mark.parametrize("row", rows("Written"), ids=lambda row: row[0])
def test_every_form_of_an_example_is_read(row: list[str]):
    shown = re.match(r"`` (.*?) ``", row[0])
    assert shown is not None
    example = read_example([shown[1]])
    assert example is not None
    assert example.expect in get_args(Expect)
    assert f"{example.expect} `{example.value}`" in shown[1]
    for word in re.findall(r"`(gives|→|->|=>)`", row[0]):
        assert read_example([shown[1].replace(example.expect, word)]) == example


@pytest.mark.parametrize("text", [SPEC, TASKS], ids=["spec.md", "tasks.md"])
def test_every_line_shown_is_known_for_what_it_is(text: str):
    source = read_spec(text) if text is SPEC else read_tasks(text)
    lines = zip(source.labels, source.body.lines, strict=True)
    assert [line for label, line in lines if label.kind == "text" and line.strip()] in ([], ["# Tasks"])


def test_the_program_shown_runs(tmp_path: Path):
    (tmp_path / "spec.md").write_text(SPEC, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", PYTHON], cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert ran.stdout == "Tea timer ['FR-1', 'NFR-1']\n"
