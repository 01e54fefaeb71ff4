"""Files become chunks, definitions and references, whatever stands in them."""

import json
import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.memory.parsing.chunking import TARGET
from agentinfra.memory.parsing.outline import LARGE
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.parsing.source import read_source

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
SUFFIXES = [
    "py",
    "ts",
    "tsx",
    "js",
    "jsx",
    "svelte",
    "html",
    "css",
    "md",
    "sql",
    "json",
    "yaml",
    "toml",
    "ipynb",
    "txt",
]
BITS = [
    *(
        "def f(a):\n",
        "class A:\n",
        "    return g(a)\n",
        "@d\n",
        "# note\n",
        "function f(a) {",
        "}\n",
        "const x = () => 1\n",
    ),
    *(
        "<script>",
        "</script>",
        "<div id='a'>",
        "<style>",
        "a { b: c }\n",
        "# Title\n",
        "---\n",
        "- x\n",
        "key: value\n",
    ),
    *(
        '{"a": [1]}',
        "[table]\n",
        "SELECT a FROM b;\n",
        "CREATE TABLE t (a int);\n",
        "```\n",
        '"""',
        "'",
        "`",
        "/*",
        "*/",
    ),
    *("\n", "\n\n", "    ", "(", ")", "é€😀", "\r\n", "\t", "{#if x}", "{/if}", "import x from 'y'\n", "\0", "\f"),
]


def covered(parsed):
    return {line for chunk in parsed.chunks for line in range(chunk.start, chunk.end + 1)}


def lines_that_say_something(data):
    return {number for number, line in enumerate(read_source(data).lines, 1) if line.strip()}


def assert_sound(path, data):
    parsed = parse_file(path, data)
    if parsed.language != "notebook":
        assert lines_that_say_something(data) <= covered(parsed)
    last = len(read_source(data).lines)
    assert all(1 <= chunk.start <= chunk.end <= last and chunk.text.strip() for chunk in parsed.chunks)
    assert all(len(chunk.text) <= LARGE for chunk in parsed.chunks)
    assert [chunk.start for chunk in parsed.chunks] == sorted(chunk.start for chunk in parsed.chunks)
    assert all(1 <= each.line <= last for each in (*parsed.definitions, *parsed.references))
    assert parse_file(path, data) == parsed


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(SUFFIXES), st.lists(st.sampled_from(BITS), max_size=40).map("".join))
def test_any_text_is_covered_line_by_line(suffix, text):
    assert_sound(f"a.{suffix}", text.encode())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SUFFIXES), st.binary(max_size=300))
def test_any_bytes_are_covered_line_by_line(suffix, data):
    assert_sound(f"a.{suffix}", data)


def test_the_standard_library_is_covered_and_fast():
    files = sorted(LIBRARY.glob("*.py"))[:60] + sorted((LIBRARY / "asyncio").glob("*.py"))
    start = time.process_time()
    parsed = [parse_file(file.name, file.read_bytes()) for file in files]
    assert len(files) / (time.process_time() - start) > 30  # ten times slower than it is
    for file, each in zip(files, parsed, strict=True):
        assert lines_that_say_something(file.read_bytes()) <= covered(each), file
    symbols = {chunk.symbol for each in parsed for chunk in each.chunks}
    assert {"Queue.put", "Queue.get", "gather", "ArgumentParser.parse_known_args"} <= symbols


PYTHON = b'''"""A module."""
import os.path as p
from .queues import Queue as Q, Empty

LIMIT = 3


# Stands above.
@decorated(
    1
)
async def load(path: Path, *,
               limit: int = LIMIT) -> list[str]:
    """Loads, in a thread of the pool, since it takes long enough to be a nuisance for all the others."""
    def inner():
        return p.join(path)
    return await self.pool.run(inner)


class Store(Base, metaclass=Meta):
    """Keeps."""

    size = 1

    @property
    def full(self) -> bool:
        """Whether there is no room left in it: a long enough text to stand on its own, not with its neighbours."""
        # The limit is inclusive: a store of exactly so many things is full, and takes no further one into itself.
        return self.size >= LIMIT and self.check()

    def put(self, thing: Thing) -> None:
        """Puts a thing into it, where there is room for one more; otherwise it raises what queues raise when full."""
        if self.full:
            raise Full(f"no room for {thing}: the store has {self.size} of {LIMIT} things that it may have")
        super().put(thing)
'''


def test_python_is_cut_into_functions_with_what_stands_above_them():
    parsed = parse_file("a.py", PYTHON)
    assert [(chunk.start, chunk.end, chunk.kind, chunk.symbol) for chunk in parsed.chunks] == [
        (1, 5, "window", ""),
        (8, 17, "function", "load"),
        (20, 23, "class", "Store"),
        (25, 29, "function", "Store.full"),
        (31, 35, "function", "Store.put"),
    ]
    assert parsed.chunks[1].text.startswith("# Stands above.\n@decorated(")
    assert [(each.symbol, each.kind, each.line, each.signature) for each in parsed.definitions] == [
        ("LIMIT", "constant", 5, "LIMIT = 3"),
        ("load", "function", 12, "async def load(path: Path, *, limit: int = LIMIT) -> list[str]"),
        ("load.inner", "function", 15, "def inner()"),
        ("Store", "class", 20, "class Store(Base, metaclass=Meta)"),
        ("Store.full", "function", 26, "def full(self) -> bool"),
        ("Store.put", "function", 31, "def put(self, thing: Thing) -> None"),
    ]
    found = {(each.name, each.kind, each.line) for each in parsed.references}
    assert found >= {
        *(("os.path", "import", 2), (".queues.Queue", "import", 3), (".queues.Empty", "import", 3)),
        *(("p.join", "call", 16), ("self.pool.run", "call", 17), ("Base", "name", 20), ("self.check", "call", 29)),
        *(("Thing", "name", 31), ("Full", "call", 34), ("put", "call", 35), ("decorated", "call", 9)),
    }


def test_broken_python_keeps_what_was_understood():
    parsed = parse_file(
        "a.py", b"def good(a):\n    return a\n\n\ndef broken(:\n    pass\n\n\nclass Also:\n    def fine(self): pass\n"
    )
    assert {"good", "Also", "Also.fine"} <= {each.symbol for each in parsed.definitions}


def test_a_long_function_is_cut_where_statements_begin_and_keeps_its_name():
    body = "".join(f"    if step_{n}:\n        run({n}, 'some words to fill the line with')\n" for n in range(80))
    parsed = parse_file("a.py", f"def long():\n{body}\n\ndef short():\n    return {'x' * 300!r}\n".encode())
    parts = [chunk for chunk in parsed.chunks if chunk.symbol == "long"]
    assert len(parts) > 2
    assert all(len(part.text) <= TARGET for part in parts)
    assert all(part.text.startswith("    if step_") for part in parts[1:])
    assert parsed.chunks[-1].symbol == "short"


def test_functions_inside_a_long_one_get_chunks_of_their_own():
    inner = "".join(f"  function part{n}(a) {{\n    return {'x' * 300!r} + a;\n  }}\n" for n in range(8))
    parsed = parse_file("a.js", f"export function make() {{\n{inner}  return part0;\n}}\n".encode())
    assert [chunk.symbol for chunk in parsed.chunks] == ["make", *(f"make.part{n}" for n in range(8)), "make"]


def test_small_neighbours_are_joined_and_all_named():
    parsed = parse_file("a.py", b"".join(b"class E%d(Error):\n    pass\n\n\n" % n for n in range(40)))
    assert len(parsed.chunks) < 5
    assert parsed.chunks[0].symbol.startswith("E0, E1, E2")


def test_one_long_line_is_cut():
    parsed = parse_file("a.unknown", b"x" * 5000)
    assert [(chunk.start, chunk.end, len(chunk.text)) for chunk in parsed.chunks] == [(1, 1, 1500)] * 3 + [(1, 1, 500)]


def test_text_is_cut_at_blank_lines():
    paragraph = "words and more words\n" * 20
    parsed = parse_file(
        "a.txt", f"{paragraph}\n{paragraph}\n{paragraph}\n{paragraph}\n{paragraph}\n{paragraph}\n".encode()
    )
    assert {chunk.kind for chunk in parsed.chunks} == {"window"}
    assert all(chunk.text.count("\n") + 1 in {20, 62} or len(chunk.text) <= TARGET for chunk in parsed.chunks)
    assert all(chunk.start % 21 == 1 for chunk in parsed.chunks)


TSX = b"""import React, { useState } from "react";
import type { Props } from "./props";

/** Shows it. */
@Component({
  name: "x",
})
export class Panel<T> extends Base implements View {
  // about show
  @bound()
  show(text: string): void {
    this.log?.write(text);
  }
  hide = () => { gone(); };
}

export const load = async (id: number) => {
  return await fetch(id);
};

export interface Row { id: number; find(): void }
type Alias = { b: Row };
enum Color { Red }
export default function App() {
  return <Panel text={load(1)} />;
}
"""


def test_typescript_with_markup():
    parsed = parse_file("a.tsx", TSX)
    assert parsed.language == "tsx"
    assert [(each.symbol, each.kind) for each in parsed.definitions] == [
        *(("Panel", "class"), ("Panel.show", "method"), ("Panel.hide", "method"), ("load", "function")),
        *(("Row", "interface"), ("Row.find", "method"), ("Alias", "type"), ("Color", "enum"), ("App", "function")),
    ]
    assert parsed.definitions[0].signature == "class Panel<T> extends Base implements View"
    assert parsed.definitions[3].signature == "load = async (id: number)"
    panel = next(chunk for chunk in parsed.chunks if chunk.symbol.startswith("Panel"))
    assert panel.start == 4
    names = {(each.name, each.kind) for each in parsed.references}
    assert names >= {
        *(
            ("react", "import"),
            ("useState", "import"),
            ("./props", "import"),
            ("this.log.write", "call"),
            ("fetch", "call"),
        ),
        *(("Panel", "call"), ("load", "call"), ("Base", "name"), ("View", "name"), ("gone", "call")),
    }


@pytest.mark.parametrize("suffix", ["js", "jsx", "mjs", "ts"])
def test_javascript(suffix):
    code = b"""const fs = require('fs');
Foo.prototype.bar = function () { a().b(); };
module.exports = { run() { go(); } };
"""
    parsed = parse_file(f"a.{suffix}", code)
    assert {"Foo.prototype.bar", "run"} <= {each.symbol for each in parsed.definitions}
    assert {("fs", "import"), ("b", "call"), ("go", "call")} <= {(each.name, each.kind) for each in parsed.references}


SVELTE = b"""<script lang="ts">
  import Foo from "./Foo.svelte";
  let n: number = 0;
  function bump(by: number) {
    n += log(by);
  }
</script>

{#if n}
  <Foo on:click={() => bump(1)} />
{/if}

<style>
  p { color: red }
</style>
"""


def test_svelte_reads_its_script_and_its_style():
    parsed = parse_file("ui/Counter.svelte", SVELTE)
    assert [(each.symbol, each.kind, each.line) for each in parsed.definitions] == [
        ("Counter", "component", 1),
        ("n", "constant", 3),
        ("bump", "function", 4),
        ("p", "style", 14),
    ]
    names = {(each.name, each.kind, each.line) for each in parsed.references}
    assert names >= {("./Foo.svelte", "import", 2), ("log", "call", 5), ("Foo", "import", 2)}
    assert parsed.chunks[0].kind == "markup"


def test_html_reads_its_script_and_its_ids():
    parsed = parse_file(
        "a.html", b'<body>\n<div id="top">x</div>\n<script>\nfunction hi() { alert(1) }\n</script>\n</body>\n'
    )
    assert [(each.symbol, each.kind, each.line) for each in parsed.definitions] == [
        ("top", "id", 2),
        ("hi", "function", 4),
    ]


def test_css_rules_carry_their_selectors():
    rule = "  color: red; background: blue;\n" * 8
    parsed = parse_file(
        "a.css", f"/* about */\n.a, b > c {{\n{rule}}}\n@media (min-width: 3px) {{\n.d {{\n{rule}}}\n}}\n".encode()
    )
    assert [(chunk.kind, chunk.symbol, chunk.start) for chunk in parsed.chunks] == [
        ("style", ".a, b > c", 1),
        ("style", "@media (min-width: 3px)", 12),
    ]


def test_sql_statements_carry_the_names_they_make():
    parsed = parse_file(
        "a.sql", b"CREATE TABLE app.t (id int);\nCREATE VIEW v AS SELECT count(id) FROM t JOIN u ON 1=1;\n"
    )
    assert [each.symbol for each in parsed.definitions] == ["app.t", "v"]
    assert {"t", "u"} <= {each.name for each in parsed.references}


@pytest.mark.parametrize(
    ("name", "text", "keys"),
    [
        ("a.json", '{"a": {"b": 1},\n "c": [1]}', ["a", "c"]),
        ("a.toml", 'x = 1\n[tool."a.b"]\nc = 2\n[[d]]\ne = 1\n', ["x", 'tool."a.b"', "d"]),
        ("a.yaml", '# about\na:\n  b: 1\n"c": [1]\n- no: 1\n---\ne: |\n  f: 1\n', ["a", "c", "e"]),
    ],
)
def test_configuration_is_known_by_its_outer_keys(name, text, keys):
    parsed = parse_file(name, text.encode())
    assert [each.symbol for each in parsed.definitions if not each.symbol.startswith("-")] == keys
    assert {chunk.kind for chunk in parsed.chunks} == {"config"}


def test_a_large_configuration_is_cut_by_its_keys():
    text = "".join(f"# about {key}\n{key}:\n" + "  - some words to fill it\n" * 30 for key in ("one", "two"))
    assert [(chunk.symbol, chunk.start) for chunk in parse_file("a.yml", text.encode()).chunks] == [
        ("one", 1),
        ("two", 33),
    ]


def test_a_notebook_is_its_cells_without_what_they_printed():
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "text"]},
        {
            "cell_type": "code",
            "outputs": [{"text": ["PRINTED"]}],
            "source": ["import os\n", "def f(a):\n", "    return os.getcwd()"],
        },
        {"cell_type": "code", "outputs": [], "source": "x = 1\nf(x)"},
    ]
    data = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=1).encode()
    parsed = parse_file("a.ipynb", data)
    rows = data.decode().split("\n")
    assert [(chunk.kind, chunk.symbol) for chunk in parsed.chunks] == [("cell", "Title"), ("cell", "f"), ("cell", "")]
    assert not any("PRINTED" in chunk.text for chunk in parsed.chunks)
    assert parsed.chunks[1].text == "import os\ndef f(a):\n    return os.getcwd()"
    assert "def f" in rows[parsed.definitions[1].line - 1]
    assert "import os" in rows[parsed.chunks[1].start - 1]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{bad", b'{"cells": 3}', b'{"cells": [{"source": 1}]}', b'{"cells": [{}]}']
)
def test_what_only_looks_like_a_notebook_is_text(data):
    assert covered(parse_file("a.ipynb", data)) == lines_that_say_something(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café"),
        ("café".encode("latin-1"), "café"),
        (b"\xff\xfe" + "café".encode("utf-16-le"), "café"),
        (b"a\0b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_encodings(data, text):
    assert [chunk.text for chunk in parse_file("a.txt", data).chunks] == [text]


@pytest.mark.parametrize("suffix", ["py", "ts", "js", "html", "svelte", "css", "sql", "json", "toml", "yaml", "md"])
@pytest.mark.parametrize("bit", ["(", "[", "{", "<a>", "- ", "> ", "a && ", "select a from b join ", "if "])
def test_what_a_grammar_cannot_cope_with_ends_in_windows(suffix, bit):
    data = (bit * (40_000 // len(bit))).encode()
    start = time.process_time()
    assert covered(parse_file(f"a.{suffix}", data)) == {1}
    assert time.process_time() - start < 6


@pytest.mark.parametrize("suffix", ["py", "yaml", "md", "ts", "html"])
def test_deep_nesting_does_no_harm(suffix):
    lines = [" " * depth + "a:" for depth in range(400)] + [" " * (2 * depth) + "- x" for depth in range(400)]
    assert_sound(f"a.{suffix}", "\n".join([*lines, ">" * 400, "- " * 400, "<xyz>" * 400]).encode())
