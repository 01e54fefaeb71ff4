import pytest

from agentinfra.core.errors import InputError
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.strength import constant, empty, identity, raising, survivors, trivial_implementations
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

STUB = '''
def tour_minutes(start, end="x"): ...

async def fetch(): ...

class Basket:
    """Holds things."""

    def __init__(self, max_weight): ...

    def add(self, name: str, weight: int) -> int:
        return weight

    @classmethod
    def of(cls, names): ...

    @staticmethod
    def parse(text): ...
'''


def load(source):
    namespace = {}
    exec(source, namespace)
    return namespace


def test_empty_bodies_return_nothing():
    module = load(empty(STUB))
    assert module["tour_minutes"](1) is None
    assert module["Basket"](3).add("rope", 2) is None


def test_constant_bodies_return_the_same_and_classes_can_still_be_made():
    module = load(constant(STUB, "[1, 'a']"))
    assert module["tour_minutes"](1) == module["Basket"](3).add("rope", 2) == [1, "a"]


def test_identity_returns_the_first_argument_that_is_not_the_object_itself():
    module = load(identity(STUB))
    assert module["tour_minutes"]("07:00", "08:00") == "07:00"
    basket = module["Basket"]
    assert (basket(3).add("rope", 2), basket.of("n"), basket.parse("t")) == ("rope", "n", "t")
    assert load(identity("def now(): ...\ndef every(*things, key): ..."))["now"]() is None


def test_raising_bodies_raise_and_classes_can_still_be_made():
    module = load(raising(STUB, "ValueError"))
    for call in (lambda: module["tour_minutes"](1), lambda: module["Basket"](3).add("rope", 2)):
        with pytest.raises(ValueError):
            call()


def test_every_expected_exception_is_tried_once():
    tried = trivial_implementations("def f(): ...", [], ["KeyError", "KeyError", "not a name"])
    assert [name for name, _ in tried] == ["empty", "identity", "raising KeyError"]


def test_the_most_frequent_constants_are_tried():
    names = [name for name, _ in trivial_implementations(STUB, ["1", "2", "2", "3", "4", "4", "2"])]
    assert names == ["empty", "identity", "constant 2", "constant 4", "constant 1"]


@pytest.mark.parametrize(("stub", "value"), [("def f(", "1"), ("def f(): ...", "1 +"), ("def f(): ...", "x = 1")])
def test_what_is_not_python_is_refused(stub, value):
    with pytest.raises(InputError, match="not Python"):
        trivial_implementations(stub, [value])


@pytest.mark.parametrize(
    ("asserts", "alive"),
    [
        ("assert f('a') == 'b'; assert f('c') == 'd'", []),
        ("assert f('a') == 'b'", ["constant 'b'"]),
        ("assert f('a') == 'a'; assert f('b') == 'b'", ["identity"]),
        ("assert f('a') is None", ["empty"]),
        ("f('a')", ["empty", "identity", "constant 'b'"]),
        ("assert unknown", []),
    ],
)
async def test_survivors_are_those_that_pass_all_the_tests(tmp_path, asserts, alive):
    (tmp_path / "mod.py").write_text("def kept():\n    return 7\n\n\ndef f(x):\n    pass\n")
    (tmp_path / "test_mod.py").write_text(f"from mod import f, kept\ndef test():\n    assert kept() == 7; {asserts}\n")
    found = await survivors(
        PytestRunner(Bubblewrap()), tmp_path, "mod.py", "def f(x): ...", constants=["'b'"], tests=["test_mod.py"]
    )
    assert found == alive
    assert "return 7" in (tmp_path / "mod.py").read_text()


async def test_tests_that_only_expect_an_exception_are_survived_by_raising_it(tmp_path):
    test = "import pytest\nfrom mod import f\ndef test():\n    with pytest.raises(ValueError): f(1)\n"
    (tmp_path / "test_mod.py").write_text(test)
    runner, stub = PytestRunner(Bubblewrap()), "def f(x): ..."
    found = await survivors(
        runner, tmp_path, "mod.py", stub, constants=[], tests=["test_mod.py"], errors=["ValueError"]
    )
    assert found == ["raising ValueError"]


async def test_the_file_need_not_exist_yet(tmp_path):
    (tmp_path / "test_mod.py").write_text("from new.mod import f\ndef test(): assert f(1) == 1\n")
    runner = PytestRunner(Bubblewrap())
    found = await survivors(runner, tmp_path, "new/mod.py", "def f(x): ...", constants=[], tests=["test_mod.py"])
    assert found == ["identity"]
