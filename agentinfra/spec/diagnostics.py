"""What is wrong with a specification, said without a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agentinfra.spec.requirements import Requirement, Spec


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding.

    Attributes:
        code: Stable name of the rule.
        severity: "error" stops the run, "warning" does not.
        subject: Id of the requirement or question.
        message: What is wrong and what to do.
    """

    code: str
    severity: Literal["error", "warning"]
    subject: str
    message: str


def check(spec: Spec) -> tuple[Diagnostic, ...]:
    """Check a specification: ids, acceptance examples, open questions, symbols given twice, spelling of files."""
    rules = (_duplicate_ids, _missing_examples, _open_questions, _doubled_symbols, _file_spellings)
    return tuple(finding for rule in rules for finding in rule(spec))


def _duplicate_ids(spec: Spec) -> Iterator[Diagnostic]:
    ids = Counter([*(r.id for r in spec.requirements), *(q.id for q in spec.questions)])
    for name, count in ids.items():
        if count > 1:
            yield Diagnostic("duplicate-id", "error", name, f"{name} is used {count} times; give each its own id")


def _missing_examples(spec: Spec) -> Iterator[Diagnostic]:
    for requirement in spec.requirements:
        if not requirement.examples:
            message = f"{requirement.id} has no acceptance example; add one such as `double(2)` returns `4`"
            yield Diagnostic("no-acceptance", "warning", requirement.id, message)


def _open_questions(spec: Spec) -> Iterator[Diagnostic]:
    for question in spec.questions:
        if question.answer is None:
            yield Diagnostic("open-question", "warning", question.id, f"{question.id} has no answer yet")


def _doubled_symbols(spec: Spec) -> Iterator[Diagnostic]:
    owners: dict[tuple[str, str], Requirement] = {}
    for requirement in spec.requirements:
        for symbol in requirement.symbols:
            name = symbol.removeprefix("class ").partition("(")[0].strip()
            first = owners.setdefault((requirement.file, name), requirement)
            if first is not requirement:
                message = f"{name} in {requirement.file} is already part of {first.id}; leave it to one requirement"
                yield Diagnostic("doubled-symbol", "warning", requirement.id, message)


def _file_spellings(spec: Spec) -> Iterator[Diagnostic]:
    spellings: dict[str, str] = {}
    for requirement in spec.requirements:
        first = spellings.setdefault(requirement.file.casefold(), requirement.file)
        if first != requirement.file:
            message = f"{requirement.file} and {first} are one file on many systems; spell it one way"
            yield Diagnostic("file-spelling", "error", requirement.id, message)
