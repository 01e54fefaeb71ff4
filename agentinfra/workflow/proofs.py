"""What the event log says in proof of each task, judged again from it alone: RED, GREEN with the same lock, merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from agentinfra.core.events import Event
from agentinfra.core.tasks import TaskState
from agentinfra.proof.records import judge_green, judge_red
from agentinfra.proof.report import FailureKind, Outcome, TestOutcome, TestReport
from agentinfra.workflow.event_fields import integer, mappings, text
from agentinfra.workflow.run_state import RunState, TaskView, reduce


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A test run on record.

    Attributes:
        seq: Number of its event.
        exit_code: Of the runner.
        tests_sha: Hash of the locked files as they were then.
        tests: Every test with its outcome.
        reason: Why the engine refused it; "" where it did not.
    """

    seq: int
    exit_code: int
    tests_sha: str
    tests: tuple[TestOutcome, ...]
    reason: str

    @property
    def failing(self) -> tuple[TestOutcome, ...]:
        """The tests that did not pass."""
        return tuple(test for test in self.tests if test.outcome != "passed")

    @property
    def report(self) -> TestReport:
        """The record as the report that it was made from."""
        return TestReport(self.tests, self.exit_code, 0.0, reason=self.reason)

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        told = [{"id": one.id, "outcome": one.outcome, "kind": one.kind} for one in self.tests]
        return {key: getattr(self, key) for key in ("seq", "exit_code", "tests_sha", "reason")} | {"tests": told}


@dataclass(frozen=True, slots=True)
class TaskProof:
    """The records of a task.

    Attributes:
        task: The task, with its commit and the strength of its tests.
        red: The run in which its tests failed without the code; None where there is none.
        green: The run in which they passed with it.
        refused: Why attempts were caught by the tamper guard, oldest first.
        merged: Number of the event of its merge, 0 where it was not merged.
        undone: Whether it was taken off the branch again.
        problems: What its records do not bear out; empty for a task that is not done.
    """

    task: TaskView
    red: RunRecord | None = None
    green: RunRecord | None = None
    refused: tuple[str, ...] = ()
    merged: int = 0
    undone: bool = False
    problems: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the engine has called the task done, and nobody has taken it back."""
        return self.task.state is TaskState.DONE and not self.undone

    def to_json(self) -> dict[str, Any]:
        """The proof as a JSON object."""
        return {
            "task": self.task.id,
            "title": self.task.title,
            "requirements": list(self.task.requirements),
            "state": self.task.state.value,
            "undone": self.undone,
            "borne_out": self.is_done and not self.problems,
            "problems": list(self.problems),
            "red": self.red.to_json() if self.red else None,
            "green": self.green.to_json() if self.green else None,
            "commit": self.task.commit,
            "refused": list(self.refused),
            "strength": [asdict(one) for one in self.task.strength],
        }


def proofs(events: Sequence[Event]) -> list[TaskProof]:
    """Judge every task of a run by its records.

    Args:
        events: The run's events, in order.
    """
    state: RunState = reduce(events)
    return [_judged(_collected(task, events)) for task in state.tasks]


def _collected(task: TaskView, events: Iterable[Event]) -> TaskProof:
    proof = TaskProof(task)
    for event in events:
        if event.data.get("task") == task.id:
            proof = _with_event(proof, event)
    return proof


def _with_event(proof: TaskProof, event: Event) -> TaskProof:
    if event.kind == "change_resolved":
        decision = text(event.data, "decision")
        merged = event.seq if decision == "merged" else proof.merged
        return replace(proof, merged=merged, undone=_is_undone(proof.undone, decision))
    phase = text(event.data, "phase") if event.kind == "test_result" else ""
    if phase == "red" and _is_better(proof.red, event):
        return replace(proof, red=_record(event))
    if phase == "green" and _is_better(proof.green, event):
        return replace(proof, green=_record(event))
    if phase == "attempt" and text(event.data, "reason").startswith("tampering"):
        return replace(proof, refused=(*proof.refused, text(event.data, "reason")))
    return proof


def _is_undone(before: bool, decision: str) -> bool:
    return decision in ("undone", "rejected") or (before and decision not in ("merged", "redone"))


def _is_better(known: RunRecord | None, event: Event) -> bool:
    """Whether a later run replaces the known one; a refused one does not replace one that held."""
    return known is None or bool(known.reason) or not text(event.data, "reason")


def _record(event: Event) -> RunRecord:
    tests = tuple(_outcome(one) for one in mappings(event.data, "tests"))
    code = integer(event.data, "exit_code", -1)
    return RunRecord(event.seq, code, text(event.data, "tests_sha"), tests, text(event.data, "reason"))


def _outcome(data: Mapping[str, Any]) -> TestOutcome:
    outcome, kind = cast("Outcome", text(data, "outcome")), cast("FailureKind", text(data, "kind"))
    return TestOutcome(text(data, "id"), outcome, text(data, "message"), kind=kind)


def _judged(proof: TaskProof) -> TaskProof:
    return replace(proof, problems=tuple(_problems(proof))) if proof.is_done else proof


def _problems(proof: TaskProof) -> Iterator[str]:
    if proof.red is None:
        yield "there is no record that its tests were RED"
        return
    required = [test.id for test in proof.red.failing]
    red = judge_red(proof.red.report, required, tests_sha=proof.red.tests_sha)
    yield from (f"RED: {reason}" for reason in red.reasons)
    if proof.green is None:
        yield "there is no record that its tests were GREEN"
    elif red.record is not None:
        green = judge_green(red.record, proof.green.report, tests_sha=proof.green.tests_sha)
        yield from (f"GREEN: {reason}" for reason in green.reasons)
    yield from _order_problems(proof, proof.red, proof.green)


def _order_problems(proof: TaskProof, red: RunRecord, green: RunRecord | None) -> Iterator[str]:
    if green is not None and green.seq < red.seq:
        yield "its tests were GREEN before they were RED"
    if not (red.tests_sha and (green is None or green.tests_sha)):
        yield "there is no record of the lock of its tests"
    if not proof.task.commit:
        yield "there is no merged commit"
    elif green is not None and proof.merged < green.seq:
        yield "it was merged before its tests were GREEN"


def kinds(record: RunRecord) -> str:
    """Why the tests of a run failed, counted: ``2 assertion, 1 missing``."""
    counts = Counter(test.kind or test.outcome for test in record.failing)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
