"""The guides' settings for editors: each is driven by a test, or says that it is untested; and each can be read."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("use-in-your-editor.md", "use-over-acp.md")
SETTINGS = ("lua", "elisp", "toml", "json")
NOT_OF_EDITORS = "[project.entry-points"
DRIVEN = re.compile(r"`(tests/server/\w+\.py)` takes this very snippet")
UNTESTED = re.compile(r"\buntested\b", re.IGNORECASE)


class Snippet(NamedTuple):
    guide: str
    before: str
    kind: str
    text: str


def snippets() -> list[Snippet]:
    """The settings, each with the paragraph before it."""
    found: list[Snippet] = []
    for guide in GUIDES:
        text = (ROOT / "docs" / "how-to" / guide).read_text("utf-8")
        for block in re.finditer(r"```(\w+)\n(.*?)```", text, re.DOTALL):
            before = text[: block.start()].rstrip().rpartition("\n\n")[2]
            if block[1] in SETTINGS and not block[2].startswith(NOT_OF_EDITORS):
                found.append(Snippet(guide, before, block[1], block[2]))
    return found


def name(snippet: Snippet) -> str:
    return f"{snippet.guide}: {snippet.before[:40]}"


@pytest.mark.parametrize("snippet", snippets(), ids=name)
def test_a_snippet_is_driven_by_a_test_or_says_that_it_is_untested(snippet):
    driven = DRIVEN.search(snippet.before)
    assert bool(driven) != bool(UNTESTED.search(snippet.before))
    if driven:
        test = (ROOT / driven[1]).read_text("utf-8")
        assert f"```{snippet.kind}" in test and "GUIDE" in test


@pytest.mark.parametrize("snippet", [one for one in snippets() if one.kind in ("json", "toml")], ids=name)
def test_settings_can_be_read(snippet):
    read = json.loads if snippet.kind == "json" else tomllib.loads
    assert read(snippet.text)


@pytest.mark.parametrize("editor", ["Neovim", "Helix", "Emacs", "Kate", "Zed"])
def test_every_editor_has_its_settings(editor):
    texts = "\n".join((ROOT / "docs" / "how-to" / guide).read_text("utf-8") for guide in GUIDES)
    assert f"## {editor}" in texts
    assert any(editor in one.before or f"## {editor}" in _chapter(one) for one in snippets())


def _chapter(snippet: Snippet) -> str:
    text = (ROOT / "docs" / "how-to" / snippet.guide).read_text("utf-8")
    return "## " + text[: text.index(snippet.text)].rpartition("\n## ")[2]
