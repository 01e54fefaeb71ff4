"""Findings about a specification, as people and as programs read them."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentinfra.security.clean import clean_text
from agentinfra.spec.diagnostics import Diagnostic, Fix, Related
from agentinfra.spec.source import Lines, Span

SCHEMA = 1
_WIDTH = 160
_MAX_MESSAGE = 2_000
_MAX_RELATED = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, and in which texts.

    Attributes:
        findings: The findings.
        lines: The lines of the documents, "spec" and maybe "tasks".
        paths: Their paths, as a person named them.
        run: The run whose record was looked at; "" for none.
    """

    findings: Sequence[Diagnostic]
    lines: Mapping[str, Lines]
    paths: Mapping[str, str]
    run: str = ""


def as_json(checked: Checked) -> str:
    """The findings as one JSON object; lines and columns count from 1, ends are exclusive, columns are characters."""
    count = Counter(one.severity for one in checked.findings)
    data = {
        "schema": SCHEMA,
        "files": list(checked.paths.values()),
        "run": checked.run or None,
        "errors": count["error"],
        "warnings": count["warning"],
        "findings": [_finding(checked, one) for one in checked.findings],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _finding(checked: Checked, one: Diagnostic) -> dict[str, Any]:
    return {
        "code": one.code,
        "severity": one.severity,
        "subject": one.subject,
        "message": one.message,
        "explanation": one.explanation,
        **_place(checked, one),
        "related": [{**_place(checked, other), "message": other.message} for other in one.related],
        "fix": _fix(checked, one.fix) if one.fix else None,
    }


def _place(checked: Checked, one: Diagnostic | Related) -> dict[str, Any]:
    return {"path": checked.paths[one.document], **_range(checked.lines[one.document], one.span)}


def _range(lines: Lines, span: Span) -> dict[str, int]:
    start, end = lines.position(span.start), lines.position(span.end)
    return {"line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column}


def _fix(checked: Checked, fix: Fix) -> dict[str, Any]:
    lines = checked.lines[fix.document]
    edits = [{**_range(lines, Span(edit.start, edit.end)), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "path": checked.paths[fix.document], "safe": fix.safe, "edits": edits}


def as_text(checked: Checked) -> str:
    """The findings with the lines that they are about; what a rule is for is told once."""
    told: set[str] = set()
    parts: list[str] = []
    for one in checked.findings:
        parts += [*_shown(checked, one, one.code not in told), ""]
        told.add(one.code)
    return "\n".join([*parts, _summary(checked)]) + "\n"


def _shown(checked: Checked, one: Diagnostic, explain: bool) -> Iterator[str]:
    lines = checked.lines[one.document]
    line, column = lines.position(one.span.start)
    yield f"{checked.paths[one.document]}:{line}:{column} {one.code} {clean_text(one.message, _MAX_MESSAGE)}"
    number = str(line)
    source, mark = _marked(lines.text, one.span)
    yield f"  {number} | {source}"
    yield f"  {' ' * len(number)} | {mark}"
    for other in one.related[:_MAX_RELATED]:
        place = checked.lines[other.document].position(other.span.start)
        where = f"{checked.paths[other.document]}:{place.line}:{place.column}"
        yield f"  see {where} {clean_text(other.message, _MAX_MESSAGE)}"
    if len(one.related) > _MAX_RELATED:
        yield f"  and {len(one.related) - _MAX_RELATED} more places (--json lists them)"
    if explain:
        yield f"  why: {one.explanation}"
    if one.fix:
        yield f"  fix: {clean_text(one.fix.title, _MAX_MESSAGE)}{' (--fix does it)' if one.fix.safe else ''}"


def _marked(text: str, span: Span) -> tuple[str, str]:
    """A piece of the line with the place, and the mark to print below it."""
    begin = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    end = len(text) if end < 0 else end
    first = begin if span.start - begin < _WIDTH // 2 else span.start - _WIDTH // 2
    shown = clean_text(text[first:end].rstrip("\r")[:_WIDTH].replace("\t", " "), _WIDTH)
    before, marked = shown[: span.start - first], shown[span.start - first : max(span.end, span.start + 1) - first]
    return shown, " " * _columns(before) + "^" * max(1, _columns(marked))


def _columns(text: str) -> int:
    """How wide a terminal shows it."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else not unicodedata.combining(one) for one in text)


def _summary(checked: Checked) -> str:
    files = " and ".join(checked.paths.values())
    if not checked.findings:
        return f"{files}: nothing found"
    count = Counter(one.severity for one in checked.findings)
    number = len(checked.findings)
    return f"{number} finding{'s' * (number > 1)}: errors {count['error']}, warnings {count['warning']}"
