"""The packages that the static embedder learns from: fetched through pip and npm, read as data, never installed.

All have permissive licences, which their own metadata says and the training prints. Left out on purpose, because
retrieval is measured on them: the standard library of Python, and rxjs, typeorm, ethers, Angular, Apollo, lexical,
arrow, zod, sequelize and TypeScript itself.
"""

from __future__ import annotations

import email
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from benchmarks.embedder_pairs import Pair, python_pairs, script_pairs

_PACKAGES = Path(__file__).with_name("embedder_packages.txt")
_NOT_PYTHON = re.compile(r"(^|/)(tests?|testing|_?vendor|vendored|distutils|typeshed)/|test_")
_NOT_SCRIPT = re.compile(r"\.d\.[mc]?ts$|\.min\.|/(tests?|__tests__|Build|umd|bundles?|build)/")
_SCRIPT = re.compile(r"\.([mc]?[jt]s|[jt]sx)$")
_TYPED = re.compile(r"\.([mc]?ts|tsx)$")
_MOST_FILE, _MOST_PACKAGE = 1_500_000, 30_000_000
_MINIFIED = 200
"""Characters of an average line, above which nobody wrote it."""
_FETCH_SECONDS = 300


def package_names() -> list[str]:
    """What is learnt from: ``name==version`` of a wheel, ``name@version`` of a package of npm."""
    lines = _PACKAGES.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def fetch(package: str, folder: Path) -> Path:
    """The archive of one package, fetched where it is not in the folder yet.

    Args:
        package: One of :func:`package_names`.
        folder: Where archives are kept.

    Raises:
        subprocess.CalledProcessError: The package cannot be fetched.
    """
    place = folder / re.sub(r"[^\w.]+", "-", package).strip("-")
    if not list(place.glob("*.*")):
        place.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command = [*pip, "--dest", ".", package] if "==" in package else ["npm", "pack", "--silent", package]
        subprocess.run(command, cwd=place, check=True, timeout=_FETCH_SECONDS, stdout=subprocess.DEVNULL)
    return next(place.glob("*.*"))


def licence_of(archive: Path) -> str:
    """What the package's own metadata says of its licence."""
    if archive.suffix != ".whl":
        with tarfile.open(archive) as package:
            return json.load(_member(package, r"[^/]+/package\.json")).get("license", "?")
    with zipfile.ZipFile(archive) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(wheel.read(name))
    classified = [
        one.rpartition("::")[2].strip() for one in told.get_all("Classifier", []) if one.startswith("License")
    ]
    return told.get("License-Expression") or " / ".join(classified) or (told.get("License") or "?").splitlines()[0]


def pairs_of(archive: Path) -> list[Pair]:
    """The pairs of one package, each body and each sentence once; a syntax that is not understood gives none."""
    found = _wheel_pairs(archive) if archive.suffix == ".whl" else _package_pairs(archive)
    # From the last on, so that the first of its kind stays: a source, not what was made of it.
    bodies = {pair.key: pair for pair in reversed(list(found))}
    sentences = {pair.sentence.lower(): pair for pair in bodies.values()}
    return list(sentences.values())


def _wheel_pairs(archive: Path) -> Iterator[Pair]:
    with zipfile.ZipFile(archive) as wheel:
        for name in sorted(wheel.namelist()):
            if name.endswith(".py") and not _NOT_PYTHON.search(name):
                yield from python_pairs(wheel.read(name).decode(errors="replace"))


def _package_pairs(archive: Path) -> Iterator[Pair]:
    with tarfile.open(archive) as package:
        left = _MOST_PACKAGE
        for member in _scripts(package):
            source = cast("IO[bytes]", package.extractfile(member)).read()
            left -= len(source)
            if left < 0:
                return
            if b"/**" in source and len(source) < _MINIFIED * (source.count(b"\n") + 1):
                yield from script_pairs(source, typescript=bool(_TYPED.search(member.name)))


def _scripts(package: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """A package's files, sources before what was made of them; one of each name and about the same size."""
    files = [one for one in package if one.isfile() and _SCRIPT.search(one.name) and not _NOT_SCRIPT.search(one.name)]
    files.sort(key=lambda one: (not _TYPED.search(one.name), "/src" not in one.name, one.name))
    once = {(Path(one.name).name.split(".")[0], one.size // 200): one for one in reversed(files)}
    return [one for one in reversed(once.values()) if one.size < _MOST_FILE]


def _member(package: tarfile.TarFile, pattern: str) -> IO[bytes]:
    found = next(member for member in package if re.fullmatch(pattern, member.name))
    return cast("IO[bytes]", package.extractfile(found))
