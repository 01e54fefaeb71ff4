"""A durable engine whose record is a dictionary: for tests and simulations."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from agentinfra.core.errors import AgentInfraError, EngineError
from agentinfra.workflow.execution import BaseEngine, Execution, StepAttempt
from agentinfra.workflow.records import Stored


@dataclass(slots=True)
class WorkflowRecord:
    """A workflow's outcome, if it has one, and those of its steps so far, in order of their numbers."""

    stored: Stored
    steps: dict[int, StepRecord] = field(default_factory=dict[int, "StepRecord"])


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A finished step."""

    name: str
    value: Any = None
    error: AgentInfraError | None = None


class MemoryEngine(BaseEngine):
    """Implements :class:`agentinfra.core.interfaces.DurableEngine` within one process.

    Args:
        records: The record to go on from; hand the ``records`` of a closed engine to a new one to play a restart.
    """

    def __init__(self, records: dict[str, WorkflowRecord] | None = None) -> None:
        super().__init__()
        self.records = records if records is not None else {}
        # The loop itself holds tasks weakly only.
        self._tasks: set[asyncio.Task[Any]] = set()

    async def _load(self, workflow_id: str) -> Stored | None:
        record = self.records.get(workflow_id)
        return record.stored if record else None

    async def _create(self, execution: Execution) -> None:
        self.records[execution.id] = WorkflowRecord(Stored(execution.name, execution.argument))
        await self._resume(execution)

    async def _resume(self, execution: Execution) -> None:
        task = asyncio.create_task(self._conclude(execution.id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _conclude(self, workflow_id: str) -> Any:
        record = self.records[workflow_id]
        try:
            value = await self._perform(workflow_id)
        except AgentInfraError as error:
            record.stored = replace(record.stored, finished=True, error=error)
            raise
        record.stored = replace(record.stored, finished=True, value=value)
        return value

    async def _record(self, attempt: StepAttempt) -> Any:
        steps = self.records[attempt.execution.id].steps
        if attempt.number not in steps:
            try:
                value = await attempt.run()
            except AgentInfraError as error:
                steps[attempt.number] = StepRecord(attempt.name, error=error)
                raise
            steps[attempt.number] = StepRecord(attempt.name, value)
        step = steps[attempt.number]
        if step.name != attempt.name:
            raise EngineError(
                f"Step {attempt.number} of workflow {attempt.execution.id} is {attempt.name}, but was {step.name}",
                why="The workflow does not do the same in the same order every time",
            )
        if step.error is not None:
            raise step.error
        return step.value
