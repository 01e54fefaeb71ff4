"""What tools tell of a run: made for models to read, and short."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from agentinfra.security.clean import clean_line, clean_text
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.report import info, run_title
from agentinfra.workflow.run_state import RunState, TaskView
from agentinfra_server.protocol.person_messages import QuestionParams
from agentinfra_server.protocol.view_messages import RunEnded

MOST_FINDINGS = 20


class TaskTold(BaseModel):
    """A task of the run."""

    id: str
    title: str
    state: str
    reason: str = Field("", description="Why it is in this state, where that is not plain")
    files: list[str]


class QuestionTold(BaseModel):
    """What the run waits for the person to say."""

    kind: str = Field(description='"question", or "approve" for the specification')
    text: str
    why: str
    options: list[str]
    recommended: str


class RunTold(BaseModel):
    """A run as it is now."""

    run: str
    state: str
    is_at_work: bool = Field(description="Whether this server works on it")
    title: str
    specification: str = Field(description="Path of spec.md, empty before there is one")
    branch: str
    question: QuestionTold | None
    tasks: list[TaskTold]
    findings: list[str]
    tokens: int
    cost_usd: float | None = Field(description="None where the price is not known")
    message: str = Field(description="How it ended, where it did not end well")
    next_step: str = Field(description="What to do now")


def tell(state: RunState, waiting: Sequence[QuestionParams], ended: RunEnded | None, *, is_live: bool) -> RunTold:
    """A run as tools tell it.

    Args:
        state: Its state.
        waiting: What it asks the person.
        ended: How its process ended; None where it has not, or elsewhere.
        is_live: Whether this server works on it.
    """
    question = waiting[0] if waiting else None
    return RunTold(
        run=state.run,
        state=state.state,
        is_at_work=is_live,
        title=run_title(state),
        specification=state.spec_path,
        branch=info(state, "branch"),
        question=_question(question) if question else None,
        tasks=[_task(task) for task in state.tasks],
        findings=[clean_line(f"{one.path}:{one.line} {one.message}") for one in state.findings[:MOST_FINDINGS]],
        tokens=state.totals.input_tokens + state.totals.output_tokens,
        cost_usd=state.totals.cost_usd,
        message=clean_text(" ".join(filter(None, (ended.message, ended.why)))) if ended and ended.code else "",
        next_step=_next(state, question, is_live=is_live),
    )


def _task(task: TaskView) -> TaskTold:
    return TaskTold(
        id=task.id,
        title=clean_line(task.title),
        state="undone" if task.undone else task.state.value,
        reason=clean_line(task.reason),
        files=list(task.files),
    )


def _question(question: QuestionParams) -> QuestionTold:
    return QuestionTold(
        kind=question.kind,
        text=clean_text(question.message),
        why=clean_text(question.why),
        options=[clean_line(one) for one in question.options] if question.kind == "question" else [],
        recommended=clean_line(question.recommended) if question.kind == "question" else "",
    )


def _next(state: RunState, question: QuestionParams | None, *, is_live: bool) -> str:
    if question is not None and question.kind == "approve":
        return "The person may read and edit the specification; then call agentinfra_approve, which asks them"
    if question is not None:
        return "Put the question to the person, and call agentinfra_answer with their words"
    if is_live:
        return "Call agentinfra_status to wait for it"
    if state.state == "done" and not state.decision:
        return f"The work is on branch {info(state, 'branch')}; the person takes it over with: agentinfra accept"
    if state.state in FINAL_RUN_STATES and state.state != "stopped":
        return "Begin another run with agentinfra_plan"
    return "Go on with it by agentinfra_resume"
