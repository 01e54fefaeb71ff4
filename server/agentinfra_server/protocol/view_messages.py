"""Runs as clients show them, and how they end."""

from __future__ import annotations

from dataclasses import field

from agentinfra_server.protocol.message import message
from agentinfra_server.protocol.run_messages import RunEvent
from agentinfra_server.protocol.steer_messages import InstructionItem


@message
class TaskItem:
    """A task as it is shown; see ``TaskView`` of ``agentinfra/workflow/run_state.py``.

    Attributes:
        id: ``T-1``, ``T-2``, …
        title: One line.
        state: Its state, as in tasks.md.
        engineer: Who owns it.
        requirements: Ids of its requirements.
        files: Files that it claims, relative to the folder.
        depends_on: Ids of the tasks before it.
        attempt: Number of the attempt at work, from 1; 0 before the first.
        max_attempts: How many there may be; 0 if nobody said.
        reason: Why it is in this state, "" if that is plain.
        passed: Tests of its last run that passed.
        failed: Those that did not.
        red: Ids of the tests that failed before there was code.
        green: Ids of the tests that passed with it.
        commit: The commit it was merged with, "" for none.
        undone: Whether it was done and then taken off the branch.
        tokens: Tokens that models read and wrote for it.
        seconds: Time of its model calls and test runs.
        retries: How often a person has had it, or a task that it needs, done again.
    """

    id: str
    title: str
    state: str
    engineer: str
    requirements: list[str]
    files: list[str]
    depends_on: list[str]
    attempt: int
    max_attempts: int
    reason: str
    passed: int
    failed: int
    red: list[str]
    green: list[str]
    commit: str
    undone: bool
    tokens: int
    seconds: float
    retries: int = 0


@message
class FindingItem:
    """Something that the review found; ``line`` counts from 1."""

    id: str
    severity: str
    rule: str
    path: str
    line: int
    message: str


@message
class OpenQuestion:
    """A question without an answer."""

    id: str
    text: str
    why: str
    options: list[str]
    recommended: str


@message
class RunView:
    """A run as it is shown: all that a panel needs, so that no client adds events up.

    Attributes:
        run_id: The run.
        folder: URI of the workspace folder.
        seq: Number of the last event that is part of it.
        state: As in ``run/get``.
        reason: Why it is in this state.
        title: The specification's title, "" before there is one.
        idea: What was asked for.
        model: ``provider:model``.
        branch: Where its work lies.
        spec_uri: The specification that waits or was approved, null before there is one.
        spec_sha: Its hash.
        is_live: Whether this server works on it now.
        decision: What the person did with all of it: "accepted", "rejected", "undone", or "".
        elapsed: Active seconds.
        tokens: Tokens that models read and wrote.
        cost_usd: What that cost; null where a price is unknown.
        limit_usd: The budget; null for none.
        questions: Those without an answer.
        findings: What the review found.
        tasks: All tasks in ``run/view``, those that changed in ``run/update``.
        task_ids: All tasks' ids, in the plan's order.
        instructions: What the person has said to the tasks, oldest first.
    """

    run_id: str
    folder: str
    seq: int
    state: str
    reason: str
    title: str
    idea: str
    model: str
    branch: str
    spec_uri: str | None
    spec_sha: str
    is_live: bool
    decision: str
    elapsed: float
    tokens: int
    cost_usd: float | None
    limit_usd: float | None
    questions: list[OpenQuestion]
    findings: list[FindingItem]
    tasks: list[TaskItem]
    task_ids: list[str]
    instructions: list[InstructionItem] = field(default_factory=list[InstructionItem])


@message
class RunViewParams:
    """Which run; the newest of the folder where it is left out."""

    run_id: str | None = None
    folder: str | None = None


@message
class RunUpdate:
    """New events of a run, in order, at most ten times a second; a gap in ``seq`` is filled by ``run/get``.

    ``view`` is the run after them, with the tasks that they changed.
    """

    run_id: str
    folder: str
    state: str
    events: list[RunEvent]
    view: RunView


@message
class RunEnded:
    """How a run that this server worked on ended; the texts are "" unless an error ended it."""

    run_id: str
    code: int
    message: str = ""
    why: str = ""
    next: str = ""
