import pytest

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
