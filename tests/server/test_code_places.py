"""What stands at a line of code, by its text alone."""

import pytest
from agentinfra_server.features.code_places import place_at, split_lines, stub_at

MARK = "TODO"
PYTHON = '''\
import os

@decorated
def first(
    a,
    b,
) -> int:
    """Doc."""
    if a:
        # @MARK@: more
        return b

    def inner():
        return 1

    return inner()


class Shape:
    size = 1

    @property
    def area(self):
        raise NotImplementedError("soon")

    class Part:
        def weigh(self): ...


print(first(1, 2))
async def last(): pass
'''.replace("@MARK@", MARK)
SCRIPT = """\
export async function load(url) {
  return fetch(url);
}

const half = (n) => {
  throw new Error("Not implemented");
};

export class Cart {
  total() {
    return 1;
  }
}
"""
LINES = split_lines(PYTHON)


def at(text, line):
    found = place_at(split_lines(text), line)
    return (found.name, found.first, found.last) if found else None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (0, None),
        (1, None),
        (2, ("first", 3, 15)),
        (3, ("first", 3, 15)),
        (6, ("first", 3, 15)),
        (10, ("first", 3, 15)),
        (11, ("first", 3, 15)),
        (13, ("first", 3, 15)),
        (15, ("first", 3, 15)),
        (16, None),
        (18, ("Shape", 18, 26)),
        (19, ("Shape", 18, 26)),
        (21, ("Shape.area", 22, 23)),
        (23, ("Shape.area", 22, 23)),
        (26, ("Shape.Part.weigh", 26, 26)),
        (29, None),
        (30, ("last", 30, 30)),
        (31, None),
        (99, None),
    ],
)
def test_the_innermost_definition_that_can_be_named(line, expected):
    assert at(PYTHON, line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [(1, ("load", 0, 2)), (5, ("half", 4, 6)), (8, ("Cart", 8, 12)), (10, ("Cart", 8, 12))],
)
def test_other_languages_too(line, expected):
    assert at(SCRIPT, line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [(22, "Shape.area"), (26, "Shape.Part.weigh"), (30, "last"), (9, MARK), (10, ""), (18, ""), (0, "")],
)
def test_what_is_unfinished(line, expected):
    assert stub_at(LINES, place_at(LINES, line), line, line) == expected


@pytest.mark.parametrize(
    ("code", "is_stub"),
    [
        ("def f(a, b=(1, 2)):\n    'Doc.'\n    pass\n", True),
        ("def f():\n    'Doc.'\n", True),
        ("def f():\n    raise NotImplementedError\n", True),
        ("def f():\n    raise ValueError\n", False),
        ("def f():\n    return None\n", False),
        ("def f():\n    pass\n    return 1\n", False),
        ("@abstractmethod\ndef f(): ...\n", False),
        ("@overload\ndef f(): ...\n", False),
        ("def f(:\n    pass\n", False),
        ("fn f() {\n    todo!()\n}\n", True),
        ("def f():\n" + "    pass\n" * 100, False),
    ],
)
def test_a_stub_says_nothing(code, is_stub):
    lines = split_lines(code)
    line = next(number for number, text in enumerate(lines) if not text.startswith("@"))
    assert (stub_at(lines, place_at(lines, line), line, line) == "f") is is_stub


def test_lines_are_those_of_the_protocol():
    assert split_lines("a\r\nb\rc\nd\x0be\u2028f") == ["a\r\n", "b\r", "c\n", "d\x0be\u2028f"]
    assert split_lines("") == []
    assert split_lines("\n\n") == ["\n", "\n"]


def test_a_long_file_is_looked_at_in_a_moment():
    text = "class C:\n" + "    x = [\n        1,\n    ]\n" * 30_000
    lines = split_lines(text)
    assert place_at(lines, len(lines) - 1) is not None
    assert place_at(split_lines("def f():\n    " + "(" * 100_000), 1) is not None
