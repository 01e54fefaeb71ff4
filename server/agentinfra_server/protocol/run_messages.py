"""What is said of runs: start them, look at them, decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from agentinfra_server.protocol.message import message

Kind = Literal["plan", "change"]
Mode = Literal["plan", "review", "auto-edit", "unattended"]
Action = Literal["stop", "resume"]
ActionState = Literal["working", "done", "failed", "stopped", "interrupted"]
Decision = Literal["approve", "reject"]
ChangeDecision = Literal["accept", "reject", "undo", "redo"]
Json = Mapping[str, Any]


@message
class Budget:
    """Limits of a run; one that is left out is the default."""

    minutes: float | None = None
    usd: float | None = None
    tokens: int | None = None
    requests: int | None = None


@message
class RunStartParams:
    """What to build, how, and how freely.

    Attributes:
        prompt: The idea in the person's words; ignored for the kind "change".
        folder: URI of the workspace folder; the first one where it is left out.
        kind: "plan" builds the idea, "change" what a person's edit of an accepted spec.md asks for.
        mode: How far the run may go without asking.
        model: ``provider:model``; the settings' or the best that there is where it is left out.
        budget: Its limits.
        initialize: Make the folder a git repository where it is none; the person is asked first where files lie in it.
        planner: ``module:Class`` of the workspace's own planner; needs the workspace's trust.
        replay: URI of a record to play instead of asking a model.
    """

    prompt: str = ""
    folder: str | None = None
    kind: Kind = "plan"
    mode: Mode = "review"
    model: str | None = None
    budget: Budget = field(default_factory=Budget)
    initialize: bool = False
    planner: str | None = None
    replay: str | None = None


@message
class RunStartResult:
    """The run, as soon as there is one; it goes on by itself."""

    run_id: str


@message
class RunGetParams:
    """Which run, and from which event on; without a run all runs are listed.

    Attributes:
        run_id: The run.
        folder: URI of the workspace folder; the first one where it is left out.
        since_seq: Number of the last event that the client has.
        limit: The most events to send.
    """

    run_id: str | None = None
    folder: str | None = None
    since_seq: int = 0
    limit: int = 500


@message
class RunSummary:
    """A run in a list; ``is_live`` says whether this server works on it now."""

    run_id: str
    state: str
    idea: str
    is_live: bool = False


@message
class ActionItem:
    """A code action that went on by itself; "interrupted" died with its server, and can be asked for again."""

    id: str
    title: str
    state: ActionState
    reason: str = ""


@message
class RunEvent:
    """An event of a run, as it is in the log; ``time`` is Unix seconds."""

    seq: int
    time: float
    kind: str
    agent: list[str]
    data: Json


@message
class RunGetResult:
    """A run's events behind ``sinceSeq``, or all runs.

    Attributes:
        state: State of the run, "" where there is no such run or all are listed.
        events: At most ``limit`` events; ask again from the last of them where there are more.
        last_seq: Number of the newest event of the run.
        runs: All runs, oldest first.
        actions: With the runs: the newest code actions that went on by themselves, oldest first.
    """

    state: str = ""
    events: list[RunEvent] = field(default_factory=list[RunEvent])
    last_seq: int = 0
    runs: list[RunSummary] = field(default_factory=list[RunSummary])
    actions: list[ActionItem] = field(default_factory=list[ActionItem])


@message
class RunControlParams:
    """Stop a run, or go on with it where it was."""

    run_id: str
    action: Action
    folder: str | None = None


@message
class RunControlResult:
    """The run's state now."""

    state: str


@message
class PlanDecideParams:
    """What a person says of a specification; ``spec_sha`` is the hash of the body that they saw."""

    run_id: str
    decision: Decision
    spec_sha: str
    folder: str | None = None


@message
class PlanDecideResult:
    """Whether the run was waiting for it."""

    state: str


@message
class ChangeDecideParams:
    """What a person decides about finished work; without tasks about all of it."""

    run_id: str
    decision: ChangeDecision
    task_ids: list[str] = field(default_factory=list[str])
    folder: str | None = None


@message
class ChangeDecideResult:
    """The commit that came of it, and the tasks that it took along."""

    commit: str
    task_ids: list[str] = field(default_factory=list[str])


@message
class ChangeShowParams:
    """A file that a task's commit changed."""

    commit: str
    path: str
    folder: str | None = None


@message
class HunkItem:
    """Lines that differ, numbered from 1; lines count from 0, ends are left out, and either side may be empty."""

    number: int
    before_start: int
    before_end: int
    after_start: int
    after_end: int


@message
class ChangeShowResult:
    """The file before and after the commit, "" where it was not there, and its hunks, for ``change/review``."""

    before: str
    after: str
    hunks: list[HunkItem] = field(default_factory=list[HunkItem])
