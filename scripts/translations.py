"""Keep the language server's translations: ``python scripts/translations.py`` after a message was written or changed.

Extracts the messages from the source, puts the new ones into each ``.po`` file (untranslated, at its end), drops those
that nobody says any more and compiles the ``.mo`` files, which is what the server reads. With ``--check`` it writes
nothing, and fails where something is not translated or not up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import cast

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parent.parent / "server" / "agentinfra_server"
FOLDER = SOURCE / "locale"
LANGUAGES = ("de", "zh_CN")
HEAD = "Kept by scripts/translations.py; translate what is empty."
ABOUT = {"project": "AgentInfra", "version": "1", "last_translator": "AgentInfra", "language_team": "AgentInfra"}
KEYWORDS = {"tr": None, "tr_count": (1, 2), "noted": None}


def extracted() -> Catalog:
    """The messages of the source, in order."""
    found = Catalog()
    for file, _, message, _, _ in extract_from_dir(SOURCE, keywords=KEYWORDS, comment_tags=()):
        found.add(message, locations=[(file, 0)])
    return found


def catalogue(language: str) -> Catalog:
    """The translations of a language as they are kept."""
    with file(language, "po").open("rb") as lines:
        return read_po(lines, locale=language)


def updated(language: str, source: Catalog) -> Catalog:
    """The translations of a language for the messages that there are now."""
    known = catalogue(language)
    made = Catalog(
        language,
        header_comment=f"# {HEAD}",
        fuzzy=False,
        **ABOUT,
        creation_date=known.creation_date,
        revision_date=known.revision_date,
    )
    for message in source:
        if message.id:
            before = known.get(message.id)
            made.add(message.id, before.string if before else None, locations=message.locations)
    return made


def problems(language: str, source: Catalog) -> Iterator[str]:
    """What is wrong with a language's files: one line each."""
    known = catalogue(language)
    yield from (f"{language}: nobody says {one.id!r}" for one in known if one.id and source.get(one.id) is None)
    for wanted in source:
        message = known.get(wanted.id)
        if wanted.id and (message is None or message.fuzzy or not all(forms(message.string))):
            yield f"{language}: {wanted.id!r} is not translated"
    with file(language, "mo").open("rb") as lines:
        if said(read_mo(lines)) != said(known):
            yield f"{language}: the .mo file is not that of the .po file"
    if written(updated(language, source)) != file(language, "po").read_bytes():
        yield f"{language}: the .po file is not as this script writes it"


def said(translations: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The translations by what is translated: each once, or once for each plural form."""
    return {forms(one.id): forms(one.string) for one in translations if one.id and any(forms(one.string))}


def written(translations: Catalog) -> bytes:
    """The text of a ``.po`` file, in an order that moves nothing else when a message comes or goes."""
    text = BytesIO()
    write_po(text, translations, width=0, include_lineno=False, sort_by_file=True)
    return text.getvalue()


def file(language: str, kind: str) -> Path:
    """A language's file of a kind, "po" or "mo"."""
    return FOLDER / language / "LC_MESSAGES" / f"agentinfra.{kind}"


def update(language: str, source: Catalog) -> None:
    """Write a language's files anew."""
    made = updated(language, source)
    file(language, "po").write_bytes(written(made))
    with file(language, "mo").open("wb") as lines:
        write_mo(lines, made)


def forms(text: object) -> tuple[str, ...]:
    """A message's text, or one for each plural form."""
    given = cast("str | Sequence[str] | None", text) or ""
    return (given,) if isinstance(given, str) else tuple(given)


def main(arguments: list[str]) -> int:
    """Update the files, or check them; the exit code."""
    source = extracted()
    if "--check" not in arguments:
        for language in LANGUAGES:
            update(language, source)
    found = [one for language in LANGUAGES for one in problems(language, source)]
    print("\n".join(found) or f"{len(source)} messages are translated into {', '.join(LANGUAGES)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
