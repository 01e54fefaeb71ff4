"""What the event log says of the run that a specification belongs to, for the checks of its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from agentinfra.core.events import Event
from agentinfra.core.interfaces import EventLog
from agentinfra.core.tasks import TaskState
from agentinfra.spec.diagnostics import KnownTest, RunFacts
from agentinfra.spec.front_matter import read_front_matter
from agentinfra.spec.requirements import Status
from agentinfra.workflow.proofs import proofs
from agentinfra.workflow.report import is_complete
from agentinfra.workflow.run_state import RunState, reduce

_OVER = frozenset({"done", "failed"})


def run_facts(log: EventLog, text: str, workspace: Path) -> RunFacts | None:
    """Gather what is on record about a specification.

    Its run is the one whose id its front matter names. Tasks and tests of earlier runs count where the run's work was
    accepted: a changed specification keeps what still holds.

    Args:
        log: Where the runs are on record.
        text: The specification.
        workspace: Where the tests stand that were accepted.

    Returns:
        None where nothing is on record at all.
    """
    runs = list(log.runs())
    named = read_front_matter(text).get("id", "")
    if not runs:
        return None
    if named not in runs:
        return RunFacts()
    history = list(_history(log, runs[: runs.index(named) + 1]))
    state = reduce(history[-1])
    states = [reduce(events) for events in history]
    return RunFacts(
        run=named,
        status=status_of(state),
        approved_sha=state.approved_sha,
        tasks={task.id: task.state for one in states for task in one.tasks},
        blocked={task.id: task.reason for task in state.tasks if task.state is TaskState.BLOCKED},
        undone=_undone(states),
        tests=tuple(_standing_tests(history, workspace)),
    )


def _history(log: EventLog, runs: Sequence[str]) -> Iterator[Sequence[Event]]:
    """The events of the accepted runs, oldest first, and at the end those of the last one."""
    for run in runs[:-1]:
        events = log.read(run)
        if reduce(events).decision == "accepted":
            yield events
    yield log.read(runs[-1])


def status_of(state: RunState) -> Status:
    """The furthest status of its specification that a run bears out."""
    if not state.approved_sha:
        return "draft"
    if state.state not in _OVER:
        return "building"
    return "done" if state.state == "done" and is_complete(state) else "approved"


def _undone(states: Sequence[RunState]) -> frozenset[str]:
    newest = {task.id: task for state in states for task in state.tasks}
    return frozenset(name for name, task in newest.items() if task.undone and task.state is TaskState.DONE)


def _standing_tests(history: Sequence[Sequence[Event]], workspace: Path) -> Iterator[KnownTest]:
    """The proven tests whose functions are still there; what a later run proved again is that run's."""
    found: dict[str, tuple[str, ...]] = {}
    for events in history:
        for proof in proofs(events):
            if proof.is_done and proof.green and proof.red:
                green = {test.id for test in proof.green.tests if test.outcome == "passed"}
                found |= {test.id: proof.task.requirements for test in proof.red.failing if test.id in green}
    texts = {path: _read(workspace / path) for path in {name.partition("::")[0] for name in found}}
    for name, requirements in found.items():
        path, _, function = name.partition("::")
        if f"def {function.rpartition('::')[2].partition('[')[0]}(" in texts[path]:
            yield KnownTest(name, requirements)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
