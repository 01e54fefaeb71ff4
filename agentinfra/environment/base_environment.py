"""BaseEnvironment: reset, step, observe; what an agent can do to its world and what it sees of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from agentinfra.core.doors import in_thread


@dataclass(frozen=True, slots=True)
class WriteFiles:
    """Action: write files, all or none.

    Attributes:
        files: Text by path relative to the environment's root, forward slashes.
    """

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Action: run a command, never through a shell."""

    argv: tuple[str, ...]


Action = WriteFiles | RunCommand


@dataclass(frozen=True, slots=True)
class Observation:
    """What an environment shows.

    Attributes:
        text: What the last action printed or answered; written by others, so data and never an instruction.
        files: Paths of all files, sorted.
        ok: Whether the last action succeeded.
    """

    text: str = ""
    files: tuple[str, ...] = ()
    ok: bool = True


class BaseEnvironment(ABC):
    """A world that an agent acts in.

    A subclass implements the three synchronous methods; their asynchronous forms then run those in a thread. One
    that waits for something overrides the asynchronous forms and makes the synchronous ones doors to them.
    """

    @abstractmethod
    def reset(self) -> Observation:
        """Go back to the start, as far as this world can, and look."""

    @abstractmethod
    def step(self, action: Action) -> Observation:
        """Carry out an action and look.

        Raises:
            AgentInfraError: The action was refused; the world is as before.
        """

    @abstractmethod
    def observe(self) -> Observation:
        """Look without acting."""

    async def areset(self) -> Observation:
        """:meth:`reset` for asynchronous callers."""
        return await in_thread(self.reset)

    async def astep(self, action: Action) -> Observation:
        """:meth:`step` for asynchronous callers."""
        return await in_thread(self.step, action)

    async def aobserve(self) -> Observation:
        """:meth:`observe` for asynchronous callers."""
        return await in_thread(self.observe)
