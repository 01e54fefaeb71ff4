"""Cells: what one side made of one case with one seed, and the file that keeps them."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from idea_sides import SideName

from agentinfra.core.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of this project was measured.

    Attributes:
        source: Digest of all files of the package; two states with the same digest are the same product.
        commit: The commit that is checked out.
        dirty: Whether the package differs from that commit.
    """

    source: str
    commit: str
    dirty: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement.

    Attributes:
        case: Name of the case.
        case_digest: Digest of its request and tests.
        step: Its difficulty.
        side: Who built it.
        seed: Sampling seed.
        model: ``provider:name``.
        settings: What else decided the result.
        passed: Acceptance tests that passed.
        total: Acceptance tests that there are.
        seconds: Wall-clock time of the side.
        input_tokens: Tokens that the model read.
        output_tokens: Tokens that it wrote.
        tries: Attempts at coding.
        tasks: Tasks of the plan.
        done: Those that are DONE.
        note: What went wrong.
        source: See :class:`Version`.
        commit: See :class:`Version`.
        dirty: See :class:`Version`.
        machine: Where it was measured.
        date: When it was finished, ISO 8601 in UTC.
    """

    case: str
    case_digest: str
    step: int
    side: SideName
    seed: int
    model: str
    settings: Mapping[str, Any]
    passed: int
    total: int
    seconds: float
    input_tokens: int
    output_tokens: int
    tries: int
    tasks: int
    done: int
    note: str
    source: str
    commit: str
    dirty: bool
    machine: str
    date: str

    @property
    def share(self) -> float:
        """Share of the tests that passed, 0 to 1."""
        return self.passed / self.total

    @property
    def version(self) -> Version:
        """Which state of this project it is of."""
        return Version(self.source, self.commit, self.dirty)

    @property
    def kind(self) -> tuple[str, str, str]:
        """Side, model and settings: only cells with the same can be averaged."""
        return kind_of(self.side, self.model, self.settings)


def kind_of(side: str, model: str, settings: Mapping[str, Any]) -> tuple[str, str, str]:
    """Side, model and settings in a form that can be compared, whatever the order of the settings."""
    return side, model, json.dumps(settings, sort_keys=True)


class CellFile:
    """The cells in a JSON file, which is written anew, in one move, with each.

    Args:
        path: The file; it need not be there.

    Raises:
        InputError: It is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.cells = _read(path)

    def add(self, cell: Cell) -> None:
        """Keep a cell."""
        self.cells.append(cell)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"schema": SCHEMA, "cells": [asdict(one) for one in self.cells]}, indent=1)
        fresh = self._path.with_name(f".{self._path.name}.new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def comparable(cells: Sequence[Cell], model: str | None = None, *, any_commit: bool = False) -> list[Cell]:
    """The cells that belong into one table: of each side the newest kind, and of that the newest of each case and seed.

    Args:
        cells: All cells, oldest first.
        model: Only those of this model; None takes the model of the newest.
        any_commit: Whether the product's cells may be of several states of it; otherwise those of the newest are taken.
    """
    wanted = model or (cells[-1].model if cells else "")
    newest: dict[str, Cell] = {cell.side: cell for cell in cells if cell.model == wanted}
    kept: dict[tuple[str, str, int], Cell] = {}
    for cell in cells:
        last = newest.get(cell.side)
        if last and cell.kind == last.kind and (any_commit or is_of(cell, last.source)):
            kept[cell.case, cell.side, cell.seed] = cell
    return list(kept.values())


def is_of(cell: Cell, source: str) -> bool:
    """Whether a cell is of that state of the product; the baseline has no part in it."""
    return cell.side == "one-call" or cell.source == source


def version(root: Path = ROOT) -> Version:
    """The present state of this project."""
    package = root / "agentinfra"
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(package)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    dirty = _git(root, "status", "--porcelain", "--", "agentinfra")
    return Version(digest.hexdigest()[:12], _git(root, "rev-parse", "--short=12", "HEAD"), bool(dirty))


def machine() -> str:
    """What seconds depend on, as far as it can be told."""
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _read(path: Path) -> list[Cell]:
    try:
        data = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
        return [Cell(**item) for item in data["cells"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} holds no results of this benchmark",
            why=f"{type(error).__name__}: {error}",
            next_step="Name another file with --out; nothing was written",
        ) from error
