"""Languages are known by the names of files, and others can be added."""

import pytest
import tree_sitter_python

from agentinfra.core.errors import InputError
from agentinfra.memory.parsing.languages import Language, language_called, language_of, register_language
from agentinfra.memory.parsing.parser import parse_file


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *(
            ("a/B.PY", "python"),
            ("a.tsx", "tsx"),
            ("a.mts", "typescript"),
            ("x.d.ts", "typescript"),
            (".babelrc", "json"),
        ),
        *(
            ("README.md", "markdown"),
            ("a.yml", "yaml"),
            ("a.cjs", "javascript"),
            ("py", None),
            ("a.py.txt", None),
            ("", None),
        ),
    ],
)
def test_a_files_name_says_its_language(path, name):
    language = language_of(path)
    assert (language and language.name) == name


def test_the_query_that_a_grammar_ships_fits_as_it_is():
    register_language(Language("shipped", (".shipped",), tree_sitter_python.language, tree_sitter_python.TAGS_QUERY))
    parsed = parse_file("a.shipped", b"class A:\n    def f(self):\n        g()\n")
    assert parsed.language == "shipped"
    assert [(each.symbol, each.kind) for each in parsed.definitions] == [("A", "class"), ("A.f", "function")]
    assert [(each.name, each.kind, each.line) for each in parsed.references] == [("g", "call", 3)]
    assert parsed.definitions[1].signature == "def f(self)"


def broken_grammar():
    raise ImportError("no such package")


@pytest.mark.parametrize(
    ("grammar", "query"),
    [(tree_sitter_python.language, "(nothing) @doc"), (broken_grammar, ""), (None, ""), (lambda: 3, "")],
)
def test_a_language_that_cannot_be_used_is_refused_and_not_registered(grammar, query):
    with pytest.raises(InputError, match="'broken' cannot be used"):
        register_language(Language("broken", (".broken",), grammar, query))
    assert language_called("broken") is None
    assert language_of("a.broken") is None


def test_markdown_sections_have_their_headings_path():
    text = "intro\n\n# A\ntext\n## B ##\n```py\n# no heading\n```\n~~~\n## neither\n~~~\n\n"
    text += "Set\n---\nmore\n\n- item\n---\n\nTop\n===\n"
    parsed = parse_file("a.md", text.encode())
    assert [(each.symbol, each.line) for each in parsed.definitions] == [
        ("A", 3),
        ("A > B", 5),
        ("A > Set", 13),
        ("Top", 20),
    ]
