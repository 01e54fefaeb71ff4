"""Rounds: tasks of a run that were over are done again, after the rest of its work or after the run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentinfra.core.events import EventDraft
from agentinfra.core.tasks import TaskState
from agentinfra.spec.document import parse
from agentinfra.spec.requirements import Spec
from agentinfra.workflow.instructions import OVER
from agentinfra.workflow.repository_guidance import read_guidance
from agentinfra.workflow.retrying import claim, wanted_again
from agentinfra.workflow.task_data import task_of

if TYPE_CHECKING:
    from agentinfra.workflow.run import Run


def begin_round(run: Run, number: int) -> int:
    """The number of the round to carry on with: the one that was begun, or the next where tasks are wanted again.

    Args:
        run: The run, behind its main job.
        number: The last round's number, 0 before the first.

    Returns:
        The number; 0 where there is nothing left to do.
    """
    state = run.view()
    if state.state not in OVER:
        return number
    if not wanted_again(state):
        return 0
    # Between the run's end and this nobody worked: its time does not count.
    data = {"state": "building", "round": number + 1, "resumed": True}
    run.parts.log.append(run.id, EventDraft("state_update", data, key=f"round {number + 1}"))
    return number + 1


async def claimed(run: Run) -> list[str]:
    """The tasks that a person wants done again, with those that were skipped meanwhile because of them."""
    return await asyncio.to_thread(claim, run.parts.log, run.id)


async def close_round(run: Run, wanted: Sequence[str]) -> None:
    """Cancel what no engineer took up again, so that it is not waited for for ever."""
    for name, state in (await run.states([run.tasks[name] for name in wanted])).items():
        if not state.is_final:
            await run.set_state(run.tasks[name], TaskState.CANCELLED, reason="No engineer took it up again")
            run.settle(name, TaskState.CANCELLED)


async def remember(run: Run) -> Spec:
    """Bring back what the run's earlier part knew, where it ran in another process: start, guidance, spec and tasks."""
    git = run.parts.git
    if not run.start:
        run.start = await git.start_branch(run.id)
        run.guidance = await read_guidance(git, run.start)
    if run.spec is None:
        text = await git.read_file(f"agentinfra/{run.id}", "spec.md")
        run.spec = run.options.change.spec(text) if run.options.change else parse(text)
    run.tasks = {task.id: run.tasks.get(task.id) or task_of(task) for task in run.view().tasks}
    return run.spec
