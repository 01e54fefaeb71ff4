"""What a task's context is built from: its part of the specification, the files that it claims, what was learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentinfra.core.tasks import Task
from agentinfra.memory.context import ContextRequest
from agentinfra.memory.context_pieces import Piece
from agentinfra.memory.records import MemoryRecord
from agentinfra.spec.spec_source import RequirementSource, SpecSource, read_spec

SPEC = "spec.md"
_LONGEST_QUERY = 1_000


def request_for(task: Task, spec_text: str, lessons: Sequence[MemoryRecord] = ()) -> ContextRequest:
    """The request for a task.

    Args:
        task: The task.
        spec_text: The specification that its requirements are in; any text will do, what is not there is left out.
        lessons: What was learnt and fits, the best first.
    """
    source = read_spec(spec_text)
    own = [one for one in source.requirements if one.id.name in task.requirements]
    said = [task.title, *task.symbols, *(_statement(source, one) for one in own)]
    return ContextRequest(
        query="\n".join(filter(None, said))[:_LONGEST_QUERY],
        files=task.files,
        spec=tuple(_piece(source, one) for one in own),
        lessons=tuple(lessons),
    )


def _statement(source: SpecSource, one: RequirementSource) -> str:
    lines = (source.body.lines[index] for index in one.statement)
    return " ".join(word for text in (one.title.name, *lines) for word in text.split())


def _piece(source: SpecSource, one: RequirementSource) -> Piece:
    lines = source.body.lines[one.first : one.last]
    above = source.text.count("\n", 0, source.body.begin)
    piece = Piece(SPEC, above + one.first + 1, above + one.last, "\n".join(lines), ("what is asked for",), "spec")
    blank = next((count for count, line in enumerate(reversed(lines)) if line.strip()), 0)
    return replace(piece, end=piece.end - blank, text=piece.text.rstrip()) if blank else piece
