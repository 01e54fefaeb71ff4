"""Functions that two requirements claim, and files that are spelled in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from agentinfra.spec.checks.edits import span_of
from agentinfra.spec.checks.finding import Diagnostic, Document, Documents, Fix, Related
from agentinfra.spec.source import Edit, Mention
from agentinfra.spec.spec_source import RequirementSource


def doubled_symbols(documents: Documents) -> Iterator[Diagnostic]:
    """Functions and classes of a file that an earlier requirement has already."""
    owners: dict[tuple[str, str], tuple[RequirementSource, Mention]] = {}
    for one in documents.spec.requirements:
        file = one.files[0].name if one.files else ""
        for symbol in one.symbols:
            name = symbol.name.removeprefix("class ").partition("(")[0].strip()
            owner, first = owners.setdefault((file, name), (one, symbol))
            if owner is not one:
                yield Diagnostic(
                    "doubled-symbol",
                    one.id.name,
                    f"{name} in {file} is part of {owner.id.name} already; leave it to one requirement",
                    "spec",
                    span_of(symbol),
                    (Related("spec", span_of(first), f"{owner.id.name} has it here"),),
                )


def file_spellings(documents: Documents) -> Iterator[Diagnostic]:
    """Files that are spelled otherwise than at first; the fix spells them the same."""
    tasks = documents.tasks.tasks if documents.tasks else []
    spellings = {file.name for one in (*documents.spec.requirements, *tasks) for file in one.files}
    if len({name.casefold() for name in spellings}) == len(spellings):
        return
    first: dict[str, tuple[Document, Mention]] = {}
    named: Iterator[tuple[Document, str, Mention]] = chain(
        (("spec", one.id.name, file) for one in documents.spec.requirements for file in one.files),
        (("tasks", one.id.name, file) for one in tasks for file in one.files),
    )
    for document, subject, file in named:
        where, earlier = first.setdefault(file.name.casefold(), (document, file))
        if earlier.name != file.name:
            message = f"{file.name} and {earlier.name} are one file on many systems; spell it one way"
            related = (Related(where, span_of(earlier), f"It is spelled {earlier.name} here"),)
            fix = _respelt(documents, document, file, earlier.name)
            yield Diagnostic("file-spelling", subject, message, document, span_of(file), related, fix)


def _respelt(documents: Documents, document: Document, file: Mention, name: str) -> Fix | None:
    """None where the place is that of a whole list of files."""
    if documents.lines(document).text[file.start : file.end] != file.name:
        return None
    return Fix(f"Write {name}", document, (Edit(file.start, file.end, name),), safe=True)
