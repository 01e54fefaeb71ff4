"""A patch of 100 files and 10,000 changed lines beside ``git apply``, and the time to read replies of growing length.

Both sides apply the same diff to fresh copies of one tree, in turn, and the best times are compared, since a busy
machine only ever adds to them; goal: at most five times as long. Ours runs inside this process, since that is how the
engine uses it; the command as a whole stands beside it. Reading must take time linear in the reply's length, also when
the reply is made to be slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from patch_writers import Tree, search_replace, unified, v4a

from agentinfra.core.errors import PatchError
from agentinfra.patching.apply_patch import apply_patch
from agentinfra.patching.read_patch import read_patch

FILES, CHANGED, ROUNDS = 100, 100, 15
GOAL = 5.0
COMMAND = "from agentinfra.cli.main import main; main()"
SIZES = (250_000, 500_000, 1_000_000)
LINEAR = 1.6  # a reply twice as long may take at most so many times twice as long


def main() -> int:
    """Measure and print; the exit code is 1 when a goal is missed."""
    before, after = trees()
    with tempfile.TemporaryDirectory() as folder:
        fast = beside_git(Path(folder), before, after)
    linear = [reading_table(name, make) for name, make in REPLIES.items()]
    return int(not (fast and all(linear)))


def trees() -> tuple[dict[str, str], dict[str, str]]:
    """A tree, and the same with half of the lines of each file changed: as many go as come."""
    lines = {
        f"src/part{n % 10}/file{n}.py": [f"    value_{n}_{k} = {k}\n" for k in range(CHANGED)] for n in range(FILES)
    }
    changed = {
        path: [line.replace("=", "+=") if k % 10 < 5 else line for k, line in enumerate(text)]
        for path, text in lines.items()
    }
    return {path: "".join(text) for path, text in lines.items()}, {path: "".join(t) for path, t in changed.items()}


def beside_git(folder: Path, before: Tree, after: Tree) -> bool:
    """Apply the diff with both and compare."""
    diff = unified(before, after)
    plain, models, blocks = unified(before, after, git=False), v4a(before, after), search_replace(before, after)
    sides: dict[str, Callable[[Path], None]] = {
        "git apply": lambda root: _run(root, diff, ["git", "apply", "-"]),
        "agentinfra, in process": lambda root: _ours(root, diff),
        "agentinfra, no hashes in the diff": lambda root: _ours(root, plain),
        "agentinfra, as V4A": lambda root: _ours(root, models),
        "agentinfra, as search/replace": lambda root: _ours(root, blocks),
        "agentinfra patch apply": lambda root: _run(root, diff, [sys.executable, "-c", COMMAND, "patch", "apply"]),
    }
    lines = sum(line[0] in "+-" and line[:3] not in ("+++", "---") for line in diff.splitlines())
    print(f"{len(before)} files, {lines} changed lines, {len(diff)} bytes; the best of {ROUNDS} rounds in turn")
    rounds = [[_measured(folder, before, after, side) for side in sides.values()] for _ in range(ROUNDS)]
    columns = [[min(part) for part in zip(*cells, strict=True)] for cells in zip(*rounds, strict=True)]
    for name, (wall, cpu) in zip(sides, columns, strict=True):
        ratio = f"{wall / columns[0][0]:.1f} / {cpu / columns[0][1]:.1f}"
        print(f"  {name:<36}{wall * 1000:7.0f} ms wall {cpu * 1000:7.0f} ms CPU   ratio {ratio}")
    return columns[1][0] / columns[0][0] <= GOAL


def _measured(folder: Path, before: Tree, after: Tree, side: Callable[[Path], None]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        for path, text in before.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        wall, cpu = time.perf_counter(), _cpu()
        side(root)
        wall, cpu = time.perf_counter() - wall, _cpu() - cpu
        assert {path: (root / path).read_text() for path in after} == dict(after)
    return wall, cpu


def _cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _run(root: Path, patch: str, command: list[str]) -> None:
    subprocess.run(command, cwd=root, input=patch, text=True, check=True, timeout=60, stdout=subprocess.DEVNULL)


def _ours(root: Path, patch: str) -> None:
    asyncio.run(apply_patch(root, read_patch(patch)))


def _filled(part: str, size: int, tail: str = "") -> str:
    return part * (size // len(part)) + tail


_BLOCK = "a.py\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\nSome prose.\n\n"
_HUNK = "@@ -1,2 +1,2 @@\n kept\n-old\n+new\n"
REPLIES: dict[str, Callable[[int], str]] = {
    "prose": lambda size: _filled("A sentence of prose, not a patch at all.\n", size),
    "search/replace blocks": lambda size: _filled(_BLOCK, size),
    "V4A hunks": lambda size: (
        "*** Begin Patch\n*** Update File: a\n" + _filled("@@\n-a\n+b\n", size, "*** End Patch\n")
    ),
    "diff hunks": lambda size: "--- a/x\n+++ b/x\n" + _filled(_HUNK, size),
    "unclosed blocks": lambda size: _filled("a.py\n<<<<<<< SEARCH\n", size),
    "one unclosed block": lambda size: "a.py\n<<<<<<< SEARCH\n" + _filled("=======x\n", size),
    "fences": lambda size: _filled("```\n", size),
    "fences of files": lambda size: _filled("```python a.py\nx\n```\n", size),
    "fences of files, a block": lambda size: _filled("```python a.py\nx\n```\n", size, _BLOCK),
    "one unclosed fence": lambda size: "```python a.py\n" + _filled("```x\n", size),
    "one long line": lambda size: _filled("<", size),
    "a long path": lambda size: "--- " + _filled("a/", size, "\n+++ b\n@@ -1 +1 @@\n-a\n+b\n"),
    "a long fence": lambda size: _filled("`", size),
    "empty lines in a hunk": lambda size: (
        "```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n" + _filled("\n", size, "```\n")
    ),
    "quoted names": lambda size: 'diff --git "' + _filled("\\\\", size, '" b\n'),
}


def reading_table(name: str, make: Callable[[int], str]) -> bool:
    """Time the reading of replies of growing length; whether it is linear."""
    seconds = [min(_reading(make(size)) for _ in range(3)) for size in SIZES]
    growth = seconds[-1] / seconds[0] / (SIZES[-1] / SIZES[0])
    cells = "".join(f"{size / 1e6:5.2f} MB {spent * 1000:7.1f} ms" for size, spent in zip(SIZES, seconds, strict=True))
    print(f"  {name:<24}{cells}   growth {growth:.2f} of linear")
    return growth <= LINEAR or seconds[-1] < 0.02


def _reading(text: str) -> float:
    begun = time.process_time()
    with contextlib.suppress(PatchError):
        read_patch(text)
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
