"""From a reply to the new texts of the files that a code action may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentinfra.core.errors import PatchError
from agentinfra.patching.draft import draft
from agentinfra.patching.gate import canonical_path, check_size
from agentinfra.patching.module import Module
from agentinfra.patching.names import parse_python
from agentinfra.patching.patch import Format, Patch
from agentinfra.patching.read_patch import ALL, find_patch
from agentinfra.patching.reply import code_blocks, python_source
from agentinfra.patching.splice import splice

_EXCERPTED = 0.5  # a "whole" file without so many of the old one's lines is a part of it


def changed_files(reply: str, texts: Mapping[str, str], symbols: Sequence[str] = ()) -> dict[str, str]:
    """What a reply makes of the files.

    Args:
        reply: A model's raw reply: a patch in any format, or, for the first file, a block of code.
        texts: The files that it may change, by path, the one that is meant first; "" for one that is not there.
        symbols: Definitions that a block of Python has to bring; none takes all that it brings.

    Returns:
        The new text of each file that changes; at least one.

    Raises:
        PatchError: It holds no change, one of another file, or one that does not fit or does not parse.
    """
    patch = find_patch(reply, ALL)
    edits = [edit for edit in patch.edits if edit.format is not Format.WHOLE] if patch else []
    new = _patched(patch, texts) if patch and edits else _written(reply, patch, texts, symbols)
    changed = {path: text for path, text in new.items() if text != texts[path]}
    if not changed:
        raise PatchError("The reply changes nothing", next_step="Send the change that was asked for")
    check_texts(changed, texts)
    return changed


def check_texts(changed: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """Check new texts, whoever made them.

    Raises:
        PatchError: One is of another file, too large, or Python that does not parse although it did before.
    """
    _refuse_others(list(changed), texts)
    check_size(changed)
    for path, text in changed.items():
        if path.endswith(".py") and parse_python(texts[path]) is not None and parse_python(text) is None:
            raise PatchError(f"{path} would not be Python any more", next_step="Send code that parses")


def _patched(patch: Patch, texts: Mapping[str, str]) -> dict[str, str]:
    _refuse_others(patch.paths, texts)
    made = draft(patch, lambda path: texts.get(path) or None).texts
    gone = [path for path, text in made.items() if text is None]
    if gone:
        raise PatchError(f"The reply deletes {gone[0]}", next_step="Send its new text")
    return {path: text for path, text in made.items() if text is not None}


def _written(reply: str, patch: Patch | None, texts: Mapping[str, str], symbols: Sequence[str]) -> dict[str, str]:
    """A reply of code alone: definitions for a Python file, the whole text of any other."""
    whole = {canonical_path(edit.path): edit.text for edit in patch.edits} if patch else {}
    _refuse_others(list(whole), texts)
    path = next(iter(whole), next(iter(texts)))
    if path.endswith(".py"):
        return {path: _spliced(path, texts[path], python_source(reply, symbols), symbols)}
    blocks = [block.text for block in code_blocks(reply) if "```" in reply]
    if not blocks:
        raise PatchError("The reply holds no change", next_step="Send it in the form that was asked for")
    text = whole.get(path, blocks[0])
    _refuse_excerpt(path, texts[path], text)
    return {path: text}


def _spliced(path: str, old: str, source: str, symbols: Sequence[str]) -> str:
    """Python with the definitions of a block put in; a block that is the whole file takes its place."""
    if not old.strip():
        return source
    if symbols or _keeps(old, source):
        return splice(old, source, symbols)
    names = list(Module(source, "The reply").statements)
    if not names:
        _refuse_excerpt(path, old, source)
    return splice(old, source, names)


def _refuse_others(paths: Sequence[str], texts: Mapping[str, str]) -> None:
    others = [path for path in paths if canonical_path(path) not in texts]
    if others:
        raise PatchError(f"The reply changes {', '.join(others)}", next_step=f"Change only {' and '.join(texts)}")


def _refuse_excerpt(path: str, old: str, new: str) -> None:
    if not _keeps(old, new):
        raise PatchError(f"The reply holds only a part of {path}", next_step="Send the change as SEARCH/REPLACE blocks")


def _keeps(old: str, new: str) -> bool:
    """Whether a text may be meant to take the place of the whole old one."""
    lines = [line for line in map(str.strip, old.splitlines()) if line]
    kept = {line.strip() for line in new.splitlines()}
    return sum(line in kept for line in lines) >= _EXCERPTED * len(lines)
