"""Code out of a model's raw reply: prose around it, fences of any length or none, demonstrations, a cut end."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from agentinfra.core.errors import PatchError
from agentinfra.patching.names import defined_names, parse_python, plain_name
from agentinfra.patching.salvage import salvage

_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")
_PATH = r"[\w./+-]*\w\.[A-Za-z]\w{0,9}"
_HEADING = re.compile(
    rf"[ \t]*(?:\#+[ \t]*|(?i:file(?:name)?|path):?[ \t]*|[-*+][ \t]+)?[*`_\"']*(?P<path>{_PATH})[*`_\"']*:?[ \t]*"
)
_COMMENT = re.compile(
    rf"[ \t]*(?:\#|//|<!--|/\*)[ \t]*(?i:file(?:name)?:|path:)?[ \t]*(?P<path>{_PATH})[ \t]*(?:-->|\*/)?[ \t]*"
)
_INFO = re.compile(rf"(?P<language>[A-Za-z0-9_+#-]*)(?:.*?[\s:={{\"'](?P<path>{_PATH}))?")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A block of code in a reply.

    Attributes:
        language: What the fence says, in lower case; empty without.
        path_hint: A file name in the fence, the line above it or the first comment; empty without. Only a hint: the
            engine, which knows the task's files, decides names.
        text: The code, with "\\n" as line end.
        closed: Whether the block has an end; False where the reply was cut or the end left out.
    """

    language: str
    path_hint: str
    text: str
    closed: bool = True


def code_blocks(text: str) -> list[CodeBlock]:
    """Find the blocks of code in a reply, in order; a reply without any fence is one block by itself."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks = list(_fenced(lines))
    whole = "\n".join(lines).strip("\n")
    return blocks or ([CodeBlock("", _comment_path(whole), whole + "\n")] if whole.strip() else [])


def _fenced(lines: Sequence[str]) -> Iterator[CodeBlock]:
    start, mark, info = -1, "", ""
    for index, line in enumerate(lines):
        fence = _FENCE.fullmatch(line)
        if fence is None:
            continue
        if start < 0:
            start, mark, info = index, fence["mark"], fence["info"].strip()
        elif fence["mark"].startswith(mark) and not fence["info"].strip():
            yield _block(lines, start, index, info)
            start = -1
    if start >= 0:
        yield _block(lines, start, None, info)


def _block(lines: Sequence[str], start: int, end: int | None, info: str) -> CodeBlock:
    text = "\n".join(lines[start + 1 : end]).rstrip("\n") + "\n"
    found = _INFO.match(info)
    language, hint = (found["language"].lower(), found["path"] or "") if found else ("", "")
    above = next((line for line in reversed(lines[max(0, start - 2) : start]) if line.strip()), "")
    heading = _HEADING.fullmatch(above)
    hint = hint or (heading["path"] if heading else "") or _comment_path(text)
    return CodeBlock(language, hint, text, closed=end is not None)


def _comment_path(text: str) -> str:
    found = _COMMENT.fullmatch(text.lstrip("\n").partition("\n")[0])
    return found["path"] if found else ""


def python_source(text: str, symbols: Sequence[str] = ()) -> str:
    """Make one clean Python module of a reply.

    Demonstrations (calls, prints, asserts, loops at module level) are left out, of a cut reply the complete functions
    are kept, and of several versions of a function the last one that is more than a stub.

    Args:
        text: The reply.
        symbols: Names or signatures that must be defined: ``f``, ``f(a)``, ``class C``, ``C.method``. Without any, the
            reply is taken for a whole file and keeps its ``if __name__ == "__main__"``.

    Returns:
        Source that parses.

    Raises:
        PatchError: It holds no Python, or not the wanted symbols; says what was near and what to send again.
    """
    blocks = [block.text for block in code_blocks(text) if block.language in ("", "python", "py", "python3", "pycon")]
    source = salvage(blocks, [plain_name(symbol) for symbol in symbols])
    tree = parse_python(source)
    if tree is None or not tree.body:
        _refuse_empty(blocks)
    defined = defined_names(tree)
    missing = [name for name in map(plain_name, symbols) if not _is_defined(name, defined)]
    if missing:
        _refuse_missing(missing, sorted(defined), blocks)
    return source


def _is_defined(name: str, defined: frozenset[str]) -> bool:
    # A model asked for one method often sends it alone, as a function with self.
    return name in defined or name.rpartition(".")[2] in defined


def _refuse_empty(blocks: Sequence[str]) -> NoReturn:
    raise PatchError(
        "The reply holds no Python code that parses",
        why=next((error for error in map(_syntax_error, blocks) if error), "there is no code block in it"),
        next_step="Send the complete code again in one ```python block",
    )


def _refuse_missing(missing: Sequence[str], defined: Sequence[str], blocks: Sequence[str]) -> NoReturn:
    near = [close for name in missing for close in difflib.get_close_matches(name, defined, n=1)]
    broken = next((error for error in map(_syntax_error, blocks) if error), "")
    why = f"it defines {', '.join(defined) or 'nothing'}"
    why += f"; {', '.join(near)} is near but has another name" if near else ""
    why += f"; a part does not parse: {broken}" if broken else ""
    raise PatchError(
        f"The reply does not define {', '.join(missing)}",
        why=why,
        next_step=f"Send {', '.join(missing)} complete, under exactly this name, in one ```python block",
    )


def _syntax_error(source: str) -> str:
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""
