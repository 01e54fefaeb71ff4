"""What an acceptance example rests on, decided without a model.

An example is *stated* when a text says it, which is taken to mean:

* ``returns``: one clause holds every value of the call and the result, joined by a word such as "gives" or "is" (or by
  "when", "for" … after the result), with no other value in between except alternatives ("a", "b" and "c" give …);
* ``raises``: one clause holds the exception and a value of the call, or a bound that the value breaks ("below 4",
  "negative", "must be above zero"), named for that parameter;
* ``prints``: one block shows the command, then "prints" or an arrow, then exactly this output;
* for all: the clause speaks about the called function, as far as the block says whom it speaks about, and setup other
  than constructing objects is stated in the same block.

What stands apart, or could be read in two ways, is a guess: a wrong test costs more than a missing one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentinfra.spec.bounds import breaks_a_bound
from agentinfra.spec.idea_text import Symbol, read_symbols
from agentinfra.spec.prose import (
    Block,
    Clause,
    Value,
    call_values,
    called_name,
    literal_values,
    parse_call,
    parse_expression,
    read_prose,
)
from agentinfra.spec.relations import is_said_to_be, is_stated_alone, mentions_of
from agentinfra.spec.requirements import Example, Ground

# In "must be "a" or "b", otherwise ValueError" the values that stand there are the good ones.
_DEMAND = re.compile(
    r"\b(?:otherwise|(?<!anything )(?<!something )else|unless|except|but|must|only|needs?|ha(?:s|ve) to|should|fine"
    r"|allowed|(?<!not )valid)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\w+(?=\()")
_NO_RAISE = re.compile(r"\b(?:not|never|without)\s+(?:ever\s+)?rais\w*|n't\s+raise", re.IGNORECASE)
_NOTHING_THERE = re.compile(r"\b(?:empty|nothing|none yet|at first|fresh|new)\b", re.IGNORECASE)
_PRINTS = r"`\s*(?i:then\s+)?(?i:prints?|shows?|outputs?|says|writes?|→|->|=>)\s*:?\s*[`\"“]"


class _Case(NamedTuple):
    """An example, taken apart."""

    example: Example
    call: ast.Call
    values: tuple[Value, ...]
    symbols: tuple[Symbol, ...]

    @property
    def name(self) -> str:
        return called_name(self.call)


def ground(example: Example, idea: str, answers: Sequence[str] = ()) -> Ground:
    """Say what an example rests on.

    Args:
        example: The example; the ground that it carries is not looked at.
        idea: The request, verbatim.
        answers: What people answered to the planner's questions.

    Returns:
        STATED or ANSWERED where idea or answers say it, otherwise GUESSED. For COMPUTED see
        :func:`agentinfra.spec.formula.computed`.
    """
    if _is_stated(example, idea, idea):
        return Ground.STATED
    if any(_is_stated(example, answer, idea) for answer in answers):
        return Ground.ANSWERED
    return Ground.GUESSED


def _is_stated(example: Example, text: str, idea: str) -> bool:
    blocks = read_prose(text)
    if example.expect == "prints":
        return not example.setup and any(_prints(example, block.text) for block in blocks)
    call = parse_call(example.call)
    values = call_values(call) if call else None
    if call is None or values is None:
        return False
    case = _Case(example, call, values, read_symbols(idea))
    return any(_block_states(case, block) for block in blocks if _setup_is_stated(example.setup, block))


def _block_states(case: _Case, block: Block) -> bool:
    clauses = clauses_about(case.name, case.symbols, block)
    if case.example.expect == "raises":
        return any(_raises(case, clause, block) for clause in clauses)
    expression = parse_expression(case.example.value)
    results = literal_values(expression) if expression else None
    if not results or len(results) != 1:
        return False
    if case.values:
        return any(is_said_to_be(case.call, case.values, results[0], clause, block) for clause in clauses)
    return any(_returns_when_empty(case, results[0], clause, block) for clause in clauses)


def clauses_about(name: str, symbols: Sequence[Symbol], block: Block, *, alone: bool = False) -> Iterator[Clause]:
    """The clauses that may speak of a function: those that name it, and those after it that name none.

    Args:
        name: The function.
        symbols: All symbols of the idea.
        block: The block to search.
        alone: Leave out clauses that name other functions as well.
    """
    names = frozenset(symbol.name for symbol in symbols if symbol.kind != "exception")
    owners = frozenset[str]()
    for clause in block.clauses:
        called = _CALLED.findall(block.text, clause.start, clause.end)
        owners = names.intersection(called) or owners
        if not owners or (name in owners and not (alone and len(owners) > 1)):
            yield clause


def _setup_is_stated(setup: Sequence[str], block: Block) -> bool:
    """Whether every value that setup passes stands in the block; what constructors take does not matter."""
    mentions = [mention for clause in block.clauses for mention in clause.mentions]
    return all(
        values is not None and all(any(value.is_in(mention) for mention in mentions) for value in values)
        for values in map(_statement_values, setup)
    )


def _statement_values(statement: str) -> tuple[Value, ...] | None:
    try:
        body = ast.parse(statement).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if all(isinstance(node, ast.Import | ast.ImportFrom) for node in body):
        return ()
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.Expr) or not isinstance(body[0].value, ast.Call):
        return None
    call = body[0].value
    constructs = isinstance(body[0], ast.Assign) and called_name(call)[:1].isupper()
    return () if constructs else call_values(call)


def _returns_when_empty(case: _Case, result: Value, clause: Clause, block: Block) -> bool:
    """A call without arguments is stated where a clause names it and says what it returns when nothing is there."""
    text = block.text[clause.start : clause.end]
    named = re.search(rf"\b{re.escape(case.name)}\(", text)
    if named is None or not _NOTHING_THERE.search(text):
        return False
    hits = [hit for hit in mentions_of(result, clause, block) if hit.start >= clause.start + named.end()]
    return any(is_stated_alone(hit, clause, block) for hit in hits)


def _raises(case: _Case, clause: Clause, block: Block) -> bool:
    text = block.text[clause.start : clause.end]
    raised = re.search(rf"(?<![\w.]){re.escape(case.example.value)}\b", text)
    if raised is None or _NO_RAISE.search(text[: raised.start()]):
        return False
    if breaks_a_bound(case.call, text, case.symbols):
        return True
    hits = [hit for value in _with_numbers(case.values) for hit in mentions_of(value, clause, block)]
    return bool(hits) and not _DEMAND.search(text)


def _with_numbers(values: Sequence[Value]) -> Iterator[Value]:
    """The values, and the numbers that texts such as "-1" spell, for prose that speaks of numbers read from text."""
    for value in values:
        yield value
        try:
            yield Value("number", float(value.value)) if isinstance(value.value, str) else value
        except ValueError:
            continue


def _prints(example: Example, text: str) -> bool:
    shown = re.escape(example.value.rstrip("\n"))
    command = rf"`{re.escape(example.call)}{_PRINTS}{shown}[`\"”](?!\s*,?\s*or\b)"
    return bool(example.value.strip()) and re.search(command, text) is not None
