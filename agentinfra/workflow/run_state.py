"""The state of a run as the sum of its events: what every view shows. Pure; :func:`apply` adds one event.

Unknown kinds and data are ignored, so that an older version can show a newer run as far as it understands it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce as fold
from typing import Any

from agentinfra.core.events import Event
from agentinfra.core.tasks import TaskState
from agentinfra.workflow.event_fields import integer, mapping, mappings, number, text, texts
from agentinfra.workflow.instructions import Instruction, added, used
from agentinfra.workflow.strength_data import Strength, read_strength
from agentinfra.workflow.totals import Totals

MAX_NOTICES = 200


@dataclass(frozen=True, slots=True)
class TestCounts:
    """How many tests of the last run passed and failed; everything that did not pass counts as failed."""

    __test__ = False

    phase: str
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of the spec; ``data`` is all that the event says of it, examples included."""

    id: str
    title: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task and how far it is.

    Attributes:
        id: ``T-1``, ``T-2``, …
        title: One line for people.
        requirements: Ids of its requirements.
        files: Files that it claims.
        symbols: Functions and classes that it writes.
        depends_on: Ids of the tasks before it.
        engineer: Who owns it.
        state: Its state.
        attempt: Number of the attempt at work, from 1; 0 before the first.
        max_attempts: How many there may be; 0 if nobody said.
        reason: Why it is in this state, "" if that is plain.
        tests: Counts of its last test run.
        red: Ids of the tests that failed before there was code.
        green: Ids of the tests that passed with it.
        strength: What its tests catch, for each requirement.
        commit: The commit it was merged with, "" before and while it is undone.
        undone: Whether it was done and then taken off the branch.
        tokens: Tokens that models read and wrote for it.
        seconds: Time of its model calls and test runs.
        retries: How often a person has had it, or a task that it needs, done again.
    """

    id: str
    title: str = ""
    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    engineer: str = ""
    state: TaskState = TaskState.PENDING
    attempt: int = 0
    max_attempts: int = 0
    reason: str = ""
    tests: TestCounts | None = None
    red: tuple[str, ...] = ()
    green: tuple[str, ...] = ()
    strength: tuple[Strength, ...] = ()
    commit: str = ""
    undone: bool = False
    tokens: int = 0
    seconds: float = 0.0
    retries: int = 0

    @property
    def is_wanted_again(self) -> bool:
        """Whether it is to be done again, and not over yet."""
        return self.retries > 0 and not self.state.is_final


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the person; ``answer`` is None while it is open."""

    id: str
    text: str
    why: str = ""
    options: tuple[str, ...] = ()
    recommended: str = ""
    answer: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that QA found."""

    id: str
    severity: str
    rule: str
    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to the person; the newest 200 are kept."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything that is known about a run.

    Attributes:
        run: Its id, "" before the first event.
        seq: Number of the last event that is part of this state.
        state: One of RUN_STATES, "" before the first state_update.
        reason: Why it is in this state.
        info: idea, workspace, branch, base, model, mode and limits, as the first state_update gave them.
        title: The specification's title, "" before there is one.
        spec_path: The spec's path, "" before there is one.
        spec_sha: Its hash.
        requirements: The spec's requirements, in order.
        approved_sha: Hash of the spec that was approved, "" before.
        tasks: The tasks, in the plan's order.
        questions: All questions, in order.
        findings: What QA found.
        notices: Messages to the person, oldest first.
        instructions: What the person has said to the tasks at work, oldest first.
        totals: Tokens, money and calls.
        suite: Counts of the last run of the whole suite.
        checkpoint: The last commit to go back to.
        decision: What the person did with the whole run: "accepted", "rejected", "undone", or "".
        elapsed: Active seconds: from the first event to the last, without the time for which the run was stopped.
        started: Time of the first event, in Unix seconds.
        updated: Time of the last event.
    """

    run: str = ""
    seq: int = 0
    state: str = ""
    reason: str = ""
    info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    title: str = ""
    spec_path: str = ""
    spec_sha: str = ""
    requirements: tuple[Requirement, ...] = ()
    approved_sha: str = ""
    tasks: tuple[TaskView, ...] = ()
    questions: tuple[Question, ...] = ()
    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    totals: Totals = field(default_factory=Totals)
    suite: TestCounts | None = None
    checkpoint: str = ""
    decision: str = ""
    elapsed: float = 0.0
    started: float = 0.0
    updated: float = 0.0

    def task(self, task_id: str) -> TaskView | None:
        """The task with the id, if there is one."""
        return next((task for task in self.tasks if task.id == task_id), None)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """Questions without an answer."""
        return tuple(question for question in self.questions if question.answer is None)

    @property
    def commits(self) -> Mapping[str, str]:
        """The merged commit of every task that has one, by task id."""
        return {task.id: task.commit for task in self.tasks if task.commit}


def reduce(events: Iterable[Event]) -> RunState:
    """The state after all the events, which are one run's, in order."""
    return fold(apply, events, RunState())


def apply(state: RunState, event: Event) -> RunState:
    """The state after one more event."""
    project = _PROJECTIONS.get(event.kind)
    timed = _timed(state, event)
    return project(timed, event.data) if project else timed


def _timed(state: RunState, event: Event) -> RunState:
    if not state.run:
        return replace(state, run=event.run, seq=event.seq, started=event.time, updated=event.time)
    # Between a stop, or a process that died, and the resume nobody worked.
    idle = state.state == "stopped" or (event.kind == "state_update" and bool(event.data.get("resumed")))
    gap = 0.0 if idle else max(0.0, event.time - state.updated)
    # A clock that was set back must not make time run twice.
    updated = max(state.updated, event.time)
    return replace(state, seq=event.seq, updated=updated, elapsed=state.elapsed + gap)


def _state_update(state: RunState, data: Mapping[str, Any]) -> RunState:
    info = {**state.info, **{key: value for key, value in data.items() if key not in ("state", "reason", "resumed")}}
    if integer(data, "round"):
        state = replace(state, findings=())  # its review looks over all of the work again
    return replace(state, state=text(data, "state") or state.state, reason=text(data, "reason"), info=info)


def _plan_update(state: RunState, data: Mapping[str, Any]) -> RunState:
    spec = mapping(data, "spec")
    if spec:
        requirements = tuple(
            Requirement(text(item, "id"), text(item, "title"), dict(item)) for item in mappings(spec, "requirements")
        )
        named = text(spec, "title") or state.title
        state = replace(state, title=named, spec_path=text(spec, "path"), spec_sha=text(spec, "sha"))
        state = replace(state, requirements=requirements)
    if "tasks" in data:
        state = replace(state, tasks=tuple(_planned(state, item) for item in mappings(data, "tasks")))
    return state


def _planned(state: RunState, data: Mapping[str, Any]) -> TaskView:
    """The task as the plan has it now; what it has reached so far stays."""
    task_id = text(data, "id")
    return replace(
        state.task(task_id) or TaskView(task_id),
        title=text(data, "title"),
        requirements=texts(data, "requirements"),
        files=texts(data, "files"),
        symbols=texts(data, "symbols"),
        depends_on=texts(data, "depends_on"),
        engineer=text(data, "engineer"),
    )


def _agent_state(state: RunState, data: Mapping[str, Any]) -> RunState:
    def change(task: TaskView) -> TaskView:
        return replace(
            task,
            state=_task_state(data, task.state),
            attempt=integer(data, "attempt", task.attempt),
            max_attempts=integer(data, "max_attempts", task.max_attempts),
            reason=text(data, "reason"),
            retries=integer(data, "retry", task.retries),
        )

    return _with_task(state, data, change)


def _question(state: RunState, data: Mapping[str, Any]) -> RunState:
    question = Question(
        text(data, "id"), text(data, "text"), text(data, "why"), texts(data, "options"), text(data, "recommended")
    )
    others = tuple(other for other in state.questions if other.id != question.id)
    return replace(state, questions=(*others, question))


def _answer(state: RunState, data: Mapping[str, Any]) -> RunState:
    questions = tuple(
        replace(question, answer=text(data, "text"), by=text(data, "by"))
        if question.id == text(data, "id")
        else question
        for question in state.questions
    )
    return replace(state, questions=questions)


def _approval(state: RunState, data: Mapping[str, Any]) -> RunState:
    return replace(state, approved_sha=text(data, "spec_sha"))


def _usage_update(state: RunState, data: Mapping[str, Any]) -> RunState:
    tokens, seconds = integer(data, "input_tokens") + integer(data, "output_tokens"), number(data, "seconds")
    return _with_task(
        replace(state, totals=state.totals.plus(data)),
        data,
        lambda task: replace(task, tokens=task.tokens + tokens, seconds=task.seconds + seconds),
    )


def _test_result(state: RunState, data: Mapping[str, Any]) -> RunState:
    phase = text(data, "phase")
    outcomes = {text(test, "id"): text(test, "outcome") for test in mappings(data, "tests")}
    passed = tuple(test for test, outcome in outcomes.items() if outcome == "passed")
    failed = tuple(test for test in outcomes if test not in passed)
    counts = TestCounts(phase, len(passed), len(failed))
    if phase == "suite":
        return replace(state, suite=counts)

    def change(task: TaskView) -> TaskView:
        return replace(
            task,
            tests=counts,
            red=failed if phase == "red" else task.red,
            green=passed if phase == "green" else task.green,
            seconds=task.seconds + number(data, "seconds"),
        )

    return _with_task(state, data, change)


def _test_strength(state: RunState, data: Mapping[str, Any]) -> RunState:
    found = read_strength(data)
    return _with_task(state, data, lambda task: replace(task, strength=found or task.strength))


def _change_resolved(state: RunState, data: Mapping[str, Any]) -> RunState:
    decision = text(data, "decision")
    if "task" not in data:
        return replace(state, decision=decision)
    if decision in ("merged", "redone"):
        return _with_task(state, data, lambda task: replace(task, commit=text(data, "commit"), undone=False))
    if decision in ("undone", "rejected"):
        return _with_task(state, data, lambda task: replace(task, commit="", undone=bool(task.commit) or task.undone))
    return state


def _qa_finding(state: RunState, data: Mapping[str, Any]) -> RunState:
    finding = Finding(
        text(data, "id"),
        text(data, "severity"),
        text(data, "rule"),
        text(data, "path"),
        integer(data, "line"),
        text(data, "message"),
    )
    return replace(state, findings=(*state.findings, finding))


def _checkpoint(state: RunState, data: Mapping[str, Any]) -> RunState:
    return replace(state, checkpoint=text(data, "commit"))


def _notice(state: RunState, data: Mapping[str, Any]) -> RunState:
    notices = (*state.notices, Notice(text(data, "level") or "info", text(data, "text")))
    return replace(state, notices=notices[-MAX_NOTICES:])


def _instruction(state: RunState, data: Mapping[str, Any]) -> RunState:
    return replace(state, instructions=added(state.instructions, data))


def _instruction_used(state: RunState, data: Mapping[str, Any]) -> RunState:
    return replace(state, instructions=used(state.instructions, data))


_PROJECTIONS: Mapping[str, Callable[[RunState, Mapping[str, Any]], RunState]] = {
    "state_update": _state_update,
    "plan_update": _plan_update,
    "agent_state": _agent_state,
    "question": _question,
    "answer": _answer,
    "approval": _approval,
    "usage_update": _usage_update,
    "test_result": _test_result,
    "test_strength": _test_strength,
    "change_resolved": _change_resolved,
    "qa_finding": _qa_finding,
    "checkpoint": _checkpoint,
    "notice": _notice,
    "instruction": _instruction,
    "instruction_used": _instruction_used,
}


def _with_task(state: RunState, data: Mapping[str, Any], change: Callable[[TaskView], TaskView]) -> RunState:
    task_id = text(data, "task")
    if state.task(task_id) is None:
        return state
    return replace(state, tasks=tuple(change(task) if task.id == task_id else task for task in state.tasks))


def _task_state(data: Mapping[str, Any], current: TaskState) -> TaskState:
    try:
        return TaskState(data.get("state"))
    except ValueError:
        return current
