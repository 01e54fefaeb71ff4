"""JSON whose values know the line that they stand on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from agentinfra.core.errors import SpecError
from agentinfra.spec.imports.source_text import broken

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+')
_KINDS = {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false", "NoneType": "null"}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a file, and the line that it begins on."""

    file: str
    line: int
    value: dict[str, Node] | list[Node] | str | float | bool | None

    @property
    def fields(self) -> dict[str, Node]:
        """The values of an object by their keys.

        Raises:
            SpecError: It is none.
        """
        if isinstance(self.value, dict):
            return self.value
        raise self._is_not("an object")

    @property
    def items(self) -> list[Node]:
        """The values of a list.

        Raises:
            SpecError: It is none.
        """
        if isinstance(self.value, list):
            return self.value
        raise self._is_not("a list")

    @property
    def text(self) -> str:
        """The text.

        Raises:
            SpecError: It is something else.
        """
        if isinstance(self.value, str):
            return self.value
        raise self._is_not("text")

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: null, "", [] or {}."""
        return self.value is None or self.value == "" or self.value in ([], {})

    @property
    def plain(self) -> Any:
        """The value without lines, as ``json.loads`` gives it."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.fields.items()}
        return [node.plain for node in self.items] if isinstance(self.value, list) else self.value

    @property
    def shown(self) -> str:
        """Text as it is, everything else as JSON on one line."""
        return self.value if isinstance(self.value, str) else json.dumps(self.plain, ensure_ascii=False)

    def wrong(self, why: str, next_step: str) -> SpecError:
        """The error for a value that cannot be used."""
        return broken(self.file, self.line, why, next_step)

    def _is_not(self, wanted: str) -> SpecError:
        found = _KINDS.get(type(self.value).__name__, "a number")
        return self.wrong(f"there is {found} where {wanted} belongs", f"Write {wanted} there")


def read_json(text: str, file: str) -> Node:
    """Read JSON.

    Raises:
        SpecError: It is none, holds half characters, or says a key twice; the message names the line.
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        next_step = "Correct it, or take a copy that is whole"
        raise broken(file, error.lineno, f"{error.msg} (column {error.colno})", next_step) from error
    except RecursionError as error:
        raise broken(file, 1, "values are nested too deeply", "Import a part of it") from error
    except ValueError as error:
        raise broken(file, 1, str(error), "Correct the number") from error
    return _Builder(file).build(text)


class _Builder:
    """Puts the tokens of sound JSON together, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.open: list[Node] = []
        self.keys: list[Node | None] = []
        self.done = Node(file, 1, None)

    def build(self, text: str) -> Node:
        line, end = 1, 0
        for token in _TOKEN.finditer(text):
            line += text.count("\n", end, token.start())
            end = token.start()
            self._take(token[0], line)
        return self.done

    def _take(self, piece: str, line: int) -> None:
        if piece in "{[":
            self.open.append(Node(self.file, line, {} if piece == "{" else []))
            self.keys.append(None)
        elif piece in "}]":
            self.keys.pop()
            self._put(self.open.pop())
        elif piece not in ",:":
            self._put(self._leaf(piece, line))

    def _leaf(self, piece: str, line: int) -> Node:
        leaf = Node(self.file, line, json.loads(piece))
        if isinstance(leaf.value, str) and not leaf.value.isascii() and re.search("[\ud800-\udfff]", leaf.value):
            raise leaf.wrong("half of a character stands there", "Correct the \\u escapes")
        return leaf

    def _put(self, node: Node) -> None:
        holder = self.open[-1] if self.open else None
        if holder is None:
            self.done = node
        elif isinstance(holder.value, list):
            holder.value.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            self._set(key, node)

    def _set(self, key: Node, node: Node) -> None:
        fields = self.open[-1].fields
        if key.text in fields:
            raise key.wrong(f"the key {key.text!r} is there twice", "Take one of them out")
        fields[key.text] = node
        self.keys[-1] = None
