"""What a person asks of a run, and how a run asks back."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

from agentinfra.core.errors import InputError
from agentinfra.spec.requirements import Question
from agentinfra.workflow.change_request import ChangeRequest

Mode = Literal["plan", "review", "auto-edit", "unattended"]
MODES: tuple[str, ...] = get_args(Mode)
IDEA_BYTES = 100_000
DEFAULT_MINUTES = 20.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Everything that a person decides about a new run; checked when it is made.

    Attributes:
        idea: What to build, in the person's words; not blank, shorter than 100 kB.
        workspace: Folder of the git repository to work in.
        model: ``provider:name``; None lets the model manager choose.
        mode: How far the run may go without asking; one of MODES.
        yes: Take recommended answers and approve the specification; never grants permissions.
        init: Make the workspace a git repository where it is none.
        budget_minutes: Wall-clock limit of the run, in minutes.
        budget_usd: Money limit in US dollars; None for no limit.
        budget_requests: Limit of model requests; None for no limit.
        budget_tokens: Limit of tokens, read and written; None for no limit.
        base_url: Address of an OpenAI-compatible endpoint.
        record: File to write the run's model traffic to.
        replay: Record to answer model calls from, instead of a model.
        planner: ``module:Class`` of the project's own planner.
        unsandboxed: Run generated code without a sandbox where there is none.
        seed: Sampling seed.
        max_attempts: Tries per task; None takes the setting.
        cache: Keep the models' replies on disk, and ask no model what it has answered before; with it the seed is 0
            where none is given.
        change: What an earlier run built, and how its specification was edited; None for a run of its own.

    Raises:
        InputError: A value cannot be used.
    """

    idea: str
    workspace: Path
    model: str | None = None
    mode: str = "review"
    yes: bool = False
    init: bool = False
    budget_minutes: float = DEFAULT_MINUTES
    budget_usd: float | None = None
    budget_requests: int | None = None
    budget_tokens: int | None = None
    base_url: str | None = None
    record: Path | None = None
    replay: Path | None = None
    planner: str | None = None
    unsandboxed: bool = False
    seed: int | None = None
    max_attempts: int | None = None
    cache: bool = False
    change: ChangeRequest | None = None

    def __post_init__(self) -> None:
        _check_idea(self.idea)
        if self.mode not in MODES:
            raise InputError(f"There is no mode {self.mode!r}", next_step=f"Use one of {', '.join(MODES)}")
        _check_limits(self)
        if self.record is not None and self.replay is not None:
            raise InputError("A run cannot be recorded and replayed at once", next_step="Pass --record or --replay")
        if self.planner is not None and not re.fullmatch(r"[\w.]+:\w+", self.planner):
            raise InputError(
                f"{self.planner!r} names no planner class",
                next_step="Write it as module:Class, such as user_agents.codex_agent:CodexAgent",
            )


def _check_idea(idea: str) -> None:
    if not idea.strip():
        raise InputError("The idea is empty", next_step="Say in a sentence or more what should be built")
    try:
        size = len(idea.encode())
    except UnicodeEncodeError as error:
        raise InputError("The idea is not text", why=str(error), next_step="Pass it as UTF-8") from error
    if "\0" in idea:
        raise InputError("The idea is not text", why="It holds NUL characters", next_step="Pass it as UTF-8")
    if size >= IDEA_BYTES:
        raise InputError(
            f"The idea is too long: {size:,} bytes",
            why=f"The limit is {IDEA_BYTES:,} bytes; a model would lose the thread long before",
            next_step="Shorten it to what decides the result, or split it into several runs",
        )


def _check_limits(options: RunOptions) -> None:
    if not (math.isfinite(options.budget_minutes) and options.budget_minutes > 0):
        raise InputError("--budget-minutes must be more than 0", next_step="Leave it out for 20 minutes")
    for name in ("usd", "requests", "tokens"):
        limit: float | None = getattr(options, f"budget_{name}")
        if limit is not None and not (math.isfinite(limit) and limit > 0):
            raise InputError(f"--budget-{name} must be more than 0", next_step="Leave it out for no limit")
    if options.max_attempts is not None and options.max_attempts < 1:
        raise InputError("--max-attempts must be at least 1", next_step="Leave it out for the setting")


class Human(Protocol):
    """The person that a run may ask; implemented by the command line and by the server."""

    async def answer(self, question: Question) -> str:
        """Return the answer to a question: an option, or the person's own words.

        Raises:
            InputError: Nobody can be asked.
            RunStopped: The person went away.
        """
        ...

    async def approve(self, spec_path: Path) -> bool | str:
        """Ask whether to build what the file says; the person may edit it until they answer.

        Returns:
            True for what the file says by then; or, from whoever shows the text, the hash of the body that was
            approved (:func:`agentinfra.spec.front_matter.body_sha`): where the file says something else, it is asked
            again. False, or "", where it was rejected.

        Raises:
            InputError: Nobody can be asked.
            RunStopped: The person went away.
        """
        ...

    async def permit(self, title: str, detail: str) -> bool:
        """Ask for a permission; False where nobody can be asked.

        Args:
            title: What is to be done, one line.
            detail: Exactly what, in full: the argument list or the diff.

        Raises:
            RunStopped: The person went away.
        """
        ...
