import ast

import pytest

from agentinfra.patching.names import (
    defined_names,
    eager_names,
    is_guard,
    is_stub,
    parse_python,
    plain_name,
    statement_names,
    used_names,
)


def statement(source: str) -> ast.stmt:
    return ast.parse(source).body[0]


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("f", "f"),
        ("f(a, b=(1, 2))", "f"),
        ("def f(a):", "f"),
        ("async def f(a)", "f"),
        ("class Bag", "Bag"),
        ("class Bag(size)", "Bag"),
        ("exception Full(Exception)", "Full"),
        ("Bag.add(item)", "Bag.add"),
        ("classify(x)", "classify"),
    ],
)
def test_the_name_in_a_signature(symbol: str, name: str):
    assert plain_name(symbol) == name


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a, (b, *c) = d = e", {"a", "b", "c", "d"}),
        ("a: int = b", {"a"}),
        ("x[0] = a", set()),
        ("import a.b, c as d", {"a", "d"}),
        ("from a import b as c", {"c"}),
        ("try:\n    import a\nexcept E:\n    a = b = None\nelse:\n    c = 1", {"a", "b", "c"}),
        ("if x:\n    a = 1\nelse:\n    def b(): pass", {"a", "b"}),
        ("if __name__ == '__main__':\n    a = 1", {"__main__"}),
        ("print(a)", set()),
    ],
)
def test_what_a_statement_binds(source: str, names: set[str]):
    assert set(statement_names(statement(source))) == names


def test_what_a_module_defines():
    tree = parse_python("import re\nA = 1\nclass C:\n    x = 1\n    def m(self): pass\ndef f(): y = 1\n")
    assert tree is not None
    assert defined_names(tree) == {"A", "C", "C.x", "C.m", "f"}
    assert parse_python("def") is None


def test_what_code_reads():
    node = statement("@d\ndef f(a: 'B | C', b=e) -> 'list[D]':\n    'words'\n    x = g(a.h)\n    return 'text'")
    assert used_names(node) == {"d", "B", "C", "e", "list", "D", "g", "a"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("@d\ndef f(a: A, *b: B, c=d1, **k: K) -> R:\n    return z", {"d", "A", "B", "d1", "K", "R"}),
        ("class C(Base, metaclass=M):\n    x = y\n    def m(self, a=b):\n        return z", {"Base", "M", "y", "b"}),
        ("x = y(z)", {"y", "z"}),
    ],
)
def test_what_must_exist_at_import(source: str, names: set[str]):
    assert eager_names(statement(source)) == names


@pytest.mark.parametrize(
    ("source", "stub"),
    [
        ("def f(): pass", True),
        ("def f():\n    '''Doc.'''\n    ...", True),
        ("def f(): raise NotImplementedError('later')", True),
        ("class C:\n    def m(self): pass", True),
        ("def f(): return None", False),
        ("def f(): raise ValueError", False),
        ("class C:\n    x = 1", False),
        ("x = 1", False),
    ],
)
def test_stubs(source: str, stub: bool):
    assert is_stub(statement(source)) is stub


@pytest.mark.parametrize(
    ("source", "guard"),
    [
        ("if __name__ == '__main__': x", True),
        ("if '__main__' == __name__: x", True),
        ("if name == '__main__': x", False),
        ("x", False),
    ],
)
def test_the_main_guard(source: str, guard: bool):
    assert is_guard(statement(source)) is guard
