"""A finding about spec.md or tasks.md, and what the rules look at to make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from agentinfra.core.tasks import TaskState
from agentinfra.spec.checks.rules import RULES, Severity
from agentinfra.spec.checks.sentences import Prose, statements
from agentinfra.spec.requirements import Status
from agentinfra.spec.source import Edit, Lines, Span
from agentinfra.spec.spec_source import RequirementSource, SpecSource
from agentinfra.spec.tasks_source import TasksSource

Document = Literal["spec", "tasks"]


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a finding is about, and what stands there."""

    document: Document
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that settles a finding.

    Attributes:
        title: What it does, as an order.
        document: Which text it changes.
        edits: The changes.
        safe: Whether it leaves untouched what is asked for, so that it may be made without being looked at.
    """

    title: str
    document: Document
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding.

    Attributes:
        code: Stable name of the rule; see :data:`agentinfra.spec.checks.rules.RULES`.
        subject: Id of the requirement, task or question, or a name; "" for the document as a whole.
        message: What is wrong, and what to do where that is not plain.
        document: Which text it is in.
        span: Where.
        related: Other places that belong to it.
        fix: A change that settles it, where there is one.
    """

    code: str
    subject: str
    message: str
    document: Document
    span: Span
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return RULES[self.code].severity

    @property
    def explanation(self) -> str:
        """Why it matters."""
        return RULES[self.code].why


@dataclass(frozen=True, slots=True)
class KnownTest:
    """A test that the engine proved and that still stands, with the requirements of its task."""

    id: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the event log says of the run that a specification belongs to.

    Attributes:
        run: Its id; "" where no run of the specification's id is on record.
        status: The furthest status that the log bears out for the approved text.
        approved_sha: Hash of the body that was approved, "" where nothing was.
        tasks: State by task id, also of tasks that an earlier run did.
        undone: Ids of tasks that were done and then taken off the branch.
        tests: Tests of tasks that are done.
        blocked: Why tasks could not be done, by their ids.
    """

    run: str = ""
    status: Status = "draft"
    approved_sha: str = ""
    tasks: Mapping[str, TaskState] = field(default_factory=dict[str, TaskState])
    undone: frozenset[str] = frozenset()
    tests: tuple[KnownTest, ...] = ()
    blocked: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Documents:
    """Everything that is looked at.

    Attributes:
        spec: The specification.
        tasks: Its tasks; None where there is no tasks.md.
        facts: What the event log says; None where nothing is on record.
    """

    spec: SpecSource
    tasks: TasksSource | None = None
    facts: RunFacts | None = None

    @cached_property
    def requirements(self) -> Mapping[str, RequirementSource]:
        """The requirements by id; of those with the same id the first."""
        return {one.id.name: one for one in reversed(self.spec.requirements)}

    @cached_property
    def statements(self) -> Sequence[Prose]:
        """The prose that says what is required."""
        return list(statements(self.spec))

    def lines(self, document: Document) -> Lines:
        """The lines of one of the texts."""
        return self.tasks.body if document == "tasks" and self.tasks else self.spec.body


Check = Callable[[Documents], Iterator[Diagnostic]]
