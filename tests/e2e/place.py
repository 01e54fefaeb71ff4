"""The command line as a person meets it: real processes, in a workspace and user folders of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AGENTINFRA = str(Path(sys.executable).with_name("agentinfra"))
# Tests may themselves run in the background, where shells have Ctrl-C ignored by everything that is started.
COMMAND = ("env", "--default-signal=INT", AGENTINFRA)
LIMIT_SECONDS = 120.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """Everything that it printed, blanks squeezed, so that a line break is no reason to miss a word."""
        return " ".join(f"{self.stdout} {self.stderr}".split())


@dataclass
class Place:
    """A folder that holds a workspace and everything that AgentInfra keeps for its user.

    Attributes:
        root: The folder.
        environment: Variables for every command, on top of a small fixed set.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for folder in ("home", "tmp"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def agentinfra(self, verb: str, *arguments: str, stdin: str | None = None) -> Outcome:
        """Run a verb on the workspace to its end."""
        process = self.start(verb, *arguments, stdin=subprocess.PIPE)
        return finish(process, stdin)

    def start(self, verb: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a verb on the workspace in a session of its own."""
        return subprocess.Popen(
            (*COMMAND, *verb.split(), "--workspace", str(self.workspace), *arguments),
            cwd=self.root,
            env=self.variables(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def variables(self) -> dict[str, str]:
        own = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "AGENTINFRA_DATA_DIR": str(self.root / "data"),
            "AGENTINFRA_CONFIG": str(self.root / "config.toml"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        return {**own, **self.environment}

    def git(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        """What git prints about the workspace, without the last line break."""
        own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "core.hooksPath=/dev/null")
        result = subprocess.run(
            ("git", *own, "-C", str(self.workspace), *arguments),
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode in accept, f"git {' '.join(arguments)}: {result.stderr}"
        return result.stdout.removesuffix("\n")

    def repository(self, **files: str) -> str:
        """Make the workspace a repository with one commit of these files; returns the commit."""
        self.workspace.mkdir()
        self.git("init", "--quiet", "-b", "main")
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Begin")
        return self.git("rev-parse", "HEAD")

    def write(self, **files: str) -> None:
        """Write files into the workspace; ``__`` in a name stands for its dot."""
        for name, text in files.items():
            (self.workspace / name.replace("__", ".")).write_text(text, encoding="utf-8")

    def report(self) -> dict[str, Any]:
        """The newest run's report."""
        outcome = self.agentinfra("report", "--json")
        assert outcome.code == 0, outcome.said
        return json.loads(outcome.stdout)

    def events(self) -> list[dict[str, Any]]:
        """The newest run's events, from the log itself, keys included."""
        (path,) = (self.root / "data").glob("workspaces/*/events.db")
        connection = sqlite3.connect(path)
        try:
            run = connection.execute("SELECT run FROM runs ORDER BY id DESC LIMIT 1").fetchone()[0]
            rows = connection.execute("SELECT seq, kind, data, key FROM events WHERE run = ? ORDER BY seq", (run,))
            return [{"seq": seq, "kind": kind, "key": key, "data": json.loads(data)} for seq, kind, data, key in rows]
        finally:
            connection.close()

    def event_count(self) -> int:
        """How many events the newest run has; 0 before the first."""
        try:
            return len(self.events())
        except (ValueError, TypeError, sqlite3.OperationalError):
            return 0  # no log yet, no run in it, or its tables are just being made

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The data of the newest run's events of a kind."""
        return [event["data"] for event in self.events() if event["kind"] == kind]

    def branch(self) -> str:
        """The run's branch."""
        (name,) = self.git("for-each-ref", "--format=%(refname:short)", "refs/heads/agentinfra/").splitlines()
        return name

    def commits(self, branch: str) -> list[str]:
        """Ids of the branch's commits, newest first."""
        return self.git("rev-list", branch).splitlines()

    def files(self, branch: str) -> list[str]:
        """Paths of the branch's files."""
        return self.git("ls-tree", "-r", "--name-only", branch).splitlines()

    def show(self, branch: str, path: str) -> str:
        """Text of a file on a branch."""
        return self.git("show", f"{branch}:{path}") + "\n"

    def keep(self, backup: Path) -> None:
        """Copy everything away."""
        shutil.copytree(self.root, backup, symlinks=True)

    def restore(self, backup: Path) -> None:
        """Put everything back as it was, under the same path."""
        shutil.rmtree(self.root)
        shutil.copytree(backup, self.root, symlinks=True)

    def processes(self) -> list[str]:
        """Command lines of the processes that belong to this place."""
        mark, found = os.fsencode(self.root), []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes()
                own = mark in line or mark in (folder / "environ").read_bytes()
            except OSError:
                continue  # it ended while we looked, or is not ours to see
            if own and int(folder.name) != os.getpid():
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found


def finish(process: subprocess.Popen[str], stdin: str | None = None) -> Outcome:
    """Wait for a process to end by itself."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    return Outcome(process.returncode, stdout, stderr)


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as ``kill -9`` does: it alone, so that what it leaves behind is seen."""
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=LIMIT_SECONDS)


def until(condition: Callable[[], bool], seconds: float = LIMIT_SECONDS) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It did not become so in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time"
        time.sleep(_POLL_SECONDS)
