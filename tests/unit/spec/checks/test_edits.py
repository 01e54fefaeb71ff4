"""Edits of lists in tasks.md: what is put in can be read back, what is taken out leaves no trace."""

from __future__ import annotations

from itertools import islice

import pytest

from agentinfra.spec.checks.edits import free_ids, put_in, taken_out
from agentinfra.spec.source import apply_edits
from agentinfra.spec.tasks_source import read_tasks

HEAD = "- [ ] T-9 · A\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, HEAD + "  - Depends on: T-1\n"),
        (HEAD.rstrip(), HEAD + "  - Depends on: T-1"),
        (HEAD.replace("\n", "\r\n"), (HEAD + "  - Depends on: T-1\n").replace("\n", "\r\n")),
        (HEAD + "  - Depends on:\n", HEAD + "  - Depends on: T-1\n"),
        (HEAD + "  - Depends on: \n", HEAD + "  - Depends on: T-1\n"),
        (HEAD + "  - depends on: T-4 \n", HEAD + "  - depends on: T-4, T-1 \n"),
        (HEAD + "  - Files: `a.py`\n\nNotes\n", HEAD + "  - Files: `a.py`\n  - Depends on: T-1\n\nNotes\n"),
    ],
)
def test_a_name_is_put_in(before: str, after: str):
    source = read_tasks(before)
    (task,) = source.tasks
    edited = apply_edits(before, [put_in(source.body, task, "Depends on", task.depends_on, "T-1")])
    assert edited == after
    assert read_tasks(edited).tasks[0].depends_on[-1].name == "T-1"


@pytest.mark.parametrize(
    ("listed", "name", "left"),
    [
        ("T-1, T-2, T-3", "T-1", "T-2, T-3"),
        ("T-1, T-2, T-3", "T-2", "T-1, T-3"),
        ("T-1, T-2, T-3", "T-3", "T-1, T-2"),
        ("T-1 and T-2.", "T-2", "T-1."),
    ],
)
def test_a_name_is_taken_out(listed: str, name: str, left: str):
    text = f"{HEAD}  - Depends on: {listed}\n  - Engineer: E\n"
    source = read_tasks(text)
    names = source.tasks[0].depends_on
    edit = taken_out(source.body, names, next(one for one in names if one.name == name))
    assert apply_edits(text, [edit]) == f"{HEAD}  - Depends on: {left}\n  - Engineer: E\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_the_line_goes_with_the_last_name(end: str):
    text = f"{HEAD}  - Depends on: T-1{end}"
    source = read_tasks(text)
    assert (
        apply_edits(text, [taken_out(source.body, source.tasks[0].depends_on, source.tasks[0].depends_on[0])]) == HEAD
    )


def test_free_ids_are_of_one_kind_and_behind_the_highest():
    assert list(islice(free_ids("FR", ["FR-2", "NFR-99", "FR-10"]), 2)) == ["FR-11", "FR-12"]
    assert next(free_ids("T", [])) == "T-1"
