"""What is wrong with a specification and its tasks, said without a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agentinfra.spec.checks.coverage import missing_acceptance, missing_requirements, missing_tasks
from agentinfra.spec.checks.finding import Check, Diagnostic, Document, Documents, Fix, KnownTest, Related, RunFacts
from agentinfra.spec.checks.ids import duplicate_ids, unknown_ids
from agentinfra.spec.checks.names import doubled_symbols, file_spellings
from agentinfra.spec.checks.numbers import number_conflicts
from agentinfra.spec.checks.order import task_order
from agentinfra.spec.checks.questions import open_questions
from agentinfra.spec.checks.record import blocked_tasks, orphan_tests, status, task_states
from agentinfra.spec.checks.results import result_conflicts
from agentinfra.spec.checks.wording import vague_words
from agentinfra.spec.source import Edit, apply_edits
from agentinfra.spec.spec_source import Problem, SpecSource
from agentinfra.spec.tasks_source import TasksSource

__all__ = ["Diagnostic", "Document", "Fix", "KnownTest", "Related", "RunFacts", "check_documents", "with_fixes"]


def check_documents(
    spec: SpecSource, tasks: TasksSource | None = None, facts: RunFacts | None = None
) -> list[Diagnostic]:
    """Check a specification, and its tasks where there are any.

    Takes time in proportion to the documents' size; texts of any content and size are fine.

    Args:
        spec: The specification.
        tasks: Its tasks; without them nothing is said about what has no task.
        facts: What the event log says; without it nothing is said about approval, states and proven tests.

    Returns:
        The findings: those of the specification first, each document's in the order of their places.
    """
    documents = Documents(spec, tasks, facts)
    found = [finding for check in _CHECKS for finding in check(documents)]
    return sorted(found, key=lambda one: (one.document, one.span, one.code))


def with_fixes(text: str, document: Document, fixes: Iterable[Fix]) -> str:
    """A document with fixes made that were offered for it; of those that touch the same place, the first.

    Args:
        text: The document as it was checked.
        document: Which of the two it is.
        fixes: The fixes; those of the other document are passed over.
    """
    edits: list[Edit] = []
    taken: list[Edit] = []
    for fix in fixes:
        if fix.document == document and not any(_touch(one, other) for one in fix.edits for other in taken):
            edits.extend(fix.edits)
            taken.extend(fix.edits)
    return apply_edits(text, edits)


def _touch(one: Edit, other: Edit) -> bool:
    return one.start < other.end and other.start < one.end


def _unreadable(documents: Documents) -> Iterator[Diagnostic]:
    yield from _problems("spec", documents.spec.problems)
    if documents.tasks:
        yield from _problems("tasks", documents.tasks.problems)


def _problems(document: Document, problems: Sequence[Problem]) -> Iterator[Diagnostic]:
    for one in problems:
        message = f"{one.why[:1].upper()}{one.why[1:]}. {one.next_step}"
        yield Diagnostic("unreadable", "", message, document, one.span)


_CHECKS: tuple[Check, ...] = (
    _unreadable,
    duplicate_ids,
    unknown_ids,
    missing_acceptance,
    missing_tasks,
    missing_requirements,
    task_order,
    vague_words,
    number_conflicts,
    result_conflicts,
    open_questions,
    doubled_symbols,
    file_spellings,
    status,
    task_states,
    blocked_tasks,
    orphan_tests,
)
