"""Every message of version 1: its method, who sends it, what it carries and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, NamedTuple

from agentinfra_server.protocol.message import message

Kind = Literal["plan", "change"]
Mode = Literal["plan", "review", "auto-edit", "unattended"]
Source = Literal["api", "local"]
Action = Literal["stop", "resume"]
Decision = Literal["approve", "reject"]
ChangeDecision = Literal["accept", "reject", "undo", "redo"]
IndexState = Literal["off", "indexing", "fresh", "trouble"]
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
        initialize: Make the folder a git repository where it is none.
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
    """

    state: str = ""
    events: list[RunEvent] = field(default_factory=list[RunEvent])
    last_seq: int = 0
    runs: list[RunSummary] = field(default_factory=list[RunSummary])


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
class ChangeShowResult:
    """The file before and after the commit; "" where it was not there."""

    before: str
    after: str


@message
class ModelInfo:
    """A model that can be chosen: ``provider:model``, and where it runs."""

    id: str
    source: Source


@message
class ModelsListParams:
    """All that this machine and the environment's keys have; the client knows its own."""


@message
class ModelsListResult:
    """The models, the preferred ones first."""

    models: list[ModelInfo]


@message
class QuestionParams:
    """A question to the person; ``kind`` "approve" is about the specification at ``uri``."""

    run_id: str
    question_id: str
    kind: Literal["question", "approve"]
    message: str
    why: str = ""
    options: list[str] = field(default_factory=list[str])
    recommended: str = ""
    uri: str | None = None
    spec_sha: str | None = None


@message
class QuestionResult:
    """The answer; ``cancel`` leaves the question open."""

    action: Literal["accept", "decline", "cancel"]
    content: str = ""


@message
class PermissionParams:
    """Exactly what an agent wants to do; silence denies."""

    run_id: str
    title: str
    detail: str


@message
class PermissionResult:
    """Whether it may."""

    outcome: Literal["allow", "deny"]


@message
class SecretParams:
    """The name of a secret, such as ``OPENAI_API_KEY``."""

    name: str


@message
class SecretResult:
    """Its value, kept in memory only; null where there is none."""

    value: str | None = None


@message
class LmRequestParams:
    """A request to one of the client's models; see docs/reference/models-client.md."""

    request_id: str
    selector: Json
    messages: list[Json]
    max_input_tokens: int
    justification: str
    tools: list[Json] | None = None
    tool_mode: str | None = None
    model_options: Json | None = None


@message
class LmResult:
    """The whole answer; ``content`` counts only where no chunk came."""

    model: str = ""
    content: list[Json] = field(default_factory=list[Json])
    stop_reason: str = "stop"
    usage: Json | None = None


@message
class LmCountParams:
    """A text to count as the model does."""

    selector: Json
    text: str


@message
class LmCountResult:
    """Its tokens."""

    count: int


@message
class LmChunk:
    """A piece of an answer; numbers of a request grow."""

    request_id: str
    seq: int
    part: Json


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


@message
class SearchParams:
    """A question, a piece of code, or a name; ``paths`` is a pattern such as ``src/*.py``.

    Attributes:
        query: What to look for.
        folder: URI of the workspace folder; the first one where it is left out.
        limit: The most hits, 1 to 100.
        paths: Only files that fit.
    """

    query: str
    folder: str | None = None
    limit: int = 10
    paths: str | None = None


@message
class SearchHit:
    """A piece of a file; lines count from 0, the last one is included; a higher score is better."""

    uri: str
    start_line: int
    end_line: int
    symbol: str
    kind: str
    text: str
    score: float


@message
class SearchResult:
    """What was found, the best first; ``state`` is that of the index: all was looked at where it is "fresh"."""

    hits: list[SearchHit]
    state: IndexState


@message
class IndexGetParams:
    """Which folder's index; the first one's where it is left out."""

    folder: str | None = None


@message
class IndexStatus:
    """How far the index of a folder is.

    Attributes:
        folder: URI of the folder.
        state: "off" until something is looked for; "trouble" where it is not kept up to date.
        done: Files that were looked at.
        total: Files that there are.
        message: What keeps it from being up to date, or how it is kept so; "" for nothing of note.
    """

    folder: str
    state: IndexState
    done: int = 0
    total: int = 0
    message: str = ""


@message
class TrustGranted:
    """The person trusts the workspace now."""


class Method(NamedTuple):
    """A method of the protocol; ``result`` is None for a notification."""

    name: Annotated[str, "as on the wire"]
    sender: Literal["client", "server"]
    params: type[Any]
    result: type[Any] | None = None


METHODS = (
    Method("agentinfra/run/start", "client", RunStartParams, RunStartResult),
    Method("agentinfra/run/get", "client", RunGetParams, RunGetResult),
    Method("agentinfra/run/view", "client", RunViewParams, RunView),
    Method("agentinfra/run/control", "client", RunControlParams, RunControlResult),
    Method("agentinfra/plan/decide", "client", PlanDecideParams, PlanDecideResult),
    Method("agentinfra/change/decide", "client", ChangeDecideParams, ChangeDecideResult),
    Method("agentinfra/change/show", "client", ChangeShowParams, ChangeShowResult),
    Method("agentinfra/models/list", "client", ModelsListParams, ModelsListResult),
    Method("agentinfra/search", "client", SearchParams, SearchResult),
    Method("agentinfra/index/get", "client", IndexGetParams, IndexStatus),
    Method("agentinfra/question/ask", "server", QuestionParams, QuestionResult),
    Method("agentinfra/permission/request", "server", PermissionParams, PermissionResult),
    Method("agentinfra/secret/get", "server", SecretParams, SecretResult),
    Method("agentinfra/lm/request", "server", LmRequestParams, LmResult),
    Method("agentinfra/lm/countTokens", "server", LmCountParams, LmCountResult),
    Method("agentinfra/lm/chunk", "client", LmChunk),
    Method("agentinfra/trust/granted", "client", TrustGranted),
    Method("agentinfra/run/update", "server", RunUpdate),
    Method("agentinfra/run/ended", "server", RunEnded),
    Method("agentinfra/index/update", "server", IndexStatus),
)
