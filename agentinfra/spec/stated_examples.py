"""Examples that an idea states outright ("5 gives 0", "f(1) is 2", "an empty text raises ValueError").

Only what can be read in one way is taken, and only for functions of one parameter unless the call is written out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from agentinfra.spec.grounding import clauses_about, ground
from agentinfra.spec.idea_text import Symbol, read_symbols
from agentinfra.spec.prose import Block, Clause, Mention, parse_call, read_prose
from agentinfra.spec.requirements import Example, Ground

_GIVES = re.compile(
    r"`?\s*,?\s*(?:→|->|=>|⇒|==?|(?:should\s+)?(?:is|are|gives?|becomes?|returns?|yields?|makes?|means|equals?))"
    r"\s*`?(?:an?\s+|the\s+)?",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"(?:^|[,:(—–.;]|\b(?:so|and|thus|hence|e\.g\.|i\.e\.|example|instance|while|but|then|because|or))"
    r"\s*`?(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"`?\s*(?:[.,;:)!]|$|(?:and|but|while|so|because)\b)", re.IGNORECASE)
_RAISES = re.compile(r"(?:raises?|throws?|is an?|:|→|->)\s+`?(?P<error>[A-Z]\w*(?:Error|Exception))\b")
_NEGATIVE = re.compile(r"\bnegative\b", re.IGNORECASE)
_EMPTY_VALUES = {"list": "[]", "tuple": "()", "dict": "{}", "dictionary": "{}"}


def find_examples(idea: str) -> tuple[Example, ...]:
    """Find the examples that an idea states for its functions, in order, each with ground STATED."""
    functions = [symbol for symbol in read_symbols(idea) if symbol.kind == "function"]
    found = [_with_imports(example, idea) for function in functions for example in _examples_of(function, idea)]
    return tuple(dict.fromkeys(example for example in found if example and ground(example, idea) is Ground.STATED))


def _with_imports(example: Example, idea: str) -> Example | None:
    """Import what the call constructs from the modules that the idea names; None where it does not name one."""
    call = parse_call(example.call)
    inner = [node for node in ast.walk(call) if isinstance(node, ast.Call) and node is not call] if call else []
    imports: list[str] = []
    for name in dict.fromkeys(ast.unparse(node.func) for node in inner):
        module = re.search(rf"(?<![\w.])(?P<name>[a-z]\w*(?:\.[a-z]\w*)*)\.{re.escape(name)}\b", idea)
        if module is None:
            return None
        imports.append(f"from {module['name']} import {name}")
    return replace(example, setup=tuple(imports))


def _examples_of(function: Symbol, idea: str) -> Iterator[Example]:
    places = [
        (clause, block)
        for index, block in enumerate(read_prose(idea))
        if index == function.block or f"{function.name}(" in block.text
        for clause in clauses_about(function.name, read_symbols(idea), block, alone=True)
    ]
    returned = [example for clause, block in places for example in _returned(function, clause, block)]
    yield from returned
    takes_numbers = any(re.fullmatch(r"\w+\(-?[\d.]+\)", example.call) for example in returned)
    if len(function.parameters) == 1:
        for clause, block in places:
            yield from _raised(function, clause, block, takes_numbers)


def _returned(function: Symbol, clause: Clause, block: Block) -> Iterator[Example]:
    for mention, result in pairwise(clause.mentions):
        call, value = _call(function, mention, block), _source(result, block)
        begins = _BEGINS.search(block.text[clause.start : mention.start])
        gives = _GIVES.fullmatch(block.text, mention.end, result.start)
        if call and value and begins and gives and _ENDS.match(block.text, result.end, clause.end):
            yield Example(call, "returns", value, ground=Ground.STATED)


def _raised(function: Symbol, clause: Clause, block: Block, takes_numbers: bool) -> Iterator[Example]:
    error = _RAISES.search(block.text, clause.start, clause.end)
    if error is None:
        return
    for mention in clause.mentions:
        call = _call(function, mention, block)
        if call and mention.end <= error.start() and (takes_numbers or mention.kind != "number"):
            yield Example(call, "raises", error["error"], ground=Ground.STATED)
    if takes_numbers and _NEGATIVE.search(block.text, clause.start, error.start()):
        yield Example(f"{function.name}(-1)", "raises", error["error"], ground=Ground.STATED)


def _call(function: Symbol, mention: Mention, block: Block) -> str:
    """The call that a mention stands for: written out, or the value as the only argument; "" where it is neither."""
    if mention.kind == "call":
        source = block.text[mention.start : mention.end]
        call = parse_call(source)
        return source if call and source.startswith(f"{function.name}(") else ""
    value = _source(mention, block)
    return f"{function.name}({value})" if value and len(function.parameters) == 1 else ""


def _source(mention: Mention, block: Block) -> str:
    """A mentioned value as program text; "" where the words leave open which value it is."""
    if mention.kind == "call":
        return ""
    if mention.kind != "empty":
        return repr(mention.value) if mention.kind != "text" else _quoted(str(mention.value))
    noun = block.text[mention.start : mention.end].split()[-1].lower()
    return '""' if mention.value == "string" else _EMPTY_VALUES.get(noun, "")


def _quoted(text: str) -> str:
    """A string literal with double quotes where that needs no escapes."""
    return f'"{text}"' if repr(text) == f"'{text}'" and '"' not in text else repr(text)
