"""What of a task and its specification a context is asked for."""

from agentinfra.core.tasks import Task
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.task_context import request_for

SPEC = """---
id: 261122-tea
status: draft
approved:
---
# Tea timer

## Requirements

### FR-1 · Minutes for a kind of tea

When a known kind is given,
the module shall return its minutes.

File: `tea.py`

Acceptance:

- `minutes('green')` returns `2`

### FR-2 · Cups

Cups are counted.


## Open questions
"""


def task(*requirements):
    return Task("T-1", "minutes(kind)", requirements, ("tea.py",), ("minutes(kind)",))


def test_its_requirements_are_pieces_at_their_lines_without_the_blank_ones_behind():
    lines = SPEC.splitlines()
    first, second = request_for(task("FR-2", "FR-1"), SPEC).spec
    assert (first.source, second.source) == ("spec.md:10-19", "spec.md:21-23")
    for piece in (first, second):
        assert piece.text == "\n".join(lines[piece.start - 1 : piece.end])
        assert (piece.kind, piece.reasons) == ("spec", ("what is asked for",))


def test_it_is_looked_for_by_its_title_its_names_and_what_is_required():
    lesson = MemoryRecord("1", "lesson", "Boil first")
    request = request_for(task("FR-1"), SPEC, [lesson])
    assert request.query.splitlines()[-1] == (
        "Minutes for a kind of tea When a known kind is given, the module shall return its minutes."
    )
    assert "minutes(kind)" in request.query
    assert (request.files, request.lessons) == (("tea.py",), (lesson,))


def test_a_requirement_that_is_not_there_and_any_text_will_do():
    assert request_for(task("FR-9"), SPEC).spec == ()
    assert request_for(task("FR-1"), "no specification\x00\n### FR-").spec == ()
    assert request_for(task("FR-1"), "").query == "minutes(kind)\nminutes(kind)"


def test_what_is_looked_for_is_never_long():
    spec = SPEC.replace("When a known kind is given,", "word " * 5_000)
    assert len(request_for(task("FR-1"), spec).query) == 1_000
