"""Names that stand in the text of an idea: files, functions, classes, methods, exceptions. No model, no guesses."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from agentinfra.spec.prose import Block, Clause, closing_parenthesis, read_prose

_SOURCES = "pyi?|html?|css|m?jsx?|tsx?|vue|svelte|sql|toml|ya?ml|sh"
_FILE = re.compile(rf"(?<![\w/.\\:-])(?:[\w-]+/)*+[\w-]+\.(?:{_SOURCES})\b(?![\w(/])")
_PACKAGE = re.compile(r"\bpackage\s+`?(?P<name>[a-z_]\w*)\b", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"(?P<word>\b(?i:class)\s+`?|(?<=`)class\s+)?(?<![\w./])(?P<name>[A-Za-z_]\w*(?:\.[a-z_]\w*)?)\("
)
_EXCEPTION = re.compile(r"(?<![\w.])`?(?P<name>[A-Z]\w*(?:Error|Exception))\b(?![\w(.])")
_CAMEL = re.compile(r"`(?P<name>[A-Z]\w*[a-z]\w*)`")
_BASE = re.compile(
    r"(?:subclass(?:es)?|derived|child|kind|inherit\w*)\s+(?:of|from)\s+`?(?P<base>[A-Z]\w*|it)\b", re.IGNORECASE
)
_EXCEPTION_WORD = re.compile(r"\b(?:exceptions?|subclass(?:es)?)\b", re.IGNORECASE)
_PLURALS = frozenset({"s", "es", "n", "en", "e"})
_FUNCTION_WORD = re.compile(r"\bfunctions?\b", re.IGNORECASE)
_METHOD_WORD = re.compile(r"\bmethods?\b", re.IGNORECASE)

SymbolKind = Literal["function", "class", "method", "exception"]


class Symbol(NamedTuple):
    """A name that the idea asks for.

    Attributes:
        kind: What it is.
        name: Its own name.
        owner: The class of a method.
        parameters: Names of its parameters.
        signature: As a requirement states it: ``f(a)``, ``class C(a)``, ``C.m(a)``, ``class E(Exception)``.
        block: Index of the block that first gives the signature.
        start: Place of the signature in that block.
    """

    kind: SymbolKind
    name: str
    owner: str
    parameters: tuple[str, ...]
    signature: str
    block: int
    start: int


class Segment(NamedTuple):
    """What an idea says about one symbol.

    Attributes:
        symbol: Its signature.
        file: The file it belongs to; empty where the idea does not say.
        text: The sentences about it, verbatim.
        shared: The paragraphs that speak of no function in particular and so hold for all, verbatim.
    """

    symbol: str
    file: str
    text: str
    shared: str


def find_files(idea: str) -> tuple[str, ...]:
    """Find the source files that an idea names, in order; data files and placeholders in capitals are left out."""
    found = [path for block in read_prose(idea) for _, path in _files(block)]
    return tuple(dict.fromkeys(found))


def _files(block: Block) -> Iterator[tuple[int, str]]:
    for found in _FILE.finditer(block.text):
        path = found[0]
        if path.rpartition("/")[2].partition(".")[0].isupper():
            continue
        package = _PACKAGE.search(block.text, 0, found.start())
        inside = package and "/" not in path and not re.search(rf"\b{package['name']}/", block.text)
        yield found.start(), f"{package['name']}/{path}" if package and inside else path


def find_symbols(idea: str) -> tuple[str, ...]:
    """Find the signatures that an idea states, in order.

    Returns:
        Functions as ``f(a, b)``, classes as ``class C(a)``, methods as ``C.m(a)``, exceptions as ``class E(Base)``.
    """
    return tuple(symbol.signature for symbol in read_symbols(idea))


@lru_cache(maxsize=64)
def read_symbols(idea: str) -> tuple[Symbol, ...]:
    """Find the symbols that an idea states, with their places; each name once, at its first mention."""
    found: dict[tuple[str, str], Symbol] = {}
    reader = _OwnerReader()
    for index, block in enumerate(read_prose(idea)):
        reader.open_block(block)
        for symbol in sorted(_symbols(block, index), key=lambda symbol: symbol.start):
            placed = reader.place(symbol)
            if _is_news(placed, found.values()):
                found[placed.owner, placed.name] = placed
    return tuple(found.values())


def _is_news(symbol: Symbol, known: Iterable[Symbol]) -> bool:
    """Whether a mention tells more than those before: a new name, or the parameters of one that stood without."""
    same = [other for other in known if other.name == symbol.name]
    if not same or not symbol.parameters:
        return not same
    return all(other.owner != symbol.owner or not other.parameters for other in same)


class _OwnerReader:
    """Tells methods from functions: what follows a class belongs to it until a file or the word "function" comes."""

    def __init__(self) -> None:
        self.last_class = ""
        self.owner = ""
        self.text = ""
        self.files: list[int] = []
        self.position = 0

    def open_block(self, block: Block) -> None:
        self._pass_over(len(self.text))
        self.text, self.files, self.position = block.text, [start for start, _ in _files(block)], 0

    def place(self, symbol: Symbol) -> Symbol:
        self._pass_over(symbol.start)
        if symbol.kind == "class":
            self.last_class = self.owner = symbol.name
        if symbol.kind != "function" or not self.owner:
            return symbol
        return symbol._replace(kind="method", owner=self.owner, signature=f"{self.owner}.{symbol.signature}")

    def _pass_over(self, end: int) -> None:
        between = self.text[self.position : end]
        if _FUNCTION_WORD.search(between) or any(self.position <= start < end for start in self.files):
            self.owner = ""
        elif _METHOD_WORD.search(between):
            self.owner = self.last_class
        self.position = end


def _symbols(block: Block, index: int) -> Iterator[Symbol]:
    signatures = list(_signatures(block, index))
    yield from signatures
    raised = [symbol.name for symbol in signatures if symbol.kind == "exception"]
    for clause in block.clauses:
        yield from _bare_exceptions(block, clause, index, raised)


def _signatures(block: Block, index: int) -> Iterator[Symbol]:
    for found in _SIGNATURE.finditer(block.text):
        end = closing_parenthesis(block.text, found.end())
        inside = block.text[found.end() : end - 1] if end else "?"
        parameters = _parameters(inside)
        if parameters is not None and not _is_prose(block.text, found, inside):
            yield _symbol(found["name"], inside, parameters, bool(found["word"]), (index, found.start("name")))


def _is_prose(text: str, found: re.Match[str], inside: str) -> bool:
    """Whether what looks like a signature is none that the idea asks for: "item(s)", print(), json.dumps(x)."""
    in_code = text.count("`", 0, found.start("name")) % 2 == 1
    plural = inside in _PLURALS and not in_code
    return plural or "." in found["name"] or (hasattr(builtins, found["name"]) and not inside)


def _parameters(inside: str) -> tuple[str, ...] | None:
    try:
        parsed = ast.parse(f"def f({inside}): pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if len(parsed) != 1 or not isinstance(parsed[0], ast.FunctionDef):
        return None
    arguments = parsed[0].args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return tuple(argument.arg for argument in named)


def _symbol(name: str, inside: str, parameters: tuple[str, ...], said: bool, place: tuple[int, int]) -> Symbol:
    inside = " ".join(inside.split())
    is_base = len(parameters) == 1 and parameters[0][0].isupper()
    if is_base and (name.endswith(("Error", "Exception")) or parameters[0].endswith(("Error", "Exception"))):
        return Symbol("exception", name, "", (), f"class {name}({inside})", *place)
    if said or (name[0].isupper() and not name.isupper()):
        return Symbol("class", name, "", parameters, f"class {name}({inside})", *place)
    return Symbol("function", name, "", parameters, f"{name}({inside})", *place)


def _bare_exceptions(block: Block, clause: Clause, index: int, raised: Sequence[str]) -> Iterator[Symbol]:
    """Exceptions named without parentheses, such as "an exception `Full`, a subclass of `StoreError`"."""
    span = (block.text, clause.start, clause.end)
    names = list(_EXCEPTION.finditer(*span))
    if _EXCEPTION_WORD.search(*span):
        names += _CAMEL.finditer(*span)
    base = _BASE.search(*span)
    parent = base["base"] if base else "Exception"
    parent = (raised[0] if raised else "Exception") if parent.lower() == "it" else parent
    for found in names:
        name = found["name"]
        if not hasattr(builtins, name) and name not in (*raised, parent):
            yield Symbol("exception", name, "", (), f"class {name}({parent})", index, found.start("name"))


def split_requirements(idea: str) -> tuple[Segment, ...]:
    """Cut an idea into what it says about each of its symbols.

    Returns:
        One segment a symbol, in order; empty where the idea states no signature.
    """
    blocks = read_prose(idea)
    symbols = read_symbols(idea)
    about_one = {symbol.block for symbol in symbols if symbol.kind in ("function", "method")}
    shared = "\n\n".join(
        [
            *(block.text.strip() for index, block in enumerate(blocks) if index not in about_one),
            *(
                _own_text(s, symbols, blocks[s.block])
                for s in symbols
                if s.kind == "exception" and s.block in about_one
            ),
        ]
    )
    return tuple(
        Segment(symbol.signature, _file_of(symbol, blocks), _text_about(symbol, symbols, blocks), shared)
        for symbol in symbols
    )


def _file_of(symbol: Symbol, blocks: Sequence[Block]) -> str:
    places = [(index, start, path) for index, block in enumerate(blocks) for start, path in _files(block)]
    before = [path for index, start, path in places if (index, start) < (symbol.block, symbol.start)]
    # "`f(a)` in `x.py` and `g(a)` in `y.py`" names the file afterwards; with one file in all, order says nothing.
    named = list(dict.fromkeys(path for _, _, path in places))
    return named[0] if len(named) == 1 else (before[-1] if before else "")


def _text_about(symbol: Symbol, symbols: Sequence[Symbol], blocks: Sequence[Block]) -> str:
    own = _own_text(symbol, symbols, blocks[symbol.block])
    mention = re.compile(rf"(?<![\w.]){re.escape(symbol.name)}\b\(?|`{re.escape(symbol.name)}`")
    elsewhere = [
        block.text[clause.start : clause.end].strip()
        for index, block in enumerate(blocks)
        for clause in block.clauses
        if index != symbol.block and _is_code_mention(mention, block.text[clause.start : clause.end])
    ]
    return "\n\n".join([own, *elsewhere])


def _is_code_mention(mention: re.Pattern[str], text: str) -> bool:
    return any(found[0].endswith(("(", "`")) for found in mention.finditer(text))


def _own_text(symbol: Symbol, symbols: Sequence[Symbol], block: Block) -> str:
    """From the beginning of the clause that gives the signature up to where the next symbol's text begins."""
    beginnings = [_beginning(other, symbols, block) for other in symbols if other.block == symbol.block]
    start = _beginning(symbol, symbols, block)
    end = min((other for other in beginnings if other > start), default=len(block.text))
    return block.text[start:end].strip()


def _beginning(symbol: Symbol, symbols: Sequence[Symbol], block: Block) -> int:
    clause = max((c.start for c in block.clauses if c.start <= symbol.start), default=0)
    earlier = any(other.block == symbol.block and clause <= other.start < symbol.start for other in symbols)
    return symbol.start - (block.text[symbol.start - 1 : symbol.start] == "`") if earlier else clause
