"""A switch that forbids requests to real models, for tests: none is sent by accident, none is paid for."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager

from agentinfra.core.errors import ModelUnavailable

VARIABLE = "AGENTINFRA_REAL_REQUESTS"
_guard = threading.Lock()
_forbidden = 0


@contextmanager
def forbid_real_requests() -> Generator[None]:
    """Let no model of this process send a request while the block runs, in any thread; blocks may nest.

    Scripted, function and replayed models go on working. For a whole process and its children, set the environment
    variable ``AGENTINFRA_REAL_REQUESTS=forbid``.
    """
    global _forbidden  # noqa: PLW0603  (a switch for the whole process is what it is)
    with _guard:
        _forbidden += 1
    try:
        yield
    finally:
        with _guard:
            _forbidden -= 1


def require_real_requests() -> None:
    """Called before a request leaves.

    Raises:
        ModelUnavailable: Requests are forbidden.
    """
    if _forbidden or os.environ.get(VARIABLE) == "forbid":
        raise ModelUnavailable(
            "Requests to real models are forbidden here",
            why=f"The environment variable {VARIABLE} says so" if not _forbidden else "A test's fixture says so",
            next_step="Use ScriptedModel, FunctionModel or the fixture recorded_model",
        )
