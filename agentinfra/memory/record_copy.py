"""The last good copy of the records: a small text file beside the database, for the day when that is damaged."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeptRecords:
    """What the copy holds.

    Attributes:
        revision: Which change of the records it was made at; the first one is 1.
        records: Each as JSON.
    """

    revision: int
    records: tuple[str, ...]


class RecordCopy:
    """The copy of one database's records: a line that says what follows, and a line for each record.

    Args:
        database: The file whose records are copied.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.records")

    def read(self) -> KeptRecords | None:
        """What was kept; None where there is nothing, or it is not whole.

        Raises:
            OSError: It cannot be read.
        """
        try:
            head, _, body = self.path.read_bytes().partition(b"\n")
            told = json.loads(head)
            if told["sha256"] != hashlib.sha256(body).hexdigest():
                return None
            return KeptRecords(int(told["revision"]), tuple(body.decode().split("\n")[:-1]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def revision(self) -> int:
        """Which change the copy was made at, by its first line alone; 0 where it says nothing.

        Raises:
            OSError: It cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                return int(json.loads(file.readline())["revision"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0

    def write(self, revision: int, records: Sequence[str]) -> None:
        """Replace the copy: after a crash it is the old one or the new one.

        Raises:
            OSError: It cannot be written.
        """
        body = "".join(f"{record}\n" for record in records).encode()
        head = json.dumps({"revision": revision, "sha256": hashlib.sha256(body).hexdigest()}).encode()
        draft = self.path.with_name(f"{self.path.name}.new")
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
                file.write(head + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
