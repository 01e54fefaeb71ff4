"""A workspace for the soak of the index: files of real code that change, and what an index of them holds."""

from __future__ import annotations

import random
import shutil
import sysconfig
from pathlib import Path
from typing import Any

from agentinfra.memory.database import Connection, has_vectors, open_database, reporting

_TABLES = {
    "files": "SELECT path, size, blob, language, reason FROM files ORDER BY 1",
    "chunks": "SELECT f.path, c.start, c.end, c.kind, c.symbol, c.hash, c.text FROM chunks c"
    " JOIN files f ON f.id = c.file ORDER BY 1, 2, 3, 6",
    "definitions": "SELECT f.path, d.symbol, d.kind, d.line, d.signature FROM definitions d"
    " JOIN files f ON f.id = d.file ORDER BY 1, 4, 2",
    "uses": "SELECT f.path, u.name, u.kind, u.line FROM uses u JOIN files f ON f.id = u.file ORDER BY 1, 4, 2, 3",
    "words": "SELECT f.path, c.start, c.symbol FROM words w JOIN chunks c ON c.id = w.rowid"
    " JOIN files f ON f.id = c.file WHERE words MATCH 'path OR return OR class OR test' ORDER BY 1, 2, 3",
    "vectors": "SELECT DISTINCT m.name, c.hash, v.vector FROM chunks c JOIN vectors v ON v.hash = c.hash"
    " JOIN models m ON m.id = v.model ORDER BY 1, 2",
}
"""What of an index does not depend on the way by which it came to be."""


def make_workspace(root: Path, files: int) -> None:
    """A folder with modules of the standard library."""
    library = Path(sysconfig.get_path("stdlib"))
    found = [path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts]
    for path in [one for one in found if one.stat().st_size < 20_000][:files]:
        target = root / path.relative_to(library)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def change_workspace(root: Path, dice: random.Random) -> None:
    """Edit nearly all files, add one and remove one."""
    files = sorted(root.rglob("*.py"))
    for path in dice.sample(files, len(files) * 9 // 10):
        name = f"added_{dice.randrange(10**9)}"
        path.write_bytes(path.read_bytes() + f"\n\ndef {name}(value):\n    return value * {len(name)}\n".encode())
    new = root / f"new_{dice.randrange(10**9)}.py"
    new.write_text(f"class New{dice.randrange(10**9)}:\n    def run(self):\n        return 1\n")
    dice.choice(files).unlink()


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that an index holds, in an order of its own."""
    connection = open_database(path, read_only=True)
    try:
        with reporting(path):
            return {name: list(connection.execute(sql)) for name, sql in _TABLES.items()}
    finally:
        connection.close()


def faults(path: Path) -> list[str]:
    """What is wrong with a file: of its pages, its words, and its parts among each other."""
    connection = open_database(path)
    try:
        with reporting(path):
            told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            return told + [name for name, sql in _RULES.items() if _count(connection, sql)] + _scanned(connection)
    finally:
        connection.close()


_RULES = {
    "chunks without a file": "SELECT count(*) FROM chunks WHERE file NOT IN (SELECT id FROM files)",
    "chunks without words": "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT rowid FROM words)",
    "words without a chunk": "SELECT count(*) FROM words WHERE rowid NOT IN (SELECT id FROM chunks)",
    "definitions without a file": "SELECT count(*) FROM definitions WHERE file NOT IN (SELECT id FROM files)",
    "uses without a file": "SELECT count(*) FROM uses WHERE file NOT IN (SELECT id FROM files)",
}


def _count(connection: Connection, sql: str) -> int:
    return next(int(row[0]) for row in connection.execute(sql))


def _scanned(connection: Connection) -> list[str]:
    """Chunks that have a vector and are not scanned, or are scanned and are no more."""
    found: list[str] = []
    for (model,) in list(connection.execute("SELECT id FROM models")) if has_vectors(connection) else ():
        held = {row[0] for row in connection.execute(f"SELECT rowid FROM bits_{model}")}
        sql = "SELECT c.id FROM chunks c JOIN vectors v ON v.hash = c.hash WHERE v.model = ?"
        wanted = {row[0] for row in connection.execute(sql, (model,))}
        found += [f"{len(held ^ wanted)} chunks are scanned wrongly"] if held != wanted else []
    return found
