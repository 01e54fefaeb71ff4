"""Bring a model file of the catalogue onto this machine, whole and verified, once."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agentinfra.core.errors import ModelUnavailable
from agentinfra.models.catalog import DIRECTORY_VARIABLE, CatalogEntry, Source, models_folder
from agentinfra.models.sources import fetch, length_of

Progress = Callable[[str, int, int], None]
"""Told what happens, the bytes done and the bytes in all."""

_STEPS = 10
LOCK_SECONDS = 3600.0
# Room for a part that is unpacked beside the file, and for whatever else the machine writes meanwhile.
SPARE_BYTES = 256 << 20


async def ensure_model(
    entry: CatalogEntry, *, progress: Progress | None = None, folder: Path | None = None, spare_bytes: int = SPARE_BYTES
) -> Path:
    """The verified model file, fetched where it is missing or damaged.

    A second process that wants the same file waits for the first. A download that was cut goes on where it stopped.

    Args:
        entry: What to fetch.
        progress: Told each progress; may be called from a worker thread.
        folder: Where the file belongs, instead of the models folder.
        spare_bytes: Disk space that must stay free beside the file.

    Returns:
        The path of the file.

    Raises:
        ModelUnavailable: No source gave the right bytes, the disk is full, or the folder cannot be written.
    """
    target = (folder or models_folder()) / entry.file
    told = progress or _silent
    try:
        if await asyncio.to_thread(_is_sound, target, entry):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        async with _locked(target, told, entry.size):
            if not await asyncio.to_thread(_is_sound, target, entry):
                await _replace(target, entry, told, spare_bytes)
    except OSError as error:
        raise _disk_failed(target, entry, error) from error
    return target


def in_steps(tell: Callable[[str], None]) -> Progress:
    """A progress that is told in sentences, at each stage's start and at each tenth.

    Args:
        tell: Takes a sentence; may be called from a worker thread.
    """
    last = ("", -1)

    def told(what: str, done: int, total: int) -> None:
        nonlocal last
        step = (what, done * _STEPS // max(total, 1))
        if step != last:
            last = step
            tell(f"{what}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    return told


async def _replace(target: Path, entry: CatalogEntry, told: Progress, spare_bytes: int) -> None:
    if length_of(target):
        told(f"{entry.name} is damaged and will be fetched again", 0, entry.size)
        await asyncio.to_thread(target.unlink)
    partial = target.with_name(f"{target.name}.part")
    _require_space(partial, entry, spare_bytes)
    reasons: list[str] = []
    for source in entry.sources:
        reason = await _try_source(source, partial, entry, told)
        if not reason:
            partial.chmod(0o600)
            partial.replace(target)
            _remember(target, entry)
            return
        reasons.append(reason)
    raise _no_source(target, entry, reasons)


async def _try_source(source: Source, partial: Path, entry: CatalogEntry, told: Progress) -> str:
    """Complete the partial file from one source; returns why that failed, or nothing."""
    stage = f"{entry.name} from {source.title}"
    had = length_of(partial)
    told(stage, had, entry.size)
    try:
        await fetch(source, partial, entry.size, lambda done: told(stage, done, entry.size))
    except ModelUnavailable as failure:
        return failure.what
    if await asyncio.to_thread(_sha256, partial) == entry.sha256:
        return ""
    await asyncio.to_thread(partial.unlink)
    # The wrong bytes may be those that lay here before: one clean try decides.
    return await _try_source(source, partial, entry, told) if had else f"{source.title}: the bytes have the wrong hash"


@asynccontextmanager
async def _locked(target: Path, told: Progress, size: int) -> AsyncGenerator[None, None]:
    """Hold the file's lock; the system frees it when a process dies."""
    descriptor = os.open(target.with_name(f"{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = asyncio.get_running_loop().time() + LOCK_SECONDS
        while not _take_lock(descriptor):
            told(f"{target.name} is being fetched by another process", 0, size)
            if asyncio.get_running_loop().time() > deadline:
                raise ModelUnavailable(
                    f"{target.name} is still being fetched by another process",
                    why=f"It has held the lock for {LOCK_SECONDS:.0f} s",
                    next_step="End that process and try again",
                )
            await asyncio.sleep(0.5)
        yield
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_sound(path: Path, entry: CatalogEntry) -> bool:
    if not path.is_file() or path.stat().st_size != entry.size:
        return False
    if _stamp_path(path).is_file() and _stamp_path(path).read_text() == _stamp(path, entry):
        return True
    if _sha256(path) != entry.sha256:
        return False
    _remember(path, entry)
    return True


def _remember(path: Path, entry: CatalogEntry) -> None:
    # In a folder that cannot be written the file is hashed at each start instead.
    with contextlib.suppress(PermissionError):
        _stamp_path(path).write_text(_stamp(path, entry))


def _stamp_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def _stamp(path: Path, entry: CatalogEntry) -> str:
    stat = path.stat()
    return json.dumps({"sha256": entry.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_space(partial: Path, entry: CatalogEntry, spare_bytes: int) -> None:
    needed = entry.size - length_of(partial) + spare_bytes
    free = shutil.disk_usage(partial.parent).free
    if free < needed:
        raise _disk_full(partial, entry, f"{needed >> 20} MB are needed, {free >> 20} MB are free")


def _disk_full(path: Path, entry: CatalogEntry, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"There is no room for {entry.file} in {path.parent}",
        why=why,
        next_step=f"Free the space, or set {DIRECTORY_VARIABLE} to a folder on another disk",
    )


def _disk_failed(target: Path, entry: CatalogEntry, error: OSError) -> ModelUnavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(target, entry, error.strerror or "The disk is full")
    return ModelUnavailable(
        f"{entry.file} cannot be kept in {target.parent}",
        why=f"{error}",
        next_step=f"Make the folder writable, or set {DIRECTORY_VARIABLE} to another one",
    )


def _no_source(target: Path, entry: CatalogEntry, reasons: list[str]) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {entry.name} could not be fetched",
        why="; ".join(reasons) or "It has no sources",
        next_step=f"Connect to the network and try again (a cut download goes on), put the file at {target} yourself, "
        "or use a model with a key (OPENAI_API_KEY, ANTHROPIC_API_KEY)",
    )


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
