"""The main job as data: from an idea to a reviewed branch."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentinfra.agents.guidance import Guidance
from agentinfra.agents.planner_agent import PlannerAgent
from agentinfra.agents.qa_agent import MergedTree, QAAgent
from agentinfra.core.doors import is_overridden
from agentinfra.core.errors import ConfigError
from agentinfra.core.events import EventDraft
from agentinfra.core.tasks import Task, TaskState
from agentinfra.models.forecast import forecast
from agentinfra.proof.report import TestReport
from agentinfra.proof.triage import not_passed, triage
from agentinfra.spec.document import parse, render
from agentinfra.spec.requirements import Spec
from agentinfra.spec.tasks_document import parse_tasks, render_tasks
from agentinfra.workflow.event_fields import integer
from agentinfra.workflow.instructions import OVER
from agentinfra.workflow.red import report_data
from agentinfra.workflow.repository_guidance import read_guidance
from agentinfra.workflow.rounds import begin_round, claimed, close_round, remember
from agentinfra.workflow.run import Run
from agentinfra.workflow.task_data import task_of
from agentinfra.workflow.workflow_builder import Inputs, Workflow, WorkflowBuilder
from agentinfra.workflow.workflow_runner import run_workflow

MAX_REVIEWED_FILES = 500


@dataclass(frozen=True, slots=True)
class Job:
    """What the steps of the main job work with."""

    run: Run
    planner: PlannerAgent
    qa: QAAgent
    on_start: Callable[[str], None]


def main_job(planner: PlannerAgent) -> Workflow:
    """The job's graph; a planner with a ``plan_project`` or main loop of its own runs that, not the three steps."""
    builder = WorkflowBuilder("main-job").step("begin", _begin)
    if any(is_overridden(planner, name) for name in ("plan_project", "run", "perceive", "decide", "act")):
        builder.step("plan_project", _plan_project)
    else:
        builder.step("specify", _specify).step("approve", _approve).step("delegate", _delegate)
    return builder.step("again", _again).step("review", _review).step("report", _report).build()


def round_job() -> Workflow:
    """What follows where a person has tasks of a run that is over done again."""
    return WorkflowBuilder("round").step("again", _again).step("review", _review).step("report", _report).build()


async def run_main_job(run: Run, planner: PlannerAgent, on_start: Callable[[str], None]) -> None:
    """Carry a run from where it is to its end.

    Raises:
        RunStopped: It was stopped; call again to go on.
        AgentInfraError: It failed.
    """
    planner.environment = run
    job = Job(run, planner, QAAgent(environment=run), on_start)
    before = run.view()
    number = integer(before.info, "round")
    if before.state:
        on_start(run.id)
        run.settle_finished(before)
    if before.state and before.state not in OVER:
        run.note_resumed()
    argument = {"idea": run.idea, "planner": type(planner).__name__}
    if not number and before.state not in OVER:
        await run_workflow(main_job(planner), run.parts.engine, run.id, argument, job)
    while number := begin_round(run, number):
        await remember(run)
        await run_workflow(round_job(), run.parts.engine, f"{run.id}#{number}", argument, job)


async def _begin(inputs: Inputs, job: Job) -> dict[str, Any]:
    del inputs
    run, options = job.run, job.run.options
    git = run.parts.git
    guidance = Guidance() if git.is_unborn() else await read_guidance(git, "HEAD")
    data = {
        "state": "planning",
        "idea": run.idea,
        "workspace": str(run.path),
        "branch": f"agentinfra/{run.id}",
        "base": git.base,
        "model": run.parts.model_for(None).name,
        "mode": options.mode,
        "sandbox": run.parts.runner.sandbox.name,
        "limits": {
            "minutes": options.budget_minutes,
            "usd": options.budget_usd,
            "requests": options.budget_requests,
            "tokens": options.budget_tokens,
            "attempts": run.parts.max_attempts,
        },
        "python": platform.python_version(),
        **({"guidance": guidance.told()} if guidance else {}),
    }
    await run.emit("state_update", data)
    job.on_start(run.id)
    await _tell_forecast(run)
    start = await run.step("branch", lambda: git.start_branch(run.id, date=run.parts.commit_date))
    dirty = await run.step("dirty", lambda: asyncio.to_thread(lambda: list(git.is_dirty())))
    if options.change is not None:
        dirty = [path for path in dirty if path != "spec.md"]
    if dirty:
        text = f"{len(dirty)} changed files are not part of the run, it starts from HEAD: {', '.join(dirty[:5])}"
        await run.emit("notice", {"level": "warning", "text": text})
    return {"start": start, "guidance": guidance.to_json()}


async def _tell_forecast(run: Run) -> None:
    options, model = run.options, run.parts.model_for(None).name
    expected = "" if options.replay else forecast(model, usd=options.budget_usd, tokens=options.budget_tokens)
    if expected:
        # A key of its own: prices may change before a resume, and must not shift the keys of other events.
        notice = EventDraft("notice", {"level": "info", "text": expected}, key="forecast")
        await asyncio.to_thread(run.parts.log.append, run.id, notice)


async def _specify(inputs: Inputs, job: Job) -> str:
    _restore(inputs, job)
    change = job.run.options.change
    if change is None:
        return render(await job.planner.specify(inputs["argument"]["idea"]))
    spec = change.spec()
    await job.run.emit("notice", {"level": "info", "text": f"Since {change.run}: {change.change(spec)}"})
    for line in change.left_behind(spec):
        await job.run.emit("notice", {"level": "info", "text": line})
    return render(spec)


async def _approve(inputs: Inputs, job: Job) -> str:
    _restore(inputs, job)
    return render(await job.planner.publish(parse(inputs["specify"])))


async def _delegate(inputs: Inputs, job: Job) -> None:
    _restore(inputs, job)
    job.run.spec = parse(inputs["approve"])
    await job.planner.delegate(job.run.spec)


async def _again(inputs: Inputs, job: Job) -> int:
    """Do again what a person wants to be; how often something was."""
    _restore(inputs, job)
    run, rounds = job.run, 0
    while run.may_execute and (wanted := await run.step("wanted again", lambda: claimed(run))):
        rounds += 1
        spec = await remember(run)
        run.open_again(f"{run.parts.engine.workflow_id}~{rounds}", wanted)
        await job.planner.delegate(spec)
        await close_round(run, wanted)
    return rounds


async def _plan_project(inputs: Inputs, job: Job) -> None:
    _restore(inputs, job)
    if job.run.options.change is not None:
        raise ConfigError(
            f"{type(job.planner).__name__} plans in its own way, and cannot take over an edited specification",
            next_step="Leave the planner out of the settings for `agentinfra plan --change`",
        )
    await job.planner.aplan_project(inputs["argument"]["idea"])


async def _review(inputs: Inputs, job: Job) -> dict[str, Any]:
    _restore(inputs, job)
    run, git = job.run, job.run.parts.git
    if not run.may_execute:
        return {"findings": 0}
    await run.emit("state_update", {"state": "reviewing"}, ("planner", job.qa.name))
    tip = await run.step("tip", lambda: git.tip(run.id))
    suite = await run.step("suite", lambda: _suite(run, tip))
    report = TestReport.from_json(suite["report"])
    told = report_data(report, None, "suite", triage=suite["triage"])
    await run.emit("test_result", told, ("planner", job.qa.name))
    findings = await job.qa.arun(MergedTree(await _sources(run, tip), report, suite["triage"]))
    return {"findings": len(findings)}


async def _report(inputs: Inputs, job: Job) -> None:
    _restore(inputs, job)
    run = job.run
    spec = inputs.get("approve") or (render(run.spec) if run.spec else None)
    await run.step("tasks.md", lambda: _commit_tasks(run, spec))
    await run.step("tidy", lambda: _tidy(run))
    await run.emit("checkpoint", {"commit": await run.step("final", lambda: run.parts.git.tip(run.id))})
    await run.emit("state_update", {"state": "done"})


def _restore(inputs: Inputs, job: Job) -> None:
    """What earlier steps left in memory; after a resume they are not run again."""
    if "begin" in inputs:
        job.run.start = inputs["begin"]["start"]
        # A run that an earlier version began has none on record.
        found = inputs["begin"].get("guidance")
        job.run.guidance = Guidance.from_json(found) if found else Guidance()


async def _suite(run: Run, tip: str) -> dict[str, Any]:
    """The whole suite's report, and of each test that does not pass whether it did so before the run."""
    git, runner, names = run.parts.git, run.parts.runner, (f"{run.id}-review", f"{run.id}-base")
    try:
        root = await git.task_worktree(names[0], tip)
        report = await runner.run(root)
        amiss = not_passed(report)
        base = await git.task_worktree(names[1], run.start) if amiss else root
        return {"report": report.to_json(), "triage": await triage(runner, amiss, root, base)}
    finally:
        for name in names:
            await git.remove_worktree(name)


async def _sources(run: Run, tip: str) -> dict[str, str]:
    """The Python files that the run wrote."""
    changed = [one.path for one in await run.parts.git.diff_stat(run.start, tip) if one.path.endswith(".py")]
    return {path: await run.parts.git.read_file(tip, path) for path in changed[:MAX_REVIEWED_FILES]}


async def _commit_tasks(run: Run, spec: str | None) -> str:
    state = run.view()
    kept = await _kept(run, parse(spec)) if spec and run.options.change else []
    if not state.tasks and not kept:
        return ""
    tasks = [*kept, *(task_of(task) for task in state.tasks)]
    text = render_tasks(
        sorted(tasks, key=lambda task: int(task.id.removeprefix("T-"))) if kept else tasks,
        {task.id: TaskState.DONE for task in kept} | {task.id: task.state for task in state.tasks},
        {task.id: task.reason for task in state.tasks if task.reason},
    )
    trailers = {"AgentInfra-Run": run.id}
    return await run.parts.git.commit_files(run.id, {"tasks.md": text}, "Tasks", trailers, run.parts.commit_date)


async def _kept(run: Run, spec: Spec) -> list[Task]:
    """The tasks of earlier runs that this one left as they were, and that the specification still asks for."""
    if "tasks.md" not in await run.parts.git.list_files(run.start):
        return []
    earlier = parse_tasks(await run.parts.git.read_file(run.start, "tasks.md"))
    asked = {requirement.id for requirement in spec.requirements}
    done_here = {task.id for task in run.view().tasks}
    return [task for task in earlier if task.id not in done_here and asked >= set(task.requirements)]


async def _tidy(run: Run) -> None:
    await run.parts.git.reject(run.id)
