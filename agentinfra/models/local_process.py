"""The parent's side of a local model's child process: start it, know its address, notice its death, end it."""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import platformdirs

from agentinfra.core.errors import ModelUnavailable

START_SECONDS = 180.0
STOP_SECONDS = 5.0


Pooling = Literal["own", "mean", "cls", "last"]
"""The vector of a text: as the model's file says, the mean of its tokens', its first token's, or its last one's."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a local model listens: base URL and the key that it was started with."""

    url: str
    key: str = field(repr=False)


class LocalProcess:
    """One child that serves one model file. All methods block and may be called from any thread.

    Args:
        model: The GGUF file.
        context_tokens: Size of the context window, in tokens.
        embeddings: How to make one vector of a text's, where it is to give vectors instead of answers.
        command: The child's command line, for tests; None runs :mod:`agentinfra.models.local_server`.
    """

    def __init__(
        self,
        model: Path,
        *,
        context_tokens: int = 8192,
        embeddings: Pooling | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._model = model
        self._command = tuple(command or _server_command(model, context_tokens, embeddings=embeddings))
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._address: Address | None = None

    @property
    def log_path(self) -> Path:
        """Where the engine's own messages go; overwritten by each start."""
        return Path(platformdirs.user_log_dir("agentinfra")) / f"{self._model.stem}.log"

    def ensure_started(self) -> Address:
        """Start the child unless it is running, and wait until the model is loaded.

        Raises:
            ModelUnavailable: The child ended or was not ready in time.
        """
        with self._lock:
            if self._address is None or self.has_died(0.0):
                self._address = self._start()
            return self._address

    def has_died(self, wait_seconds: float = 1.0) -> bool:
        """Whether the child is not running, looked at for so long: a dying process is not dead at once."""
        child = self._child
        if child is None:
            return True
        try:
            child.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End the child; works while it is still loading, too."""
        child, self._child, self._address = self._child, None, None
        if child is not None:
            _end(child)

    def _start(self) -> Address:
        if self._child is not None:
            _end(self._child)
        key = secrets.token_urlsafe(24)
        self._child = child = self._spawn(key)
        try:
            message: dict[str, str] = json.loads(_read_line(child, START_SECONDS))
        except ValueError:
            # Also raised when another thread stops the child and closes its pipe meanwhile.
            message = {"error": "It ended, or was not ready in time, without saying why"}
        if "url" not in message:
            _end(child)
            raise self._failed(message.get("error", ""))
        return Address(message["url"], key)

    def _spawn(self, key: str) -> subprocess.Popen[bytes]:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=descriptor,
                bufsize=0,
                # Ctrl-C belongs to the run, which stops its children in order.
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        assert child.stdin is not None
        child.stdin.write(f"{key}\n".encode())
        return child

    def _failed(self, why: str) -> ModelUnavailable:
        step = 'Install the engine with: pip install "agentinfra[local]"'
        if "No module named" not in why:
            step = f"See {self.log_path}, check the free memory, or choose another model"
        return ModelUnavailable(f"The local model {self._model.name} did not start", why=why, next_step=step)


def _server_command(model: Path, context_tokens: int, *, embeddings: Pooling | None = None) -> tuple[str, ...]:
    # As many threads as cores would wait for each other as soon as anything else runs.
    threads = max(1, (os.cpu_count() or 2) - 1)
    # -P: the working folder may hold anyone's modules.
    start = (sys.executable, "-P", "-m", "agentinfra.models.local_server")
    options = ("--model", str(model), "--context", str(context_tokens), "--threads", str(threads))
    return (*start, *options, *(("--embeddings", embeddings) if embeddings else ()))


def _read_line(child: subprocess.Popen[bytes], seconds: float) -> bytes:
    assert child.stdout is not None
    deadline = time.monotonic() + seconds
    line = b""
    while not line.endswith(b"\n") and (left := deadline - time.monotonic()) > 0:
        if not select.select([child.stdout], [], [], left)[0]:
            break
        piece = child.stdout.read(4096)
        if not piece:
            break
        line += piece
    return line


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
