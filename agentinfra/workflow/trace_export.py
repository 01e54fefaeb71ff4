"""The trace as a matrix for people and other programs: text, Markdown, HTML, CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Literal, get_args

from agentinfra.security.clean import clean_line
from agentinfra.spec.trace import Link

Format = Literal["text", "markdown", "html", "csv"]
FORMATS: tuple[str, ...] = get_args(Format)
COLUMNS = ("Requirement", "Title", "Task", "Proven", "Tests", "Commit", "Lines", "Run")
_SHORT = 10
_STYLE = "body{font:14px system-ui}td,th{border:1px solid #999;padding:4px 8px;text-align:left;vertical-align:top}"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def exported(links: Sequence[Link], coverage: tuple[int, int], form: str) -> str:
    """Render links.

    Args:
        links: What to show.
        coverage: Proven requirements, and all.
        form: One of FORMATS.
    """
    return _WRITERS[form](links, coverage)


def coverage_line(coverage: tuple[int, int]) -> str:
    """``3 of 4 requirements are proven by tests``."""
    proven, every = coverage
    return f"{proven} of {every} requirement{'' if every == 1 else 's'} proven by tests"


def _text(links: Sequence[Link], coverage: tuple[int, int]) -> str:
    lines: list[str] = []
    for name in dict.fromkeys(link.requirement for link in links):
        own = [link for link in links if link.requirement == name]
        lines.append(f"{name} {clean_line(own[0].title) or '(no longer in the specification)'}")
        for link in own:
            lines += [f"  {line}" for line in _link_lines(link)]
    return "\n".join([*lines, coverage_line(coverage)]) + "\n"


def _link_lines(link: Link) -> Iterator[str]:
    if not link.task:
        yield f"✗ {clean_line(link.why)}"
        return
    verdict = "proven" if link.proven else f"not proven: {clean_line(link.why)}"
    yield f"{link.task} {verdict}, commit {link.commit[:_SHORT]}, run {clean_line(link.run)}"
    yield from (f"  test  {clean_line(test)}" for test in link.tests)
    yield from (f"  lines {clean_line(str(place))}" for place in link.places)


def _cells(link: Link) -> tuple[str, ...]:
    verdict = "yes" if link.proven else f"no: {link.why}"
    where = "; ".join(map(str, link.places))
    tests = "; ".join(link.tests)
    return (link.requirement, link.title, link.task, verdict, tests, link.commit[:_SHORT], where, link.run)


def _markdown(links: Sequence[Link], coverage: tuple[int, int]) -> str:
    def row(cells: Sequence[str]) -> str:
        safe = (
            clean_line(cell, 2_000).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for cell in cells
        )
        return f"| {' | '.join(safe)} |"

    rows = [row(COLUMNS), f"|{'--|' * len(COLUMNS)}", *(row(_cells(link)) for link in links)]
    return "\n".join([*rows, "", coverage_line(coverage)]) + "\n"


def _html(links: Sequence[Link], coverage: tuple[int, int]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(clean_line(cell, 2_000))}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(row(_cells(link), "td") for link in links)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Trace</title>\n'
        f"<style>{_STYLE}</style></head>\n"
        f"<body><h1>Trace</h1><p>{escape(coverage_line(coverage))}</p>\n<table>\n{row(COLUMNS, 'th')}\n{body}\n"
        "</table></body></html>\n"
    )


def _csv(links: Sequence[Link], coverage: tuple[int, int]) -> str:
    del coverage  # a line that is no row would be one to every program that reads it
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    # A spreadsheet would run a cell that begins like a formula.
    writer.writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in _cells(link)] for link in links)
    return stream.getvalue()


_WRITERS: Mapping[str, Callable[[Sequence[Link], tuple[int, int]], str]] = {
    "text": _text,
    "markdown": _markdown,
    "html": _html,
    "csv": _csv,
}
