import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.spec.stubs import stub


@pytest.mark.parametrize(
    ("symbols", "source"),
    [
        (["f(a, b=1)"], "def f(a, b=1):\n    pass\n"),
        (["def f(a) -> int:"], "def f(a):\n    pass\n"),
        (["class Full(Exception)"], "class Full(Exception):\n    pass\n"),
        (["class Bag(size)"], "class Bag:\n    def __init__(self, size):\n        pass\n"),
        (["class Bag"], "class Bag:\n    pass\n"),
        (["Bag.add(item)"], "class Bag:\n    def add(self, item):\n        pass\n"),
        (
            ["class Bag(size)", "Bag.count()", "f()"],
            "class Bag:\n    def __init__(self, size):\n        pass\n\n    def count(self):\n        pass\n\n\n"
            "def f():\n    pass\n",
        ),
        (
            ["class Full(Exception)", "class Fuller(Full)"],
            "class Full(Exception):\n    pass\n\n\nclass Fuller(Full):\n    pass\n",
        ),
        (["GET /page", "f(1, a)", "python tool.py"], "\n"),
        ([], "\n"),
    ],
)
def test_signatures_become_importable_source(symbols: list[str], source: str):
    assert stub(symbols) == source


@pytest.mark.parametrize(
    ("symbols", "source"),
    [
        # Names in annotations and defaults need not exist.
        (
            ["f(a: Item, b=Kind.A, *rest: X, c: int = -1, **more) -> list[Item]"],
            "def f(a, b=None, *rest, c=-1, **more):",
        ),
        (['f(sep="->", end=":")'], "def f(sep='->', end=':'):"),
        (["async def f(a)"], "def f(a):"),
        # A method may be written with or without self.
        (["Bag.add(self, item)"], "class Bag:\n    def add(self, item):"),
        (["def Bag.add(item) -> None"], "class Bag:\n    def add(self, item):"),
        (["Bag.pick(a, /, b)"], "class Bag:\n    def pick(self, a, /, b):"),
        # A class may come after its methods, and a bad method does not take it along.
        (
            ["Bag.bad(1)", "Bag.all()", "class Bag(n)"],
            "class Bag:\n    def all(self):\n        pass\n\n    def __init__(self, n):",
        ),
        # Bases come first; those that nobody knows are exceptions.
        (["class B(A)", "class A(Exception)"], "class A(Exception):\n    pass\n\n\nclass B(A):"),
        (["class Full(StoreError)"], "class Full(Exception):"),
        (["exception Full"], "class Full(Exception):"),
        (["class A(A)"], "class A(Exception):"),
        (["class A(B)", "class B(A)"], "class A:\n    pass\n\n\nclass B(A):"),
        # The first of two stays.
        (["f(a)", "f(a, b)"], "def f(a):"),
    ],
)
def test_signatures_of_all_kinds(symbols: list[str], source: str):
    assert stub(symbols).removesuffix("\n").removesuffix("    pass").rstrip() == source
    exec(stub(symbols), {})


@pytest.mark.parametrize(
    "garbage",
    [
        "class if(x)",
        "class",
        "class A(x): y",
        "return(x)",
        "lambda(x)",
        "f(a):\n  x()\ndef g()",
        "f(a); g()",
        "f",
        "f(\0)",
        "None(x)",
        "f(" + "(" * 300,
    ],
)
def test_garbage_is_left_out(garbage: str):
    assert stub([garbage, "f(a)"]) == "def f(a):\n    pass\n"


NAMES = st.sampled_from(["f", "Bag", "A", "B", "Error", "list", "if", "x1", "größe"])
INSIDE = st.lists(
    st.sampled_from(["a", "b=1", "*c", "**d", "self", "e: X = y", "/", "*", "A", "BError", "1", "f="]), max_size=4
).map(", ".join)
SYMBOLS = st.one_of(
    st.builds("{}({})".format, NAMES, INSIDE),
    st.builds("{}.{}({}) -> X".format, NAMES, NAMES, INSIDE),
    st.builds("class {}({})".format, NAMES, INSIDE),
    st.builds("exception {}".format, NAMES),
    st.text(max_size=20),
)


@given(st.lists(SYMBOLS, max_size=6))
def test_whatever_comes_the_stub_can_be_imported(symbols: list[str]):
    source = stub(symbols)
    exec(source, {})
    assert stub(symbols) == source
