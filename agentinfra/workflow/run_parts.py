"""What a run is put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentinfra.core.interfaces import ChatModel, EventLog
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.proof.runner import TestRunner
from agentinfra.workflow.execution import BaseEngine
from agentinfra.workflow.leases import LeasePool
from agentinfra.workflow.run_files import RunFiles
from agentinfra.workflow.run_options import Human

if TYPE_CHECKING:
    from agentinfra.workflow.run_context import RunContext
    from agentinfra.workflow.run_memory import RunMemory


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run is put together from; the composition root picks them.

    Attributes:
        engine: Keeps steps.
        log: Keeps events.
        git: The user's repository.
        runner: Runs tests in the sandbox.
        human: Whom to ask.
        files: The run's folder.
        model_for: Budgeted and recorded form of an agent's own model, or of the run's for None.
        parallel: Tasks at once.
        max_attempts: Tries a task.
        commit_date: Fixed commit date of a replay; None for the present.
        leases: Ports, databases and browser profiles for tasks at work.
        memory: What the agents remember and are told; None where they have none.
        context: What they are shown of the repository; None where that must depend on the run's idea alone.
    """

    engine: BaseEngine
    log: EventLog
    git: GitWorkspace
    runner: TestRunner
    human: Human
    files: RunFiles
    model_for: Callable[[ChatModel | None], ChatModel]
    parallel: int = 2
    max_attempts: int = 3
    commit_date: str | None = None
    leases: LeasePool = field(default_factory=LeasePool.of_user)
    memory: RunMemory | None = None
    context: RunContext | None = None
