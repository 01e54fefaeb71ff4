"""Random patches, whole and damaged, and kills at every moment: is a tree ever half patched?

Every case applies a patch in a random format to a tree on disk, often a damaged patch or a tree that has drifted. What
is refused must leave each byte; what is applied must be all of it; a whole patch for the tree it was made for must
apply. The kills end the applying process by SIGKILL before each of its file operations in turn, and some recoveries,
too; recovery must give the old or the new tree.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from patch_writers import WRITERS, Tree, changed_text, changed_tree, random_tree

from agentinfra.core.errors import PatchError
from agentinfra.patching.apply import recover
from agentinfra.patching.apply_patch import apply_patch
from agentinfra.patching.draft import draft
from agentinfra.patching.patch import Patch
from agentinfra.patching.read_patch import read_patch

# What a file operation is called by the interpreter's audit hook.
_OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile", "os.chmod", "os.utime")
_KILL_PATCH = """
*** Begin Patch
*** Add File: new/deep/file.txt
+new
*** Update File: a.txt
@@
-old a
+new a
*** Update File: pkg/moves.txt
*** Move to: moved/here.txt
@@
-old moves
+new moves
*** Delete File: gone/only.txt
*** Delete File: b.txt
*** Update File: c.txt
@@
-old c
+new c
*** End Patch
"""
_KILL_TREE = {
    "a.txt": "old a\n",
    "pkg/moves.txt": "old moves\n",
    "gone/only.txt": "old gone\n",
    "b.txt": "old b\n",
    "c.txt": "old c\n",
    "other.txt": "other\n",
}


def main() -> int:
    """Run the cases and the kills; the exit code is 1 when a tree was left half patched."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=1_000, help="moments to kill at, at most; there are fewer")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Counter(one_case(random.Random(options.seed + n), Path(folder)) for n in range(options.cases))
        print(f"{options.cases} cases: " + ", ".join(f"{count} {what}" for what, count in outcomes.most_common()))
        kills = kill_everywhere(Path(folder), options.kills)
        print(f"{kills.total()} kills: " + ", ".join(f"{count} {what}" for what, count in kills.most_common()))
    return int(any(what.isupper() for what in (*outcomes, *kills)))


def one_case(rng: random.Random, folder: Path) -> str:
    """Apply one random patch; says what came of it."""
    before = random_tree(rng)
    after = changed_tree(rng, before)
    format = rng.choice(sorted(WRITERS))
    text = WRITERS[format](before, after)
    damaged = rng.random() < 0.6
    text = damaged_text(rng, text) if damaged else text
    there = {path: changed_text(rng, old) for path, old in before.items()} if rng.random() < 0.4 else before
    root = folder / "case"
    write_tree(root, there)
    try:
        patch = read_patch(text)
        wanted = expected(there, patch)
        asyncio.run(apply_patch(root, patch))
    except PatchError:
        if not damaged and there == before and before != after and text:
            return "REFUSED THOUGH WHOLE"
        return "refused" if read_tree(root) == there else "HALF PATCHED"
    finally:
        left = read_tree(root)
        shutil.rmtree(root)
    return "applied" if left == wanted else "HALF PATCHED"


def expected(tree: Tree, patch: Patch) -> dict[str, str]:
    """The tree after the patch, made in memory."""
    texts: dict[str, str | None] = {**tree, **draft(patch, tree.get).texts}
    return {path: text for path, text in texts.items() if text is not None}


def damaged_text(rng: random.Random, text: str) -> str:
    """Lose, double, change or cut lines of a patch."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        kind = rng.randrange(5)
        lines[at : at + 1] = ([], [lines[at]] * 2, [lines[at] + " "], [lines[at].lstrip()], [lines[at][:1] + "other"])[
            kind
        ]
        lines = lines or [""]
    return "\n".join(lines[: rng.randint(1, len(lines))] if rng.random() < 0.15 else lines)


def write_tree(root: Path, tree: Tree) -> None:
    """Make a tree on disk."""
    root.mkdir()
    for path, text in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())


def read_tree(root: Path) -> dict[str, str]:
    """Every file of a tree, those of a patch at work included."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes().decode() for path in files}


def kill_everywhere(folder: Path, most: int) -> Counter[str]:
    """Kill before each file operation of a patch, and of every fourth recovery, until nothing is left to kill."""
    patch = read_patch(_KILL_PATCH)
    old_new = _KILL_TREE, expected(_KILL_TREE, patch)
    root = folder / "killed"
    outcomes: Counter[str] = Counter()
    for moment in range(most):
        write_tree(root, _KILL_TREE)
        killed = killed_at(moment, lambda: asyncio.run(apply_patch(root, patch)))
        again = 0
        while killed and moment % 4 == 0 and killed_at(again, lambda: asyncio.run(recover(root))):
            outcomes["killed again while recovering"] += 1
            again += 1
        asyncio.run(recover(root))
        left = read_tree(root)
        outcomes[("old tree", "new tree")[old_new.index(left)] if left in old_new else "HALF PATCHED"] += 1
        shutil.rmtree(root)
        if not killed:
            break
    return outcomes


def killed_at(moment: int, work: Callable[[], object]) -> bool:
    """Do some work in a child process that is killed before its n-th file operation; whether it came to that."""
    child = os.fork()
    if child == 0:
        left = moment

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in _OPERATIONS:
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

        sys.addaudithook(count)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    sys.exit(main())
