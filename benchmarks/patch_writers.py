"""Writes the patch from one tree to another, in each format, as a careful tool would; and makes such trees."""

from __future__ import annotations

import difflib
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping

from agentinfra.patching.patch import split_lines

Tree = Mapping[str, str]
Op = tuple[str, int, int, int, int]


def groups(old: list[str], new: list[str], context: int) -> Iterator[list[Op]]:
    """Hunks as groups of opcodes."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    yield from matcher.get_grouped_opcodes(context)


def marked(ops: list[Op], old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Mark and text of every line of a hunk."""
    for tag, i1, i2, j1, j2 in ops:
        if tag == "equal":
            yield from ((" ", line) for line in old[i1:i2])
        else:
            yield from (("-", line) for line in old[i1:i2])
            yield from (("+", line) for line in new[j1:j2])


def blob(text: str | None) -> str:
    """Git's hash of a file; zeros where there is none."""
    content = (text or "").encode()
    if text is None:
        return "0" * 40
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def span(start: int, end: int) -> str:
    """A range as hunk headers write it."""
    return f"{start + 1 if end > start else start},{end - start}"


def unified(before: Tree, after: Tree, *, git: bool = True, context: int = 3) -> str:
    """A unified diff; with ``git``, the headers of git's, hashes included."""
    return "".join(
        unified_file(path, before.get(path), after.get(path), git, context)
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )


def unified_file(path: str, before: str | None, after: str | None, git: bool, context: int) -> str:
    """One file's part of a unified diff."""
    old, new = split_lines(before or ""), split_lines(after or "")
    text = f"diff --git a/{path} b/{path}\n" if git else ""
    if git:
        text += "new file mode 100644\n" * (before is None) + "deleted file mode 100644\n" * (after is None)
        text += f"index {blob(before)[:10]}..{blob(after)[:10]}" + " 100644\n"
    if old != new or not git:
        text += f"--- {'/dev/null' if before is None else 'a/' + path}\n"
        text += f"+++ {'/dev/null' if after is None else 'b/' + path}\n"
    for ops in groups(old, new, context):
        text += f"@@ -{span(ops[0][1], ops[-1][2])} +{span(ops[0][3], ops[-1][4])} @@\n"
        for mark, line in marked(ops, old, new):
            text += mark + line + ("" if line.endswith("\n") else "\n\\ No newline at end of file\n")
    return text


def terminated(line: str) -> str:
    """A line with an end."""
    return line if line.endswith("\n") else line + "\n"


def occurrences(lines: list[str], part: list[str]) -> int:
    """In how many places some lines stand."""
    return sum(lines[at : at + len(part)] == part for at in range(len(lines) - len(part) + 1))


def unique_groups(old: list[str], new: list[str]) -> list[list[Op]]:
    """Hunks, each with so much context that it fits in one place, and that its result does not stand there."""
    for context in (1, 3, 10, len(old) + 1):
        found = list(groups(old, new, context))
        if all(is_clear(ops, old, new) for ops in found):
            return found
    return found


def is_clear(ops: list[Op], old: list[str], new: list[str]) -> bool:
    """Whether a hunk fits in one place alone, indentation aside, and its result in none."""
    olds, news = old[ops[0][1] : ops[-1][2]], new[ops[0][3] : ops[-1][4]]
    plain = [line.strip() for line in old]
    return (
        bool(olds)
        and occurrences(plain, [line.strip() for line in olds]) == 1
        and not occurrences(plain, [line.strip() for line in news])
    )


def v4a(before: Tree, after: Tree) -> str:
    """A V4A patch."""
    text = ""
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if new is None:
            text += f"*** Delete File: {path}\n"
        elif old is None:
            text += f"*** Add File: {path}\n" + "".join("+" + line for line in split_lines(new))
        elif old != new:
            text += f"*** Update File: {path}\n"
            mine, theirs = split_lines(old), split_lines(new)
            for ops in unique_groups(mine, theirs):
                text += "@@\n" + "".join(mark + terminated(line) for mark, line in marked(ops, mine, theirs))
    return f"*** Begin Patch\n{text}*** End Patch\n" if text else ""


def search_replace(before: Tree, after: Tree) -> str:
    """Search/replace blocks; files that go are passed over."""
    text = ""
    for path in sorted(after):
        old, new = before.get(path), after[path]
        if old is None or (old != new and not old):
            text += block(path, [], split_lines(new))
        elif old != new:
            mine, theirs = split_lines(old), split_lines(new)
            # A block sees what the blocks before it did, so that only one for the whole file is sure to be clear.
            found = unique_groups(mine, theirs)
            found = found if len(found) == 1 else list(groups(mine, theirs, len(mine) + 1))
            for ops in found:
                text += block(path, mine[ops[0][1] : ops[-1][2]], theirs[ops[0][3] : ops[-1][4]])
    return text


def block(path: str, old: list[str], new: list[str]) -> str:
    """One search/replace block, with markers that no content holds."""
    body = "".join(map(terminated, old)), "".join(map(terminated, new))
    return f"{path}\n{'<' * 12} SEARCH\n{body[0]}{'=' * 12}\n{body[1]}{'>' * 12} REPLACE\n\n"


def whole(before: Tree, after: Tree) -> str:
    """Whole files in long fences; files that go are passed over."""
    changed = {path: text for path, text in after.items() if before.get(path) != text}
    return "".join(f"{path}\n{'`' * 9}\n{text}{'`' * 9}\n\n" for path, text in sorted(changed.items()))


WRITERS: dict[str, Callable[[Tree, Tree], str]] = {
    "unified": unified,
    "v4a": v4a,
    "search-replace": search_replace,
    "whole": whole,
}


_LINES = ("a = 1", "    return a", "\treturn b", "", "", "}", "def f():", "x" * 80, "…“ü”", "--- a", "@@ -1 +1 @@")
_PATHS = ("a.py", "b/c.py", "b/d.txt", "e/f/g.md", "h.py")


def random_tree(rng: random.Random) -> dict[str, str]:
    """A small tree; every file has lines and ends with a line end."""
    return {path: random_text(rng) for path in rng.sample(_PATHS, rng.randint(1, len(_PATHS)))}


def random_text(rng: random.Random) -> str:
    """A text with lines that repeat and lines that do not."""
    end = rng.choice(("\n", "\n", "\r\n"))
    lines = (
        rng.choice((*_LINES, f"line {rng.random()}", f"    line {rng.random()}")) for _ in range(rng.randint(1, 40))
    )
    return "".join(line + end for line in lines)


def changed_tree(rng: random.Random, tree: Tree) -> dict[str, str]:
    """The tree with some lines changed, some files new, some gone."""
    kept = {path: changed_text(rng, text) for path, text in tree.items() if rng.random() < 0.8}
    return {**kept, **(random_tree(rng) if rng.random() < 0.3 else {})}


def changed_text(rng: random.Random, text: str) -> str:
    """The text with some lines changed."""
    lines = split_lines(text)
    end = "\r\n" if "\r\n" in text else "\n"
    for _ in range(rng.randint(0, 4)):
        at = rng.randint(0, len(lines))
        lines[at : at + rng.randint(0, 3)] = [rng.choice(_LINES) + end for _ in range(rng.randint(0, 3))]
    return "".join(lines) or end
