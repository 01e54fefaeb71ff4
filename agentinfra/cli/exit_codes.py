"""What the command's exit code says."""

from __future__ import annotations

from enum import IntEnum

from agentinfra.core.errors import (
    ConfigError,
    EngineError,
    InputError,
    ModelUnavailable,
    PatchError,
    RunStopped,
    SandboxError,
    SpecError,
    StoreError,
    WorkspaceError,
)
from agentinfra.workflow.report import is_complete
from agentinfra.workflow.run_state import RunState


class ExitCode(IntEnum):
    """Exit codes of every verb."""

    DONE = 0
    UNFINISHED = 1
    REFUSED = 2
    ENVIRONMENT = 3
    STOPPED = 130


_REFUSED = (InputError, ConfigError, SpecError, WorkspaceError, PatchError)
_ENVIRONMENT = (SandboxError, ModelUnavailable, EngineError, StoreError, OSError)


def error_code(error: Exception) -> ExitCode:
    """The exit code of an error that ended a command."""
    if isinstance(error, RunStopped):
        return ExitCode.STOPPED
    if isinstance(error, _REFUSED):
        return ExitCode.REFUSED
    if isinstance(error, _ENVIRONMENT):
        return ExitCode.ENVIRONMENT
    return ExitCode.UNFINISHED


def run_code(state: RunState) -> ExitCode:
    """The exit code of a run that came to its end."""
    if state.state == "stopped":
        return ExitCode.STOPPED
    return ExitCode.DONE if is_complete(state) else ExitCode.UNFINISHED
