"""Edits of both documents: what was to change reads back, and nothing else moves."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import TaskState
from agentinfra.spec.document import parse
from agentinfra.spec.edits import (
    add_example,
    add_requirement,
    answer_question,
    remove_example,
    remove_requirement,
    replace_statement,
    replace_title,
    set_state,
)
from agentinfra.spec.front_matter import front_matter_edits, split
from agentinfra.spec.requirements import Criterion, Example, Ground, Requirement
from agentinfra.spec.source import Edit, apply_edits
from agentinfra.spec.spec_source import SpecSource, read_spec
from agentinfra.spec.tasks_document import parse_tasks
from agentinfra.spec.tasks_source import TasksSource, read_tasks

BY_HAND = """\ufeff---
id: tea   # ours
status: draft
---
<!-- kept -->
# Tea timer
Some words.

## Notes
mine

## Open questions
- [ ] Q-1 · Which teas?
  - Option: green
- [x] **Q-2** Loud?
  Answer: yes,
  but not at night
  <!-- a note -->

## Requirements

### FR-1: Brewing time
Gives the minutes.
<!-- why -->

**Acceptance:**
- `brew("green")` returns `3` _(stated)_
- `brew("")` raises `ValueError`

It never fails.
### NFR-1 Speed
### FR-2 · Alarm

Rings.

Acceptance: `ring()` returns `True`
* Given a pot
  When it is ready
  Then it rings

## Non-goals
* Coffee"""
TASKS = """Notes
- [ ] T-1 · Brew   _(pending)_
  - Files: `a.py`
<!-- - [ ] T-9 · no task -->
* [~] **T-2** Alarm
  - Depends on: T-1

The end"""
NEW = Example("f(1)", "returns", "2", ground=Ground.ANSWERED)

Change = Callable[[SpecSource], list[Edit]]
CHANGES: dict[str, tuple[Change, dict[str, str]]] = {
    "a first answer": (
        lambda spec: answer_question(spec, spec.questions[0], "all of\nthem"),
        {"[ ] Q-1": "[x] Q-1", "Option: green": "Option: green\n  - Answer: all of them"},
    ),
    "another answer": (
        lambda spec: answer_question(spec, spec.questions[1], "no"),
        {"Answer: yes,\n  but not at night\n": "Answer: no\n"},
    ),
    "an answer taken back": (
        lambda spec: answer_question(spec, spec.questions[1], ""),
        {"[x] **Q-2**": "[ ] **Q-2**", "Answer: yes,\n  but not at night\n": "Answer: \n"},
    ),
    "a title": (
        lambda spec: replace_title(spec, spec.requirements[0], "Minutes"),
        {"FR-1: Brewing time": "FR-1: Minutes"},
    ),
    "a title without a sign before it": (
        lambda spec: replace_title(spec, spec.requirements[1], "- and so on"),
        {"NFR-1 Speed": "NFR-1 · - and so on"},
    ),
    "no title": (lambda spec: replace_title(spec, spec.requirements[1], ""), {"NFR-1 Speed": "NFR-1 "}),
    "a statement in two places": (
        lambda spec: replace_statement(spec, spec.requirements[0], "# One\n\nFile: two"),
        {"Gives the minutes.\n<!-- why -->": "\\# One\n\nFile\\: two", "It never fails.\n": ""},
    ),
    "a first statement": (
        lambda spec: replace_statement(spec, spec.requirements[1], "Fast."),
        {"NFR-1 Speed\n": "NFR-1 Speed\n\nFast.\n\n"},
    ),
    "no statement": (lambda spec: replace_statement(spec, spec.requirements[2], ""), {"Rings.": ""}),
    "an example": (
        lambda spec: add_example(spec, spec.requirements[0], NEW),
        {"`ValueError`": "`ValueError`\n- `f(1)` returns `2` _(answered)_"},
    ),
    "a first example": (
        lambda spec: add_example(spec, spec.requirements[1], NEW),
        {"NFR-1 Speed": "NFR-1 Speed\n\nAcceptance:\n\n- `f(1)` returns `2` _(answered)_"},
    ),
    "a criterion": (
        lambda spec: add_example(spec, spec.requirements[2], Criterion("", "it boils", "it rings")),
        {"  Then it rings": "  Then it rings\n- When it boils\n  Then it rings"},
    ),
    "an example less": (
        lambda spec: remove_example(spec, spec.requirements[0], spec.requirements[0].acceptance[1]),
        {'- `brew("")` raises `ValueError`\n': ""},
    ),
    "an example less behind a label": (
        lambda spec: remove_example(spec, spec.requirements[2], spec.requirements[2].acceptance[0]),
        {"Acceptance: `ring()` returns `True`": "Acceptance:"},
    ),
    "a requirement": (
        lambda spec: add_requirement(spec, Requirement("FR-3", "Cups", "Many.", examples=(NEW,))),
        {"## Non": "### FR-3 · Cups\n\nMany.\n\nAcceptance:\n\n- `f(1)` returns `2` _(answered)_\n\n## Non"},
    ),
    "a requirement of a kind": (
        lambda spec: add_requirement(spec, Requirement("NFR-2", "", "")),
        {"### FR-2 ·": "\n### NFR-2 ·\n\n### FR-2 ·"},
    ),
    "a requirement less": (lambda spec: remove_requirement(spec, spec.requirements[1]), {"### NFR-1 Speed\n": ""}),
    "the front matter": (
        lambda spec: front_matter_edits(spec.text, status="done", approved="x"),
        {"status: draft\n": "status: done\napproved: x\n"},
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_touches_its_own_bytes_alone(name: str, newline: str):
    change, replaced = CHANGES[name]
    expected = BY_HAND
    for old, new in replaced.items():
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    source = read_spec(BY_HAND.replace("\n", newline))
    assert apply_edits(source.text, change(source)) == expected.replace("\n", newline)


def test_a_document_without_requirements_gets_a_chapter_of_them():
    text = apply_edits("# T\r\n", add_requirement(read_spec("# T\r\n"), Requirement("FR-1", "A", "")))
    assert text == "# T\r\n\r\n## Requirements\r\n\r\n### FR-1 · A\r\n"
    for before, after in (("# T\n## Requirements:", "\n\n### FR-1 · A"), ("# T\n## Requirements\nWords.\n## Goal", "")):
        edited = apply_edits(before, add_requirement(read_spec(before), Requirement("FR-1", "A", "")))
        assert [one.id for one in parse(edited).requirements] == ["FR-1"]
        assert edited.endswith(after)


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        (TaskState.DONE, "", "- [x] T-1 · Brew _(done)_"),
        (TaskState.BLOCKED, "3 tries", "- [!] T-1 · Brew _(blocked: 3 tries)_"),
    ],
)
def test_a_state_is_written_in_the_place_of_the_one_before(state: TaskState, reason: str, shown: str):
    for text in (TASKS, TASKS.replace("\n", "\r\n")):
        source = read_tasks(text)
        edited = apply_edits(text, set_state(source, source.tasks[0], state, reason))
        assert edited == text.replace("- [ ] T-1 · Brew   _(pending)_", shown)


def test_a_task_without_a_state_gets_one():
    source = read_tasks(TASKS)
    edited = apply_edits(TASKS, set_state(source, source.tasks[1], TaskState.SKIPPED))
    assert edited == TASKS.replace("* [~] **T-2** Alarm", "* [!] **T-2** Alarm _(skipped)_")


OPEN_COMMENT = "# T\n## Requirements\n### FR-1 · A\n<!-- never closed\n### FR-2 · B\n## Questions\n- [ ] Q-1 · Which?\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: answer_question(spec, spec.questions[0], "this --> that"),
        lambda spec: replace_title(spec, spec.requirements[1], "-->"),
        lambda spec: replace_statement(spec, spec.requirements[1], "-->"),
        lambda spec: replace_statement(spec, spec.requirements[1], "one\r\ntwo"),
        lambda spec: add_example(spec, spec.requirements[1], Example("-->", "prints", "")),
        lambda spec: add_requirement(spec, Requirement("FR-3", "-->", "")),
    ],
)
def test_a_change_that_would_take_other_parts_along_is_refused(change: Change):
    with pytest.raises(SpecError, match=r"spec\.md") as refused:
        change(read_spec(OPEN_COMMENT))
    assert refused.value.next_step


def test_a_reason_that_would_take_other_tasks_along_is_refused():
    source = read_tasks("<!-- open\n- [ ] T-1 · A\n- [ ] T-2 · B\n")
    with pytest.raises(SpecError, match=r"tasks\.md"):
        set_state(source, source.tasks[1], TaskState.BLOCKED, "-->")


# Lines that people write, in any order, also where they make no sense.
LINES = [
    "## Goal", "## Requirements", "## Open questions", "## Out of scope", "## Notes", "### FR-1 · A", "### FR-2",
    "### NFR-1: Quick", "#### Part", "Words.", "  more", "", "   ", "<!-- note -->", "<!--", "-->", "```", "~~~",
    "> said", "File: `a.py`", "Interface: `f()`, `g()`", "Area: frontend", "Acceptance:",
    "**Acceptance:** f(1) returns 2",
    "- `f(1)` returns `2` _(stated)_", "* Given a", "  When b", "  Then c", "- [ ] Q-1 · Which?", "- [x] **Q-2** What",
    "  - Option: a", "  - Answer:", "  - Answer: b", "  Answer: c", "- point", "- [ ] T-1 · Task _(pending)_",
    "* [x] T-2 Task", "  - Files: `a`, b", "  - Depends on: T-1", "- [ ]",
]  # fmt: skip
written = st.builds(
    lambda front, lines, newline, end: front + newline.join(lines) + end,
    st.sampled_from(["", "\ufeff", "---\nid: a\n---\n", "---\r\nstatus: draft # c\r\n---\r\n"]),
    st.lists(st.sampled_from(LINES), max_size=25).map(lambda lines: ["# T", *lines]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\r\n", "\n\n"]),
)
words = st.one_of(st.sampled_from(LINES), st.text(max_size=10))


def kept(before: str, edits: list[Edit], after: str) -> bool:
    """Whether the text after the edits is made of the text before without what they replace, and of theirs."""
    end = 0
    for edit in sorted(edits, key=lambda one: one[:2]):
        same = before[end : edit.start]
        if not after.startswith(same + edit.text):
            return False
        after, end = after[len(same) + len(edit.text) :], edit.end
    return after == before[end:]


@settings(deadline=None, max_examples=250)
@given(written, words, st.data())
def test_any_change_reads_back_as_that_change_or_is_refused(text: str, word: str, data: st.DataObject):
    source = read_spec(text)
    changes: list[Callable[[], list[Edit]]] = [
        lambda: front_matter_edits(text, status=word),
        lambda: add_requirement(source, Requirement("FR-9", word, word)),
    ]
    for one in source.requirements:
        changes += [
            lambda one=one: replace_title(source, one, word),
            lambda one=one: replace_statement(source, one, word),
            lambda one=one: add_example(source, one, Example("f()", "prints", word)),
            lambda one=one: remove_requirement(source, one),
        ]
        changes += [lambda one=one, item=item: remove_example(source, one, item) for item in one.acceptance]
    changes += [lambda one=one: answer_question(source, one, word) for one in source.questions]
    try:
        edits = data.draw(st.sampled_from(changes))()
    except SpecError:
        # Only what is not closed, or ends a line, can make a document refuse a change.
        assert any(mark in text + word for mark in ("<!--", "```", "~~~", "\r")), (text, word)
        return
    after = apply_edits(text, edits)
    assert kept(text, edits, after)
    again = read_spec(after)
    assert split(after).body == split(text).body or again.front == source.front


@settings(deadline=None, max_examples=100)
@given(written, st.sampled_from(TaskState), words)
def test_any_state_is_written_without_touching_other_tasks(text: str, state: TaskState, reason: str):
    source: TasksSource = read_tasks(text)
    for place, task in enumerate(source.tasks):
        try:
            after = read_tasks(apply_edits(text, set_state(source, task, state, reason)))
        except SpecError:
            assert "<!--" in text
            continue
        assert after.tasks[place].state == state
        assert [one.state for one in after.tasks[:place]] == [one.state for one in source.tasks[:place]]


def test_the_states_of_a_rendered_list_can_be_set_one_by_one():
    text = TASKS
    for place in (0, 1):
        source = read_tasks(text)
        text = apply_edits(text, set_state(source, source.tasks[place], TaskState.DONE))
    assert [one.state for one in read_tasks(text).tasks] == ["done", "done"]
    assert parse_tasks(text) == parse_tasks(TASKS)
