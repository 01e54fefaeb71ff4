"""Reads a file with a language's grammar and query."""

from __future__ import annotations

import re
import time
from functools import cache, lru_cache

import tree_sitter

from agentinfra.memory.chunk import ReferenceKind
from agentinfra.memory.parsing.languages import Language, grammar_and_query, language_called
from agentinfra.memory.parsing.source import Source
from agentinfra.memory.parsing.syntax import Defined, Syntax, Used

MAX_SECONDS = 2.0
"""Processor time that parsing one file may take; a grammar's search through broken syntax can take hours."""
MAX_WIDTH = 3000
"""Punctuation marks under one broken node; a query's time grows with their square."""
MAX_DEPTH = 5000
"""Levels of a tree that are looked at; queries lose count, and time, far below."""
BLOCK = 8192
"""Bytes handed to a parser at once; a query's predicates ask for each text anew, too."""
MAX_SIGNATURE = 300
"""Characters of a signature that are kept."""
_KEPT_NAMES = 1 << 12
_DOTTED = re.compile(r"[\w$#]+(?:\.[\w$#]+)*")
_LAST_NAME = re.compile(r"[\w$]+\Z")
_WORD_OR_MARK = bytes(byte > 127 or chr(byte).isalnum() or chr(byte) in "_\"'`" for byte in range(256))
"""For each byte whether it may begin something that has a name in a tree: 1, or 0 for a mere mark or blank."""
_KINDS: dict[str, ReferenceKind] = {"call": "call", "import": "import"}
Captured = dict[str, list[tree_sitter.Node]]


class TooHard(Exception):
    """A file whose parsing would take too long."""


def read_tags(language: Language, source: Source) -> Syntax:
    """Parses a file, and the stretches of other languages in it.

    Args:
        language: What it is written in; nothing is understood of one without a grammar.
        source: What stands in it; broken syntax leaves gaps in what is understood.

    Raises:
        TooHard: Parsing it would take too long; nothing is understood then.
    """
    if language.grammar is None or bytes(MAX_WIDTH) in source.data.translate(_WORD_OR_MARK):
        raise TooHard
    reader = _Reader(source.data)
    reader.read(language, None)
    while reader.embedded:
        name, ranges = reader.embedded.popitem()
        inner = language_called(name)
        if inner is not None and inner is not language:
            reader.read(inner, ranges)
    return reader.syntax


class _Reader:
    """Fills a Syntax from the matches of queries."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.syntax = Syntax()
        self.embedded: dict[str, list[tree_sitter.Range]] = {}

    def read(self, language: Language, ranges: list[tree_sitter.Range] | None) -> None:
        grammar, query = grammar_and_query(language)
        tree = _parse(tree_sitter.Parser(grammar, included_ranges=ranges), self.data)
        self.syntax.trees.append(tree)  # nodes do not keep it alive in every version of the binding
        cursor = tree_sitter.QueryCursor(query)
        cursor.set_max_start_depth(MAX_DEPTH)
        for _, captured in cursor.matches(tree.root_node):
            for capture, nodes in captured.items():
                role, kind = _role_and_kind(capture)
                if role == "reference":
                    self._use(kind, nodes[0], captured)
                elif kind:
                    self._tagged(role, kind, nodes[0], captured)
                elif role == "doc":
                    self._document(nodes)

    def _tagged(self, role: str, kind: str, node: tree_sitter.Node, captured: Captured) -> None:
        match role:
            case "definition":
                self._define(kind, node, captured)
            case "heading":
                name = _name(self._text(captured["name"][0])) if "name" in captured else ""
                self.syntax.headings.append((int(kind), name, node.start_point.row, node.start_byte))
            case "embedded":
                self.embedded.setdefault(kind, []).append(node.range)
            case _:
                pass  # a capture that only the query itself needs

    def _document(self, nodes: list[tree_sitter.Node]) -> None:
        for node in nodes:
            start, end = node.start_point, node.end_point
            end_row = end.row if end.column else end.row - 1
            known = self.syntax.docs.get(end_row)
            if known is None or known > (start.row, start.column):
                self.syntax.docs[end_row] = (start.row, start.column)

    def _define(self, kind: str, node: tree_sitter.Node, captured: Captured) -> None:
        start, end = node.start_byte, node.end_byte
        last = node.end_point
        body = captured.get("body")
        if body:
            head = self.data[start : max(start, body[0].start_byte)]
        else:
            head = self.data[start : min(end, start + 4 * MAX_SIGNATURE)].lstrip().split(b"\n", 1)[0]
        signature = _signature(head)
        name = _name(self._text(captured["name"][0])) if "name" in captured else signature
        end_row = last.row + 1 if last.column else last.row
        self.syntax.defined.append(Defined(kind, name, start, end, node.start_point.row, end_row, signature))

    def _use(self, kind: str, node: tree_sitter.Node, captured: Captured) -> None:
        name = captured["name"][0] if "name" in captured else node
        if kind == "import":
            text = self._text(name)
            if "module" in captured:
                start = self._text(captured["module"][0])
                text = f"{start}{text}" if start.endswith(".") else f"{start}.{text}"
        else:
            text = _plain(self.data[name.start_byte : name.end_byte])
        if text:
            self.syntax.used.append(Used(text, _KINDS.get(kind, "name"), name.start_point.row))

    def _text(self, node: tree_sitter.Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode(errors="replace")


@cache
def _role_and_kind(capture: str) -> tuple[str, str]:
    role, _, kind = capture.partition(".")
    return role, kind


@lru_cache(_KEPT_NAMES)
def _plain(name: bytes) -> str:
    """A called or used name: dotted where it is nothing but names, its last part where more stands before it."""
    text = name.decode(errors="replace")
    if _DOTTED.fullmatch(text):
        return text
    text = text.replace("?.", ".")
    if _DOTTED.fullmatch(text):
        return text
    last = _LAST_NAME.search(text)
    return last[0] if last else ""


def _name(text: str) -> str:
    """What a definition is called: on one line, without quotes about it."""
    line = " ".join(text.split())[:MAX_SIGNATURE]
    return line.strip(line[0]) if line[:1] in {"'", '"', "`"} else line


def _signature(head: bytes) -> str:
    text = " ".join(head.decode(errors="replace").split())
    return text.removesuffix("=>").rstrip(" :{=")[:MAX_SIGNATURE]


def _parse(parser: tree_sitter.Parser, data: bytes) -> tree_sitter.Tree:
    """The tree, within the limits; the query's own way to be stopped crashes in tree-sitter 0.26."""
    limit = time.thread_time() + MAX_SECONDS

    def too_long(_offset: int, broken: bool) -> bool:
        return broken and time.thread_time() > limit  # what is whole takes as long as it is

    try:
        tree = parser.parse(lambda start, _: data[start : start + BLOCK], progress_callback=too_long)
    except ValueError as error:  # all that the binding says of a parse that was stopped
        raise TooHard from error
    if tree.root_node.has_error and _too_wide(tree.root_node):
        raise TooHard
    return tree


def _too_wide(root: tree_sitter.Node) -> bool:
    broken = [root]
    while broken:
        node = broken.pop()
        if node.child_count - node.named_child_count > MAX_WIDTH:
            return True
        broken += (child for child in node.children if child.has_error)
    return False
