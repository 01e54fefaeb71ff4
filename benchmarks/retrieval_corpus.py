"""Questions with known answers: what a function's documentation says of it, and the function without it. Pure.

The corpus is every function or method of at least four lines that are not blank, its documentation cut out, each once.
A question is the first sentence of a documentation, if no other function has the same; the answer is its function.
"""

from __future__ import annotations

import ast
import random
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

LEAST_LINES, LEAST_WORDS, MOST_CHARACTERS = 4, 5, 300
SEED = 7
MOST_QUESTIONS = 2000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\s*\n")
_FUNCTIONS = ("function_declaration", "generator_function_declaration", "method_definition")
_VALUES = ("arrow_function", "function_expression", "generator_function")
_HOLDERS = ("variable_declarator", "public_field_definition")
_LINK = re.compile(r"\{@\w+\s+([^}|]*)[^}]*\}")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the corpus.

    Attributes:
        path: The file it is from.
        symbol: Its name, its class's before it.
        text: Its lines without its documentation.
        said: The first sentence of its documentation; "" for none.
    """

    path: str
    symbol: str
    text: str
    said: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the places in the corpus that answer it."""

    text: str
    answers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A corpus with its questions, shuffled: weights are chosen on the first half and reported on the second."""

    name: str
    functions: list[Function]
    questions: list[Question]


def evaluation(name: str, found: Iterable[Function], most: int = MOST_QUESTIONS) -> Evaluation:
    """The corpus of all functions, each once, and its questions.

    Args:
        name: For the table.
        found: All functions, in a fixed order.
        most: How many questions at most.
    """
    functions = list({"".join(each.text.split()): each for each in reversed(list(found))}.values())[::-1]
    times = Counter(each.said for each in functions)
    questions = [
        Question(each.said, frozenset((place,)))
        for place, each in enumerate(functions)
        if len(each.said.split()) >= LEAST_WORDS and times[each.said] == 1
    ]
    random.Random(SEED).shuffle(questions)
    return Evaluation(name, functions, questions[:most])


def python_functions(path: str, source: str) -> Iterator[Function]:
    """The functions of a Python file; none where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's escapes
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = source.splitlines()
    for node, symbol in _definitions(tree, ""):
        yield from _long_enough(path, symbol, *_apart(node, lines))


def _definitions(node: ast.AST, around: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for child in ast.iter_child_nodes(node):
        inside = around
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{around}.{child.name}".lstrip(".")
            if not isinstance(child, ast.ClassDef):
                yield child, inside
        yield from _definitions(child, inside)


def _apart(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> tuple[str, str]:
    """A function's text and its documentation; no text where they cannot be told apart by lines."""
    said, first = ast.get_docstring(node), node.body[0]
    if said is None:
        return "\n".join(lines[node.lineno - 1 : node.end_lineno]), ""
    if len(node.body) == 1 or first.lineno == node.lineno:
        return "", ""
    return "\n".join(lines[node.lineno - 1 : first.lineno - 1] + lines[first.end_lineno : node.end_lineno]), said


def typescript_functions(path: str, source: bytes) -> Iterator[Function]:
    """The functions, methods and arrow functions with a name of a TypeScript file."""
    for node, symbol in _named(_parser().parse(source).root_node, ""):
        yield from _long_enough(path, symbol, _text(node), _documentation(node))


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_typescript.language_typescript()))


def _named(node: Node, around: str) -> Iterator[tuple[Node, str]]:
    for child in node.named_children:
        inside, name = around, child.child_by_field_name("name")
        if name is not None and (_is_function(child) or child.type.endswith("class_declaration")):
            inside = f"{around}.{_text(name)}".lstrip(".")
            if _is_function(child):
                yield child, inside
        yield from _named(child, inside)


def _is_function(node: Node) -> bool:
    value = node.child_by_field_name("value") if node.type in _HOLDERS else None
    return node.type in _FUNCTIONS or (value is not None and value.type in _VALUES)


def _documentation(node: Node) -> str:
    """What the JSDoc comment right before a function says, up to its first tag."""
    while node.parent is not None and node.parent.type in ("export_statement", "lexical_declaration"):
        node = node.parent
    before = node.prev_named_sibling
    while before is not None and before.type == "decorator":
        before = before.prev_named_sibling
    comment = _text(before) if before is not None and before.type == "comment" else ""
    if not comment.startswith("/**"):
        return ""
    lines = (line.strip().lstrip("*").strip() for line in comment[3:-2].splitlines())
    return re.split(r"^@", "\n".join(lines).strip(), maxsplit=1, flags=re.MULTILINE)[0]


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _long_enough(path: str, symbol: str, text: str, said: str) -> Iterator[Function]:
    if sum(not line.isspace() and line != "" for line in text.splitlines()) >= LEAST_LINES:
        sentence = _SENTENCE_END.split(_LINK.sub(r"\1", said).strip(), maxsplit=1)[0]
        yield Function(path, symbol, text, " ".join(sentence.split())[:MOST_CHARACTERS])
