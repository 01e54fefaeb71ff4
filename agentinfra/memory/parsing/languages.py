"""The languages that files are cut up by: a grammar each, and a query that says what is defined and used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path, PurePosixPath

import tree_sitter

from agentinfra.core.errors import InputError
from agentinfra.memory.chunk import ChunkKind
from agentinfra.memory.parsing.markdown import read_markdown
from agentinfra.memory.parsing.source import Source
from agentinfra.memory.parsing.syntax import Syntax
from agentinfra.memory.parsing.yaml import read_yaml


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the index understands.

    The query is written in tree-sitter's own language, with the names that code navigation has for captures, so that
    the ``tags.scm`` that many grammars ship can be used as it is:

    - ``@definition.KIND`` with ``@name``: something defined. Functions, methods, classes and their like become chunks
      of their own; any other kind (``constant``) is only listed. ``@body`` ends the signature.
    - ``@reference.call``, ``@reference.import``, any other ``@reference.…``: a name that is used.
    - ``@doc``: a comment or decorator; what stands right above a definition belongs to it.
    - ``@heading.1`` … ``@heading.6`` with ``@name``: opens a section, up to the next heading of its rank.
    - ``@embedded.LANGUAGE``: a stretch in another registered language.

    Attributes:
        name: What it is called in the index.
        suffixes: The ends of its files' names, such as ``.py``; compared in lower case.
        grammar: Gives the grammar's capsule, as ``tree_sitter_python.language`` does; called at first use.
        query: What to capture.
        read: Reads a file without a grammar, where there is none that can be trusted.
        kind: What chunks outside every definition are.
        names: Whole file names that are this language without one of its suffixes.
        separator: Stands between the parts of a symbol.
        component: Whether a file is itself something that others use, by the stem of its name.
    """

    name: str
    suffixes: tuple[str, ...]
    grammar: Callable[[], object] | None = None
    query: str = ""
    read: Callable[[Source], Syntax] | None = None
    kind: ChunkKind = "window"
    names: tuple[str, ...] = ()
    separator: str = "."
    component: bool = False


_languages: dict[str, Language] = {}
_by_suffix: dict[str, Language] = {}
_by_name: dict[str, Language] = {}


def register_language(language: Language) -> None:
    """Makes the index understand a language; one of the same name, suffix or file name is replaced.

    Args:
        language: Its grammar and its query; both are tried here and now.

    Raises:
        InputError: The grammar cannot be loaded or the query does not fit it.
    """
    try:
        if language.read is None:
            grammar_and_query(language)
    except Exception as error:  # a foreign grammar may fail in any way; nothing is registered then
        raise InputError(
            f"The language {language.name!r} cannot be used",
            why=f"{type(error).__name__}: {error}",
            next_step="Try the query with the very version of the grammar: node names differ between versions",
        ) from error
    _add(language)


@cache
def grammar_and_query(language: Language) -> tuple[tree_sitter.Language, tree_sitter.Query]:
    """The grammar, loaded, and the query, compiled for it; both may be used by many threads."""
    if language.grammar is None:
        raise ValueError("it has no grammar")
    grammar = tree_sitter.Language(language.grammar())
    return grammar, tree_sitter.Query(grammar, language.query)


def language_of(path: str) -> Language | None:
    """The language of a file, by its name alone; None where it is not known."""
    name = PurePosixPath(path).name.lower()
    return _by_name.get(name) or _by_suffix.get(PurePosixPath(name).suffix)


def language_called(name: str) -> Language | None:
    """The language of that name."""
    return _languages.get(name)


def _add(language: Language) -> None:
    _languages[language.name] = language
    _by_suffix.update(dict.fromkeys((suffix.lower() for suffix in language.suffixes), language))
    _by_name.update(dict.fromkeys((name.lower() for name in language.names), language))


def _grammar(module: str, function: str = "language") -> Callable[[], object]:
    """Loads a grammar's package only when its first file comes."""

    def load() -> object:
        capsule: object = getattr(import_module(module), function)()
        return capsule

    return load


def _query(*names: str) -> str:
    folder = Path(__file__).parent / "queries"
    return "\n".join((folder / f"{name}.scm").read_text(encoding="utf-8") for name in names)


_BUILT_IN = (
    Language("python", (".py", ".pyi", ".pyw"), _grammar("tree_sitter_python"), _query("python")),
    Language(
        "javascript",
        (".js", ".jsx", ".mjs", ".cjs"),
        _grammar("tree_sitter_javascript"),
        _query("javascript", "javascript_classes", "jsx"),
    ),
    Language(
        "typescript",
        (".ts", ".mts", ".cts"),
        _grammar("tree_sitter_typescript", "language_typescript"),
        _query("javascript", "typescript"),
    ),
    Language(
        "tsx",
        (".tsx",),
        _grammar("tree_sitter_typescript", "language_tsx"),
        _query("javascript", "typescript", "jsx"),
    ),
    Language("svelte", (".svelte",), _grammar("tree_sitter_svelte"), _query("svelte"), kind="markup", component=True),
    Language("html", (".html", ".htm", ".xhtml"), _grammar("tree_sitter_html"), _query("html"), kind="markup"),
    Language("css", (".css",), _grammar("tree_sitter_css"), _query("css"), kind="style", separator=" "),
    Language(
        "markdown",
        (".md", ".markdown", ".mdx"),
        read=read_markdown,
        kind="section",
        separator=" > ",
    ),
    Language("sql", (".sql",), _grammar("tree_sitter_sql"), _query("sql"), kind="query"),
    Language(
        "json",
        (".json", ".jsonc", ".webmanifest"),
        _grammar("tree_sitter_json"),
        _query("json"),
        kind="config",
        names=(".babelrc", ".eslintrc", ".prettierrc"),
    ),
    Language("yaml", (".yaml", ".yml"), read=read_yaml, kind="config"),
    Language("toml", (".toml",), _grammar("tree_sitter_toml"), _query("toml"), kind="config"),
)
# The grammars of Markdown and YAML write behind their buffers where blocks are nested deeply, which kills the process.
for _language in _BUILT_IN:
    _add(_language)
