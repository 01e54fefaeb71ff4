"""Changes to spec.md and tasks.md that leave every other byte as it stands.

Each function makes the edits for a document as it was read; :func:`agentinfra.spec.source.apply_edits` makes the new
text. What they hand out is proven: the document that comes of it reads as before, but for what was to change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import TaskState
from agentinfra.spec.acceptance import render_criterion, render_example
from agentinfra.spec.document import accepted, render_requirement, spec_of
from agentinfra.spec.markdown import one_line, protect
from agentinfra.spec.question_source import FIELD, QuestionSource, goes_on
from agentinfra.spec.requirements import Criterion, Example, Requirement, Spec
from agentinfra.spec.source import Edit, Lines, apply_edits
from agentinfra.spec.spec_source import Item, RequirementSource, SpecSource, read_spec
from agentinfra.spec.tasks_document import render_mark, tasks_of
from agentinfra.spec.tasks_source import TaskSource, TasksSource, read_tasks

_SEPARATORS = "·:–—-"
_T = TypeVar("_T")


def answer_question(source: SpecSource, question: QuestionSource, answer: str) -> list[Edit]:
    """Answer a question, or put another answer in the place of the one that it has; "" takes that one back.

    Raises:
        SpecError: The document cannot take it: a comment or code block that nothing closes would be closed by it, or
            it holds a character that ends a line. The same holds for all functions here.
    """
    said = one_line(answer)
    edits = answer_edits(source, question, said)
    before, place = spec_of(source), source.questions.index(question)
    answered = replace(before.questions[place], answer=said or None)
    return _proven(source, edits, replace(before, questions=_with(before.questions, place, answered)))


def answer_edits(source: SpecSource, question: QuestionSource, said: str) -> list[Edit]:
    """The edits of :func:`answer_question` for a text of one line, not proven: for offering many of them."""
    body = source.body
    edits = [Edit(*question.box, "x" if said else " ")]
    fields = [index for name, _, index in question.fields if name == "answer"]
    if fields:
        return [*edits, *_another_answer(source, question, fields[-1], said)]
    end = body.span(_last_filled(body, question.first, question.last)).end
    return [*edits, Edit(end, end, f"{body.newline}  - Answer: {said}")] if said else edits


def _another_answer(source: SpecSource, question: QuestionSource, index: int, answer: str) -> Iterator[Edit]:
    body = source.body
    found = FIELD.fullmatch(body.lines[index])
    end = body.span(index).end
    place = end - len(found["text"]) if found else end
    gap = " " if answer and not body.text[place - 1].isspace() else ""
    yield Edit(place, end, gap + answer)
    behind = min((line for _, _, line in question.fields if line > index), default=question.last)
    for line in range(index + 1, behind):
        if source.labels[line].kind != "comment" and goes_on(body.lines[line]):
            yield _without(body, line, line + 1)


def replace_title(source: SpecSource, requirement: RequirementSource, title: str) -> list[Edit]:
    """Give a requirement another title."""
    words, (_, start, end) = one_line(title), requirement.title
    between = source.text[requirement.id.end : start]
    edit = Edit(start, end, words)
    if words and not between.strip() and (not between or words[0] in _SEPARATORS):
        edit = Edit(requirement.id.end, end, f" {_SEPARATORS[0]} {words}")
    return _changed(source, requirement, [edit], lambda one: replace(one, title=words))


def replace_statement(source: SpecSource, requirement: RequirementSource, statement: str) -> list[Edit]:
    """Give a requirement another statement; it stands where the first paragraph stood, and those further down go."""
    text, body = statement.strip("\n"), source.body
    shown = protect(text).replace("\n", body.newline)
    first, *others = _runs(requirement.statement) or [range(requirement.first + 1, requirement.first + 1)]
    if first.start != requirement.first + 1:  # it begins behind a list
        first, others = range(requirement.first + 1, requirement.first + 1), [first, *others]
    filled = [index for index in first if body.lines[index]]
    if filled:
        edits = [Edit(body.span(filled[0]).start, body.span(filled[-1]).end, shown)]
    else:
        end = body.span(requirement.first).end
        gap = body.newline * 2
        below = body.lines[requirement.first + 1 : requirement.first + 2]
        edits = [Edit(end, end, f"{gap}{shown}{body.newline if any(below) else ''}")] if shown else []
    edits += [_without(body, run.start, run.stop) for run in others]
    return _changed(source, requirement, edits, lambda one: replace(one, statement=text))


def add_example(source: SpecSource, requirement: RequirementSource, example: Example | Criterion) -> list[Edit]:
    """Add an example or criterion behind the last one."""
    body = source.body
    shown = render_criterion(example) if isinstance(example, Criterion) else render_example(example)
    gap = "\n"
    if requirement.acceptance:
        lines = requirement.acceptance[-1].lines
        place = max(index for index in lines if body.lines[index].strip())
    elif "acceptance" in requirement.labels:
        place, gap = requirement.labels["acceptance"], "\n\n"
    else:
        place = max(index for index in range(requirement.first, requirement.last) if body.lines[index])
        gap = "\n\nAcceptance:\n\n"
    end = body.span(place).end
    edits = [Edit(end, end, (gap + shown).replace("\n", body.newline))]
    found = [*_accepted(source, requirement), accepted(shown.removeprefix("- ").split("\n"))]
    return _changed(source, requirement, edits, lambda one: _accepting(one, found))


def remove_example(source: SpecSource, requirement: RequirementSource, item: Item) -> list[Edit]:
    """Take one of ``requirement.acceptance`` out; its label stays."""
    body = source.body
    first, *others = item.lines
    runs = _runs(others if item.inline else item.lines)
    edits = [_without(body, run.start, run.stop) for run in runs]
    if item.inline:
        line = body.span(first)
        shown = body.lines[first].removesuffix(source.item_lines(item)[0]).rstrip()
        edits.append(Edit(line.start + len(shown), line.end, ""))
    both = zip(requirement.acceptance, _accepted(source, requirement), strict=True)
    left = [found for each, found in both if each is not item]
    return _changed(source, requirement, edits, lambda one: _accepting(one, left))


def add_requirement(source: SpecSource, requirement: Requirement) -> list[Edit]:
    """Add a requirement behind the last one of its kind, FR or NFR, or else behind the last one of all."""
    kind = requirement.id.partition("-")[0]
    known = source.requirements
    alike = [place for place, one in enumerate(known) if one.id.name.partition("-")[0] == kind]
    place = (alike or [len(known) - 1])[-1]
    shown = render_requirement(requirement)
    last = known[place].last if known else max((one.last for one in source.named("requirements")), default=-1)
    if last < 0:
        last, shown = len(source.body.lines), f"## Requirements\n\n{shown}"
    before, added = spec_of(source), spec_of(read_spec(shown)).requirements
    together = (*before.requirements[: place + 1], *added, *before.requirements[place + 1 :])
    return _proven(source, [_before(source.body, last, shown)], replace(before, requirements=together))


def remove_requirement(source: SpecSource, requirement: RequirementSource) -> list[Edit]:
    """Take a requirement out, with all that stands under its heading."""
    edit = _without(source.body, requirement.first, requirement.last)
    before = spec_of(source)
    both = zip(before.requirements, source.requirements, strict=True)
    left = [one for one, place in both if place is not requirement]
    return _proven(source, [edit], replace(before, requirements=tuple(left)))


def set_state(source: TasksSource, task: TaskSource, state: TaskState, reason: str = "") -> list[Edit]:
    """Write the state of a task, and why it is in it; only what the engine says counts."""
    start, end = task.mark
    gap = "" if source.text[start - 1].isspace() else " "
    edits = [Edit(*task.box, state.checkbox[1]), Edit(start, end, gap + render_mark(state, reason))]
    after = read_tasks(apply_edits(source.text, edits))
    same = tasks_of(after) == tasks_of(source)
    if not same or after.tasks[source.tasks.index(task)].state != state:
        raise _refused("tasks.md")
    return edits


def _runs(indices: Sequence[int]) -> list[range]:
    """Runs of lines that follow each other."""
    begins = [*indices[:1], *(two for one, two in pairwise(indices) if two != one + 1)]
    ends = [*(one + 1 for one, two in pairwise(indices) if two != one + 1), *(one + 1 for one in indices[-1:])]
    return [range(begin, end) for begin, end in zip(begins, ends, strict=True)]


def _without(body: Lines, first: int, last: int) -> Edit:
    return Edit(body.start(first), body.start(last), "")


def _last_filled(body: Lines, first: int, last: int) -> int:
    return max(index for index in range(first, last) if body.lines[index].strip())


def _before(body: Lines, index: int, block: str) -> Edit:
    """Put a block before the heading of a line, or at the end of the text; empty lines set it off."""
    place, lines = body.start(index), body.lines
    if index < len(lines):
        text = f"{_gap(lines[index - 1])}{block}\n\n"
    elif lines[-1]:
        text = f"\n\n{block}"
    else:
        text = f"{_gap(*lines[-2:-1])}{block}\n"
    return Edit(place, place, text.replace("\n", body.newline))


def _gap(above: str = "") -> str:
    return "\n" if above.strip() else ""


def _accepted(source: SpecSource, requirement: RequirementSource) -> list[Example | Criterion | None]:
    return [accepted(source.item_lines(item)) for item in requirement.acceptance]


def _accepting(requirement: Requirement, found: Sequence[Example | Criterion | None]) -> Requirement:
    examples = tuple(one for one in found if isinstance(one, Example))
    return replace(requirement, examples=examples, criteria=tuple(one for one in found if isinstance(one, Criterion)))


def _with(items: Sequence[_T], place: int, one: _T) -> tuple[_T, ...]:
    return (*items[:place], one, *items[place + 1 :])


def _changed(
    source: SpecSource,
    requirement: RequirementSource,
    edits: list[Edit],
    change: Callable[[Requirement], Requirement],
) -> list[Edit]:
    before, place = spec_of(source), source.requirements.index(requirement)
    changed = _with(before.requirements, place, change(before.requirements[place]))
    return _proven(source, edits, replace(before, requirements=changed))


def _proven(source: SpecSource, edits: list[Edit], expected: Spec) -> list[Edit]:
    if spec_of(read_spec(apply_edits(source.text, edits))) != expected:
        raise _refused("spec.md")
    return edits


def _refused(name: str) -> SpecError:
    return SpecError(
        f"This change cannot be written into {name}",
        why="Other parts of the document would read differently with it: a comment or code block above is not closed, "
        "or the new text holds a character that ends a line",
        next_step=f"Close what is open in {name}, or make the change by hand",
    )
