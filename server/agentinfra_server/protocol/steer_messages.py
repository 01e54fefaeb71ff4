"""What a person says to a run beyond yes and no: do this again, mind that, not these lines."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from agentinfra_server.protocol.message import message

When = Literal["next", "now"]


@message
class TaskRetryParams:
    """A blocked, cancelled or undone task, to be done again with all its tries; ``note`` is told to its models."""

    run_id: str
    task_id: str
    note: str = ""
    folder: str | None = None


@message
class TaskRetryResult:
    """All tasks of the run that are to be done again now: also those that were skipped because of it."""

    task_ids: list[str]


@message
class RunSendParams:
    """A person's words to the models of a run that is not over.

    Attributes:
        run_id: The run.
        text: The words, at most 2,000 characters.
        task_id: The task that they are for; all at work and to come where it is left out.
        when: "next" puts them in front of the next requests; "now" withdraws the one that is being answered, too.
        folder: URI of the workspace folder; the first one where it is left out.
    """

    run_id: str
    text: str
    task_id: str | None = None
    when: When = "next"
    folder: str | None = None


@message
class RunSendResult:
    """The id of the message, and how many wait, this one included."""

    message_id: str
    position: int


@message
class RejectedHunk:
    """A hunk of a task's commit, by its number in ``change/show``."""

    path: str
    hunk: int


@message
class ReviewComment:
    """What is said of a line of the commit's file; lines count from 0."""

    path: str
    line: int
    text: str


@message
class ChangeReviewParams:
    """What a person does not want of a task's commit; all else stays.

    Attributes:
        run_id: The run.
        task_id: The task.
        rejected: Lines to take back on the run's branch; the tests must pass without them.
        comments: With any, the task is taken off the branch and done again; its models are told all of the review.
        force: Take lines back whatever the tests say.
        folder: URI of the workspace folder; the first one where it is left out.
    """

    run_id: str
    task_id: str
    rejected: list[RejectedHunk] = field(default_factory=list[RejectedHunk])
    comments: list[ReviewComment] = field(default_factory=list[ReviewComment])
    force: bool = False
    folder: str | None = None


@message
class ChangeReviewResult:
    """What came of it.

    Attributes:
        commit: The branch's new commit; "" where nothing was changed.
        failing: Tests that fail without the lines; unless it was forced, nothing was changed because of them.
        task_ids: Tasks that are to be done again now.
    """

    commit: str
    failing: list[str] = field(default_factory=list[str])
    task_ids: list[str] = field(default_factory=list[str])


@message
class InstructionItem:
    """What the person said; ``used_by`` are the tasks whose models were told, none while it waits."""

    id: str
    text: str
    when: str
    task_id: str
    used_by: list[str]
