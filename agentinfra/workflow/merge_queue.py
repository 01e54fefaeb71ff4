"""The one way onto a run's branch: dry merge, the merged tree's tests, then the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentinfra.agents.project import Verdict
from agentinfra.core.tasks import Task
from agentinfra.proof.report import TestReport
from agentinfra.workflow.red import report_data

if TYPE_CHECKING:
    from agentinfra.workflow.bench import TaskBench
    from agentinfra.workflow.run import Run


async def merge(run: Run, bench: TaskBench) -> Verdict:
    """Merge what stands on the bench; one task at a time, and never a tree whose tests fail."""
    task = bench.task
    async with run.merging:
        outcome = await run.step(f"merge {task.id}", lambda: _merge(run, bench))
    if outcome["report"] is not None:
        report = TestReport.from_json(outcome["report"])
        await run.emit("test_result", report_data(report, task.id, "merge"), ("planner", task.engineer))
    if not outcome["commit"]:
        return Verdict(False, reason=outcome["reason"])
    resolved = {"task": task.id, "decision": "merged", "commit": outcome["commit"]}
    await run.emit("change_resolved", resolved, ("planner", task.engineer))
    return Verdict(True, commit=outcome["commit"])


async def _merge(run: Run, bench: TaskBench) -> dict[str, Any]:
    git, date = run.parts.git, run.parts.commit_date
    sha = await git.commit_worktree(bench.worktree, message_of(bench.task), trailers_of(run, bench.task), date)
    if sha is None:
        return {"commit": "", "reason": "The task changes nothing", "report": None}
    dry = await git.merge_commit(run.id, sha, date=date, dry_run=True)
    if dry.commit is None:
        return {"commit": "", "reason": f"It conflicts in {', '.join(dry.conflicts)}", "report": None}
    root = await git.task_worktree(f"{run.id}-merge", dry.commit)
    try:
        report = await run.parts.runner.run(root)
    finally:
        await git.remove_worktree(f"{run.id}-merge")
    if not report.all_passed:
        return {"commit": "", "reason": "The merged tree's tests fail", "report": report.to_json()}
    merged = await git.merge_commit(run.id, sha, date=date)
    return {"commit": merged.commit, "reason": "", "report": report.to_json()}


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
