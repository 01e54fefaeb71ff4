"""The language of what people read in their editor, by standard gettext catalogues.

A connection speaks the language of ``initialize``'s ``locale``. What is logged, what goes over the wire as a value and
what models are told stays English. ``scripts/translations.py`` keeps the catalogues.
"""

from __future__ import annotations

from contextvars import ContextVar
from gettext import NullTranslations, translation
from pathlib import Path

DOMAIN = "agentinfra"
FOLDER = Path(__file__).parents[1] / "locale"
ENGLISH = NullTranslations()
_CHINESE_OF_TAIWAN = frozenset({"hant", "tw", "hk", "mo"})
"""They write other characters: English is read more easily than the wrong ones."""

_spoken: ContextVar[NullTranslations] = ContextVar("spoken", default=ENGLISH)


def catalogue(locale: str | None) -> NullTranslations:
    """The messages for a client's locale; the English ones where there are none.

    Args:
        locale: As an editor names it, such as "de", "de-AT", "zh-cn" or "zh_CN.UTF-8".
    """
    name, _, rest = (locale or "").lower().partition(".")[0].replace("_", "-").partition("-")
    if name == "zh" and _CHINESE_OF_TAIWAN.isdisjoint(rest.split("-")):
        return translation(DOMAIN, FOLDER, ["zh_CN"])
    return translation(DOMAIN, FOLDER, ["de"]) if name == "de" else ENGLISH


def speak(messages: NullTranslations) -> None:
    """Use these messages in this task, and in those that it begins."""
    _spoken.set(messages)


def tr(message: str, **parts: object) -> str:
    """A message in the language of the connection.

    Args:
        message: In English, with its parts by name: ``"Explain {name}"``.
        parts: What stands in their place.
    """
    return _filled(_spoken.get().gettext(message), parts)


def tr_count(one: str, many: str, count: int, **parts: object) -> str:
    """A message that depends on a number, which is its part ``count``.

    Args:
        one: In English, where it is one.
        many: Where it is any other number.
        count: The number.
        parts: What else stands in it.
    """
    return _filled(_spoken.get().ngettext(one, many, count), {"count": count, **parts})


def noted(message: str) -> str:
    """Mark a constant as a message; it is translated where :func:`tr` takes it."""
    return message


def _filled(message: str, parts: dict[str, object]) -> str:
    return message.format(**parts) if parts else message
