"""What goes on a durable engine's record, and how: JSON, errors included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentinfra.core.errors import AgentInfraError, EngineError, RunStopped


@dataclass(frozen=True, slots=True)
class Stored:
    """What is on record about a workflow; ``finished`` says whether ``value`` or ``error`` is its outcome."""

    name: str
    argument: Any
    finished: bool = False
    value: Any = None
    error: AgentInfraError | None = None


def stopped(workflow_id: str) -> RunStopped:
    """The error of a workflow that has no outcome and does not run."""
    return RunStopped(f"Workflow {workflow_id} was stopped", next_step="Run it again to go on where it stopped")


def as_json(value: Any, where: str) -> Any:
    """The value as it will be read back from the record: tuples are lists, keys are strings.

    Raises:
        EngineError: It is no JSON.
    """
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise EngineError(f"{where} must take and return JSON", why=str(error)) from error


def as_engine_error(error: Exception, where: str) -> AgentInfraError:
    """The error itself if it is ours, else an EngineError that tells of it."""
    if isinstance(error, AgentInfraError):
        return error
    return EngineError(f"{where} failed", why=f"{type(error).__name__}: {error}")


def error_to_json(error: BaseException) -> dict[str, str]:
    """The error as it is put on record."""
    known = error if isinstance(error, AgentInfraError) else EngineError(f"{type(error).__name__}: {error}")
    return {"type": type(known).__name__, "what": known.what, "why": known.why, "next_step": known.next_step}


def error_from_json(data: Mapping[str, str]) -> AgentInfraError:
    """The recorded error with its type; EngineError where this version has no such type."""
    kind = _kinds(AgentInfraError).get(data["type"], EngineError)
    return kind(data["what"], why=data["why"], next_step=data["next_step"])


def _kinds(root: type[AgentInfraError]) -> dict[str, type[AgentInfraError]]:
    found = {root.__name__: root}
    for kind in root.__subclasses__():
        found |= _kinds(kind)
    return found
