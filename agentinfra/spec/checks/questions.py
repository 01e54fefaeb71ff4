"""Questions that nobody has answered."""

from __future__ import annotations

from collections.abc import Iterator

from agentinfra.spec.checks.edits import span_of
from agentinfra.spec.checks.finding import Diagnostic, Documents, Fix
from agentinfra.spec.source import Edit, Lines
from agentinfra.spec.spec_source import QuestionSource


def open_questions(documents: Documents) -> Iterator[Diagnostic]:
    """Questions without an answer; the fix takes the recommended one."""
    lines = documents.spec.body
    for one in documents.spec.questions:
        if not one.text_of("answer"):
            answer = one.text_of("recommended")
            fix = Fix(f"Answer: {answer}", "spec", _answered(lines, one, answer)) if answer else None
            message = f"{one.id.name} has no answer yet; write one behind “Answer:”"
            yield Diagnostic("open-question", one.id.name, message, "spec", span_of(one.id), fix=fix)


def _answered(lines: Lines, one: QuestionSource, answer: str) -> tuple[Edit, ...]:
    """Tick the box, and write the answer where the field is, or as a new one at the end."""
    ticked = Edit(one.box.start, one.box.end, "x")
    fields = [index for name, _, index in one.fields if name == "answer"]
    if fields:
        end = lines.span(fields[-1]).end
        gap = "" if lines.text[end - 1].isspace() else " "
        return ticked, Edit(end, end, f"{gap}{answer}")
    last = max(index for index in range(one.first, one.last) if lines.lines[index].strip())
    end = lines.span(last).end
    return ticked, Edit(end, end, f"{lines.newline}  - Answer: {answer}")
