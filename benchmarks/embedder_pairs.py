"""Pairs of a sentence and the function that it describes, out of Python, TypeScript and JavaScript sources. Pure."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

LEAST_LINES, LEAST_WORDS, MOST_SENTENCE, MOST_BODY = 4, 4, 300, 3000
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s|\n\s*\n")
_MARKUP = re.compile(r":\w+:`~?\.?|\{@\w+\s+|[`{}*|]+|<[^>]{1,40}>")
_FUNCTIONS = {"function_declaration", "generator_function_declaration", "method_definition", "class_declaration"}
_DECLARATIONS = {
    "lexical_declaration",
    "variable_declaration",
    "public_field_definition",
    "field_definition",
    "pair",
} | {"expression_statement"}
_COMMENT_START = re.compile(rb"/\*\*\s")
_COMMENT = re.compile(r"/\*\*.*?\*/\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pair:
    """What is said of a function, and the function without its documentation."""

    sentence: str
    body: str

    @property
    def key(self) -> str:
        """The same for bodies that differ in white space alone."""
        return "".join(self.body.split())


def python_pairs(source: str) -> Iterator[Pair]:
    """The documented functions and methods of a Python file; nothing where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's escapes
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = source.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(node.body) > 1:
            yield from _pair(ast.get_docstring(node) or "", _without_docstring(node, lines))


def _without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    said = node.body[0]
    kept = lines[node.lineno - 1 : said.lineno - 1] + lines[said.end_lineno or said.lineno : node.end_lineno]
    return "\n".join(kept)


def script_pairs(source: bytes, *, typescript: bool) -> Iterator[Pair]:
    """The functions, methods and classes of a TypeScript or JavaScript file that a JSDoc comment stands before."""
    root = _parser(typescript=typescript).parse(source).root_node
    starts = [match.start() for match in _COMMENT_START.finditer(source)]
    for comment, node in _documented(root, starts):
        yield from _pair(_said(_text(comment)), _COMMENT.sub("", _text(node)))


@cache
def _parser(*, typescript: bool) -> Parser:
    return Parser(
        Language(tree_sitter_typescript.language_typescript() if typescript else tree_sitter_javascript.language())
    )


def _documented(root: Node, starts: list[int]) -> Iterator[tuple[Node, Node]]:
    """Each comment with the function after it; only what holds a comment is looked into."""
    stack = [root]
    while stack:
        children = stack.pop().named_children
        for comment, node in pairwise(children):
            if comment.type == "comment" and _is_function(node):
                yield comment, node
        stack += [
            node for node in children if bisect_left(starts, node.start_byte) < bisect_left(starts, node.end_byte)
        ]


def _is_function(node: Node) -> bool:
    """Whether the node is a function or class, or declares one."""
    declared = node.child_by_field_name("declaration") if node.type == "export_statement" else node
    if declared is None or declared.type in _FUNCTIONS:
        return declared is not None
    holds = b"=>" in (node.text or b"") or b"function" in (node.text or b"")
    return declared.type in _DECLARATIONS and holds


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _said(comment: str) -> str:
    lines = (line.strip().lstrip("*").strip() for line in comment.removeprefix("/**").removesuffix("*/").splitlines())
    said = "\n".join(lines)
    described = re.search(r"@(?:description|desc|summary|classdesc)\s+", said)
    return re.split(r"^@", said[described.end() :] if described else said, maxsplit=1, flags=re.MULTILINE)[0]


def _pair(documentation: str, body: str) -> Iterator[Pair]:
    first = _SENTENCE_END.split(documentation.strip(), maxsplit=1)[0]
    sentence = " ".join(_MARKUP.sub(" ", first).split())[:MOST_SENTENCE]
    lines = [line for line in body.splitlines() if line.strip()]
    if len(sentence.split()) >= LEAST_WORDS and len(lines) >= LEAST_LINES and sentence.isascii():
        yield Pair(sentence, body[:MOST_BODY])
