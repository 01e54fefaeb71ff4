"""The rules by their codes: how bad a finding is, and why it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Rule(NamedTuple):
    """A rule; an error keeps the documents from being built as they are, a warning does not."""

    severity: Severity
    why: str


RULES: Mapping[str, Rule] = {
    "unreadable": Rule(
        "error",
        "A run refuses a document with a part that it must understand and cannot, rather than guess what was meant.",
    ),
    "duplicate-id": Rule(
        "error", "Tasks, tests and commits name what they are for by its id; an id must mean one thing."
    ),
    "unknown-id": Rule("error", "What refers to something that is not there is either misspelt or out of date."),
    "no-acceptance": Rule(
        "warning", "Tests are made from acceptance examples; without one nobody can say when it is fulfilled."
    ),
    "no-task": Rule("warning", "Nothing will be built for a requirement that no task implements."),
    "no-requirement": Rule(
        "warning", "Code that no requirement asks for has no acceptance, and nobody knows when it may go."
    ),
    "orphan-test": Rule("warning", "A test of a requirement that is gone holds the code to what nobody asks for."),
    "dependency-cycle": Rule("error", "Each of these tasks waits for the next one, so that none of them can begin."),
    "unordered-claims": Rule(
        "warning", "Tasks that write one file at the same time work against each other; one must come first."
    ),
    "vague-word": Rule("warning", "Two people mean different things by it, and no test can decide who is right."),
    "number-conflict": Rule(
        "warning", "Both cannot hold; whichever is built, a sentence of the specification is wrong."
    ),
    "result-conflict": Rule("error", "One call has one result; no code can pass a test for each of these examples."),
    "open-question": Rule("warning", "What is built without the answer rests on a guess."),
    "edited-after-approval": Rule(
        "warning", "What was approved is one text; the requirements that were changed since are drafts again."
    ),
    "status-not-on-record": Rule(
        "warning", "The event log alone says what was approved and done; a status in a file approves nothing."
    ),
    "task-state-not-on-record": Rule(
        "warning", "The engine alone sets states, and only for what it has proven; a mark set by hand proves nothing."
    ),
    "blocked-task": Rule(
        "warning", "What it was to build is missing, and so is what tasks that depend on it were to build."
    ),
    "doubled-symbol": Rule("warning", "Two tasks would write the same function, and the later one replaces the other."),
    "file-spelling": Rule("error", "On many systems these are one file; on others the code ends up in two."),
}
