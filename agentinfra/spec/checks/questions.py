"""Questions that nobody has answered."""

from __future__ import annotations

from collections.abc import Iterator

from agentinfra.spec.checks.edits import span_of
from agentinfra.spec.checks.finding import Diagnostic, Documents, Fix
from agentinfra.spec.edits import answer_edits


def open_questions(documents: Documents) -> Iterator[Diagnostic]:
    """Questions without an answer; the fix takes the recommended one."""
    for one in documents.spec.questions:
        if not one.text_of("answer"):
            answer = one.text_of("recommended")
            edits = tuple(answer_edits(documents.spec, one, answer))
            fix = Fix(f"Answer: {answer}", "spec", edits) if answer else None
            message = f"{one.id.name} has no answer yet; write one behind “Answer:”"
            yield Diagnostic("open-question", one.id.name, message, "spec", span_of(one.id), fix=fix)
