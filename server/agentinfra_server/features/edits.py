"""From new texts to a workspace edit: versioned, with the least lines, annotated where the client shows that."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp

from agentinfra_server.features.code_places import split_lines

_MOST_COMPARED = 3000  # lines of a change that are compared one by one
_ANNOTATION = "agentinfra"

Units = Callable[[str], int]
"""The length of a text in the units that the client counts columns in."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """New text of a file.

    Attributes:
        uri: The file.
        version: That of the document, None where it is not open.
        old: Its text; None where there is no such file.
        new: Its new text.
    """

    uri: str
    version: int | None
    old: str | None
    new: str


def workspace_edit(
    changes: Sequence[FileChange], can: lsp.ClientCapabilities, units: Units, title: str, detail: str
) -> lsp.WorkspaceEdit:
    """The edit, in the form that the client takes.

    Args:
        changes: The files.
        can: What the client can do.
        units: How it counts columns.
        title: What the change is called.
        detail: Who made it.
    """
    able = can.workspace.workspace_edit if can.workspace else None
    if able is None or not able.document_changes:
        return lsp.WorkspaceEdit(changes={one.uri: list(text_edits(one.old or "", one.new, units)) for one in changes})
    annotation = _ANNOTATION if able.change_annotation_support else None
    creates = lsp.ResourceOperationKind.Create in (able.resource_operations or ())
    parts = [part for one in changes for part in _parts(one, units, annotation, creates=creates)]
    told = {_ANNOTATION: lsp.ChangeAnnotation(label=title, needs_confirmation=False, description=detail)}
    return lsp.WorkspaceEdit(document_changes=parts, change_annotations=told if annotation else None)


def text_edits(old: str, new: str, units: Units) -> Iterator[lsp.TextEdit]:
    """The changed lines.

    Args:
        old: The text as it is.
        new: As it is to be.
        units: How the client counts columns.
    """
    before, after = split_lines(old), split_lines(new)
    for first, last, lines in _differences(before, after):
        start = _position(before, first, units)
        yield lsp.TextEdit(lsp.Range(start, _position(before, last, units)), "".join(lines))


def _parts(change: FileChange, units: Units, annotation: str | None, *, creates: bool) -> Iterator[Any]:
    if change.old is None and creates:
        options = lsp.CreateFileOptions(overwrite=False, ignore_if_exists=True)
        yield lsp.CreateFile(uri=change.uri, options=options, annotation_id=annotation)
    edits = [
        lsp.AnnotatedTextEdit(annotation, one.range, one.new_text) if annotation else one
        for one in text_edits(change.old or "", change.new, units)
    ]
    yield lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(change.uri, change.version), edits)


def _differences(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, Sequence[str]]]:
    """First line, line after the last one, and what stands there instead."""
    top = _same(before, after)
    end = _same(before[top:][::-1], after[top:][::-1])
    old, new = before[top : len(before) - end], after[top : len(after) - end]
    if not old and not new:
        return
    if not old or not new or len(old) + len(new) > _MOST_COMPARED:
        yield top, top + len(old), new
        return
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield top + a, top + b, new[c:d]


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are the same from the top on."""
    for count, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return count
    return min(len(one), len(other))


def _position(lines: Sequence[str], number: int, units: Units) -> lsp.Position:
    """The beginning of a line; the end of the text where its last line has no end."""
    if number == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return lsp.Position(number - 1, units(lines[-1]))
    return lsp.Position(number, 0)
