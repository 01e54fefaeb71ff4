"""A run's state as clients show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from agentinfra.spec.front_matter import body_sha
from agentinfra.workflow.event_fields import is_number, mapping, text
from agentinfra.workflow.run_state import RunState, TaskView
from agentinfra_server.protocol.messages import FindingItem, InstructionItem, OpenQuestion, RunView, TaskItem


def view_of(state: RunState, folder: Path, tasks: Iterable[TaskView], *, is_live: bool) -> RunView:
    """A run as it is shown.

    Args:
        state: Its state.
        folder: The workspace folder.
        tasks: Those of its tasks to hand over.
        is_live: Whether this server works on it now.
    """
    return RunView(
        run_id=state.run,
        folder=folder.as_uri(),
        seq=state.seq,
        state=state.state,
        reason=state.reason,
        title=state.title,
        idea=text(state.info, "idea"),
        model=text(state.info, "model"),
        branch=text(state.info, "branch"),
        spec_uri=Path(state.spec_path).as_uri() if Path(state.spec_path).is_absolute() else None,
        spec_sha=state.spec_sha,
        is_live=is_live,
        decision=state.decision,
        elapsed=state.elapsed,
        tokens=state.totals.input_tokens + state.totals.output_tokens,
        cost_usd=state.totals.cost_usd,
        limit_usd=_limit(state),
        questions=[
            OpenQuestion(id=one.id, text=one.text, why=one.why, options=list(one.options), recommended=one.recommended)
            for one in state.open_questions
        ],
        findings=[
            FindingItem(
                id=one.id, severity=one.severity, rule=one.rule, path=one.path, line=one.line, message=one.message
            )
            for one in state.findings
        ],
        tasks=[_item(task) for task in tasks],
        task_ids=[task.id for task in state.tasks],
        instructions=[
            InstructionItem(id=one.id, text=one.text, when=one.when, task_id=one.task, used_by=list(one.used))
            for one in state.instructions
        ],
    )


def as_on_disk(state: RunState) -> RunState:
    """The state with the hash of the specification as the person may have edited it, while it waits for approval."""
    if state.state != "awaiting_approval":
        return state
    try:
        return replace(state, spec_sha=body_sha(Path(state.spec_path).read_text("utf-8")))
    except (OSError, ValueError):
        return state  # whoever approves it is told why it cannot be read


def changed(before: RunState, after: RunState) -> list[TaskView]:
    """The tasks that are not as they were."""
    known = {task.id: task for task in before.tasks}
    return [task for task in after.tasks if known.get(task.id) is not task]


def _item(task: TaskView) -> TaskItem:
    return TaskItem(
        id=task.id,
        title=task.title,
        state=task.state,
        engineer=task.engineer,
        requirements=list(task.requirements),
        files=list(task.files),
        depends_on=list(task.depends_on),
        attempt=task.attempt,
        max_attempts=task.max_attempts,
        reason=task.reason,
        passed=task.tests.passed if task.tests else 0,
        failed=task.tests.failed if task.tests else 0,
        red=list(task.red),
        green=list(task.green),
        commit=task.commit,
        undone=task.undone,
        tokens=task.tokens,
        seconds=task.seconds,
        retries=task.retries,
    )


def _limit(state: RunState) -> float | None:
    found = mapping(state.info, "limits").get("usd")
    return float(found) if is_number(found) else None
