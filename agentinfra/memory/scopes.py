"""Who sees what was remembered: a run's agents, the project, or everything the user does.

Scopes are kept as text. ``user`` and ``project`` are seen by all; ``run:ID`` by the agents of that run. Below it each
agent has two: ``run:ID:planner/backend`` is its own, ``run:ID:planner/backend/*`` is shared with those it delegates to.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentinfra.core.errors import InputError

USER, PROJECT = "user", "project"


@dataclass(frozen=True, slots=True)
class Scope:
    """A place in the hierarchy of memories: the project's, a run's, or an agent's within a run.

    Attributes:
        run: Id of the run; "" for the project.
        agent: Path of the agent within the run, such as ``("planner", "backend")``; () for the run as a whole.
    """

    run: str = ""
    agent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.agent and not self.run:
            raise InputError("An agent's memory needs a run", next_step="Scope(run, agent)")
        if ":" in self.run or any(not name or "/" in name or name == "*" for name in self.agent):
            raise InputError(f"This is no scope: run {self.run!r}, agent {self.agent!r}")

    @property
    def own(self) -> str:
        """Where it keeps what is for itself alone."""
        if not self.run:
            return PROJECT
        return f"run:{self.run}:{'/'.join(self.agent)}" if self.agent else f"run:{self.run}"

    @property
    def shared(self) -> str:
        """Where it keeps what those below it see too."""
        return f"{self.own}/*" if self.agent else self.own

    @property
    def visible(self) -> tuple[str, ...]:
        """The scopes it sees, nearest first."""
        above = [Scope(self.run, self.agent[:length]).shared for length in range(len(self.agent), 0, -1)]
        run = [f"run:{self.run}"] if self.run else []
        return (*([self.own] if self.agent else []), *above, *run, PROJECT, USER)

    def child(self, name: str) -> Scope:
        """The scope of an agent that this one delegates to."""
        return Scope(self.run, (*self.agent, name))
