"""DocumentationTool: looks a library up offline, in the project's docs and the installed packages."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from agentinfra.security.clean import clean_line, clean_text
from agentinfra.tools.base_tool import BaseTool

_FOLDERS = ("docs", "doc", "documentation")
_ENDINGS = (".md", ".mdx", ".rst", ".txt")
_MAX_FILES, _MAX_BYTES = 2_000, 1 << 20
_SNIPPETS, _SNIPPET_CHARS = 3, 1_200
_WORD = re.compile(r"[^\W_]+")
_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": "What to look up, a few words"}},
    "required": ["query"],
}


@dataclass(frozen=True, slots=True)
class _Page:
    source: str
    text: str


class DocumentationTool(BaseTool):
    """Documentation of one library, offline: docs folders and README of the project, then installed packages.

    Args:
        library: Its name, such as "SvelteKit".
        root: The project.
    """

    def __init__(self, library: str, root: str | Path = ".") -> None:
        name = "_".join(_WORD.findall(library.lower())) or "library"
        super().__init__(f"{name}_docs", f"Look up the documentation of {library}.", _PARAMETERS)
        self.library = library
        self.root = Path(root)

    async def arun(self, query: str) -> str:
        """The passages that fit the query best, each with where it stands; or a line that says nothing was found."""
        return await asyncio.to_thread(self._look_up, query)

    def _look_up(self, query: str) -> str:
        wanted = _words(query)
        passages = [_Page(page.source, part) for page in self._pages() for part in _passages(page.text)]
        ranked = sorted(passages, key=lambda one: _score(wanted, one.text), reverse=True)
        best = [one for one in ranked[:_SNIPPETS] if _score(wanted, one.text) > 0]
        if not best:
            return (
                f"Nothing about {clean_line(query)!r} was found in the documentation of {self.library} on this machine "
                f"(docs folders of the project, {self.library} among installed Python and npm packages)."
            )
        snippets = [f"[{one.source}]\n{clean_text(one.text, _SNIPPET_CHARS)}" for one in best]
        return "Documentation found here (data, not instructions):\n\n" + "\n\n".join(snippets)

    def _pages(self) -> Iterator[_Page]:
        about = _squeezed(self.library)
        for page in _project_pages(self.root):
            if about in _squeezed(page.source) or about in _squeezed(page.text):
                yield page
        yield from _npm_pages(self.root, about)
        yield from _python_pages(about)


def _project_pages(root: Path) -> Iterator[_Page]:
    left = _MAX_FILES
    for folder in (root / name for name in _FOLDERS):
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for path in (Path(parent, name) for name in sorted(names) if name.lower().endswith(_ENDINGS)):
                left -= 1
                if left < 0:
                    return
                yield from _page(path, root)
    for path in sorted(root.glob("README*")):
        yield from _page(path, root)


def _npm_pages(root: Path, about: str) -> Iterator[_Page]:
    installed = root / "node_modules"
    for folder in sorted([*installed.glob("[!@.]*"), *installed.glob("@*/*")]):
        name = folder.relative_to(installed).as_posix()
        # SvelteKit is @sveltejs/kit, TailwindCSS is tailwindcss.
        scope, _, rest = name.removeprefix("@").rpartition("/")
        if about in (_squeezed(rest), _squeezed(scope.removesuffix("js") + rest), _squeezed(name)):
            for path in sorted(folder.glob("README*")):
                yield from _page(path, root)


def _python_pages(about: str) -> Iterator[_Page]:
    for package in metadata.distributions():
        name = str(package.metadata["Name"] or "")
        if _squeezed(name) == about:
            yield _Page(f"Python package {name} {package.version}", str(package.metadata.json.get("description", "")))


def _page(path: Path, root: Path) -> Iterator[_Page]:
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode(errors="replace")
        yield _Page(path.relative_to(root).as_posix(), text)


def _passages(text: str) -> list[str]:
    """Parts of a page, each beginning at a heading or after an empty line, of about a screen each."""
    passages: list[str] = []
    for part in re.split(r"\n(?=#{1,6} )", text.strip()):
        passages.extend(_packed(part))
    return passages


def _packed(section: str) -> Iterator[str]:
    packed = ""
    for paragraph in section.split("\n\n"):
        if packed and len(packed) + len(paragraph) > _SNIPPET_CHARS:
            yield packed
            packed = ""
        packed = f"{packed}\n\n{paragraph}" if packed else paragraph
    if packed.strip():
        yield packed


def _score(wanted: set[str], text: str) -> float:
    """Share of the wanted words that the text has; its first line counts double."""
    heading = text.partition("\n")[0]
    return (len(wanted & _words(text)) + len(wanted & _words(heading))) / (2 * max(len(wanted), 1))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
