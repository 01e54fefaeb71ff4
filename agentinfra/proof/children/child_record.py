"""What the Python programs inside the sandbox share: their order, a time limit for each test, and the record of it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import types
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_MESSAGE_LIMIT = 4000
# Differs from run to run; the same failure must read the same.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_MISSING = (ImportError, NameError, NotImplementedError)


class _TooSlow(BaseException):
    """A test exceeded its time; not an Exception, so that code under test does not swallow it by accident."""


class Record:
    """How each test ended, in order of running.

    Args:
        root: The project; messages and locations are relative to it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tests: dict[str, dict[str, Any]] = {}

    def add(self, name: str, outcome: str, message: str, seconds: float, kind: str, location: str) -> None:
        """Record an outcome; a test that failed already stays as it is."""
        if self.tests.get(name, {}).get("outcome") in (None, "passed"):
            text = _clip(_ADDRESS.sub(" at 0x…", message.replace(f"{self.root}/", "")))
            test = {"id": name, "outcome": outcome, "message": text, "seconds": seconds, "kind": kind}
            self.tests[name] = {**test, "location": location}

    def kind(self, raised: BaseException, test_file: Path) -> str:
        """Why a test failed: "assertion", "missing" or "broken"."""
        if isinstance(raised, AssertionError):
            return "assertion"
        if isinstance(raised, AttributeError):
            return "missing" if self._is_under_test(raised.obj, test_file) else "broken"
        if isinstance(raised, TypeError) and "NoneType" in str(raised):
            return "missing" if _raised_in(raised) == test_file else "broken"
        if isinstance(raised, NameError) and _raised_in(raised) == test_file:
            return "broken"
        return "missing" if isinstance(raised, _MISSING) else "broken"

    def _is_under_test(self, thing: object, test_file: Path) -> bool:
        """Whether it is a module or class of the project, an instance of one, or the None of an empty body."""
        if thing is None:
            return True
        owner = thing if isinstance(thing, (types.ModuleType, type)) else type(thing)
        module = owner if isinstance(owner, types.ModuleType) else sys.modules.get(owner.__module__)
        file = Path(getattr(module, "__file__", None) or "/")
        return file.is_relative_to(self.root) and file != test_file


def _clip(text: str) -> str:
    half = _MESSAGE_LIMIT // 2 - 1
    return text if len(text) <= _MESSAGE_LIMIT else f"{text[:half]}…{text[-half:]}"


def _raised_in(raised: BaseException) -> Path | None:
    trace = raised.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return Path(trace.tb_frame.f_code.co_filename) if trace else None


@contextmanager
def time_limit(seconds: float) -> Generator[None]:
    """Stop what runs inside after so many seconds."""

    def stop(_signal: int, _frame: types.FrameType | None) -> None:
        __tracebackhide__ = True
        raise _TooSlow(f"no result after {seconds:g} s: an endless loop?")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def take_order(program: str) -> dict[str, Any]:
    """Read the order and delete it; then the process looks as if the test tool had been started in the project.

    Args:
        program: What ``sys.argv`` shows from now on.
    """
    file = Path(sys.argv[1])
    order: dict[str, Any] = json.loads(file.read_text("utf-8"))
    file.unlink()
    root = Path(order["root"])
    os.chdir(root)
    sys.argv = [program]
    sys.modules.pop(__name__, None)
    # The first entry is the folder of our programs.
    sys.path[:1] = [str(folder) for folder in (root, root / "src") if folder.is_dir()]
    return order


def reporter(order: dict[str, Any]) -> Callable[[Record, Sequence[str], int], None]:
    """Make what leaves the report and ends the process at once, without exit handlers.

    It holds what it needs, so that project code which is loaded later cannot replace it.
    """
    report, write, encode, end = Path(order["report"]), Path.write_text, json.dumps, os._exit

    def leave(record: Record, collected: Sequence[str], code: int) -> None:
        result = {"collected": list(collected), "exit_code": code, "tests": list(record.tests.values())}
        write(report, encode(result), "utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        end(code)

    return leave
