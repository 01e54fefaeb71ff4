"""From a task's workbench into the merge queue, and what comes back onto the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentinfra.agents.project import Verdict
from agentinfra.core.tasks import Task
from agentinfra.proof.report import TestReport
from agentinfra.workflow.merge_queue import Outcome
from agentinfra.workflow.merge_trees import Ticket
from agentinfra.workflow.red import report_data

if TYPE_CHECKING:
    from agentinfra.workflow.bench import TaskBench
    from agentinfra.workflow.run import Run


async def merge(run: Run, bench: TaskBench) -> Verdict:
    """Hand what stands on the bench to the merge queue, and tell what became of it."""
    task = bench.task
    path = ("planner", task.engineer)
    async with run.waiting(task.id):
        outcome = Outcome.from_json(await run.step(f"merge {task.id}", lambda: _merge(run, bench)))
    if outcome.report is not None:
        report = TestReport.from_json(outcome.report)
        told = report_data(report, task.id, "merge", triage=dict(outcome.triage), together=list(outcome.together))
        await run.emit("test_result", told, path)
    if not outcome.commit:
        returned = {"task": task.id, "decision": "returned", "reason": outcome.reason}
        await run.emit("change_resolved", returned, path)
        return Verdict(False, reason=outcome.reason, evidence=outcome.evidence)
    resolved = {"task": task.id, "decision": "merged", "commit": outcome.commit}
    await run.emit("change_resolved", resolved, path)
    return Verdict(True, commit=outcome.commit)


async def _merge(run: Run, bench: TaskBench) -> dict[str, Any]:
    task, date = bench.task, run.parts.commit_date
    sha = await run.parts.git.commit_worktree(bench.worktree, message_of(task), trailers_of(run, task), date)
    if sha is None:
        return Outcome(reason="The task changes nothing").to_json()
    tests = tuple(bench.suite.test_id(case) for case in bench.suite.cases)
    ticket = Ticket(task.id, sha, run.place(task.id), task.depends_on, tests)
    return (await run.queue.submit(ticket)).to_json()


def message_of(task: Task) -> str:
    """The commit message of a task."""
    return f"{task.title}\n\nImplements {', '.join(task.requirements)} in {', '.join(task.files)}."


def trailers_of(run: Run, task: Task) -> dict[str, str]:
    """The trailers that make every line of the commit traceable."""
    return {
        "AgentInfra-Run": run.id,
        "AgentInfra-Task": task.id,
        "AgentInfra-Requirement": ", ".join(task.requirements),
        "AgentInfra-Agent": f"{task.engineer}/MicroAgent",
        "AgentInfra-Model": run.parts.model_for(None).name,
    }
