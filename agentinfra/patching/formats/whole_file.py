"""Whole files in fences that name their path: in the fence, on the line above it, or in the first comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentinfra.core.errors import PatchError
from agentinfra.patching.formats.paths import path_in
from agentinfra.patching.patch import Action, FileEdit, Format

_FENCE = re.compile(r"[ \t]{0,3}(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`\r\n]{0,300})\r?\n?")
_COMMENT = re.compile(r"[ \t]*(?:#|//|<!--|/\*|--)[ \t]*(?P<path>[^\r\n]{1,300}?)[ \t]*(?:-->|\*/)?[ \t]*\r?\n?")
_ABOVE = 2  # so many lines above a fence may hold its path
# A comment that stands for code which was left out, as "# ... rest of the code unchanged ...".
_ELISION = re.compile(
    r"[ \t]*(?:#|//|/\*|<!--|--|%|;)[ \t]*(?:"
    r"(?:\.\.\.|…)[^\r\n]{0,60}\b(?:rest|existing|remaining|unchanged|previous|other|same|omitted)\b"
    r"|(?:the )?(?:rest of (?:the|your)|existing|remaining|previous|other) (?:\w+ ){0,3}"
    r"(?:code|file|class|functions?|methods?|implementation|module|imports)\b[^\r\n]{0,40}"
    r"(?:\.\.\.|…|unchanged|as before|goes? here|the same)"
    r")",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fence:
    """The line that opens or closes a fenced block.

    Attributes:
        mark: Its backticks or tildes.
        info: What stands behind them.
    """

    mark: str
    info: str

    @property
    def language(self) -> str:
        """The language, in lower case; empty where none is said."""
        found = re.match(r"[\w+#-]*", self.info)
        return found[0].lower() if found and not path_in(self.info.split(" ")[0]) else ""

    def closes(self, opening: str) -> bool:
        """Whether it ends a block opened with this mark."""
        return not self.info and self.mark.startswith(opening)


def fence_in(line: str) -> Fence | None:
    """The fence on a line, if it is one."""
    if "```" not in line[:12] and "~~~" not in line[:12]:
        return None
    found = _FENCE.fullmatch(line)
    return Fence(found["mark"], found["info"].strip()) if found else None


def path_of(lines: Sequence[str], index: int, fence: Fence) -> str:
    """The path that the block opened at ``index`` names; empty without one."""
    words = re.split(r"[\s={}\"':]+", fence.info)
    named = next((found for word in words if (found := path_in(word))), "")
    if not named:
        above = next((line for line in reversed(lines[max(0, index - _ABOVE) : index]) if line.strip()), "")
        named = path_in(above)
    if not named and index + 1 < len(lines):
        comment = _COMMENT.fullmatch(lines[index + 1][:400])
        named = path_in(comment["path"]) if comment else ""
    return named


def read(lines: Sequence[str], start: int, fence: Fence, path: str) -> tuple[FileEdit, int]:
    """Read one fenced file.

    Args:
        lines: The reply's lines.
        start: Index of the opening fence.
        fence: That fence.
        path: The file's path.

    Returns:
        The edit, and the index of the line after the block.

    Raises:
        PatchError: It was cut, or a comment in it stands for code that was left out.
    """
    end = _end(lines, start, fence, path)
    for index in range(start + 1, end):
        if _ELISION.match(lines[index]):
            raise PatchError(
                f"The text of {path} is not whole",
                why=f"line {index + 1} of the reply stands for code that was left out: {lines[index].strip()[:100]}",
                next_step="Send the whole file, or only the changed lines as a search/replace block",
            )
    text = "".join(lines[start + 1 : end])
    return FileEdit(path, Action.WRITE, Format.WHOLE, start + 1, text=text), end + 1


def _end(lines: Sequence[str], start: int, fence: Fence, path: str) -> int:
    inner: list[str] = []
    for index in range(start + 1, len(lines)):
        found = fence_in(lines[index])
        if found is None:
            continue
        if found.closes(inner[-1] if inner else fence.mark):
            if not inner:
                return index
            inner.pop()
        elif found.info:
            inner.append(found.mark)
    raise PatchError(
        f"The text of {path} has no end",
        why=f"the fence in line {start + 1} of the reply is not closed; the reply may have been cut",
        next_step="Send it again; where the text holds fences itself, within a longer one",
    )
