"""Text of somebody else's files: bounded, UTF-8, with the line where it is not."""

from __future__ import annotations

import stat
from pathlib import Path

from agentinfra.core.errors import InputError, SpecError

MAX_BYTES = 10_000_000


def read_source(path: Path, name: str) -> str:
    """Read a text file; line ends become "\\n", a byte-order mark goes.

    Args:
        path: The file.
        name: How messages call it.

    Raises:
        InputError: There is no such file, it is none, or it has more than 10 MB.
        SpecError: It is not UTF-8; the message names the line.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{name} is no file", next_step="Name a file or folder that one of the formats is made of")
        if status.st_size > MAX_BYTES:
            why = f"It has {status.st_size / 1e6:.0f} MB; a specification has at most {MAX_BYTES // 1_000_000}"
            raise InputError(f"{name} is too large", why=why, next_step="Import a part of it")
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{name} cannot be read", why=why, next_step="Correct the path or its permissions") from error
    return _decoded(data, name).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise broken(name, line, f"byte 0x{data[error.start]:02x} is not UTF-8", "Save it as UTF-8") from error


def broken(name: str, line: int, why: str, next_step: str) -> SpecError:
    """The error for a source that cannot be understood at a line."""
    return SpecError(f"{name}:{line} cannot be imported", why=why, next_step=next_step)
