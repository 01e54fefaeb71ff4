"""Where the tests of a file belong, by the customs of its project. Pure."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

from agentinfra.agents.conventions import is_test_file, test_folder

_SUFFIXED = {".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte"}
_JAVASCRIPT = {".vue": ".js", ".svelte": ".js"}


def test_path_for(path: str, files: Collection[str]) -> str:
    """The file for tests of another one: the one that is there, else a new one where its project keeps its tests.

    Args:
        path: The file that is tested, relative to the project.
        files: Paths of the project's files.

    Returns:
        A relative path; the file itself where it is one of tests already.
    """
    names = _names(PurePosixPath(path))
    if is_test_file(path) or any(PurePosixPath(path).name.endswith(mark) for mark in (".test.ts", ".test.js")):
        return path
    present = [one for one in files if PurePosixPath(one).name in names]
    if present:
        return min(present, key=lambda one: (-_shared(one, path), one.count("/"), one))
    return _new(PurePosixPath(path), names[0], files)


test_path_for.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]  # pytest takes it for a test otherwise


def _names(path: PurePosixPath) -> tuple[str, ...]:
    """What its tests' file may be called, the usual one first."""
    if path.suffix in _SUFFIXED:
        suffix = _JAVASCRIPT.get(path.suffix, path.suffix)
        return (f"{path.stem}.test{suffix}", f"{path.stem}.spec{suffix}", f"{path.stem}{path.suffix}.test{suffix}")
    if path.suffix == ".go":
        return (f"{path.stem}_test.go",)
    return (f"test_{path.name}", f"{path.stem}_test{path.suffix}")


def _new(path: PurePosixPath, name: str, files: Collection[str]) -> str:
    if path.suffix in _SUFFIXED or path.suffix == ".go":
        return str(path.with_name(name))
    return str(PurePosixPath(test_folder(files)) / name)


def _shared(one: str, other: str) -> int:
    """How many folders two paths have in common, wherever they stand in them."""
    return len({*PurePosixPath(one).parts[:-1]} & {*PurePosixPath(other).parts[:-1]})
