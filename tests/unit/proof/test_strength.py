import pytest

from agentinfra.core.errors import InputError
from agentinfra.proof.mutants import mutants
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.strength import (
    constant,
    empty,
    identity,
    raising,
    survivors,
    trivial_implementations,
    try_mutants,
    with_implementation,
)
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

RUNNER = PytestRunner(Bubblewrap())
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


async def alive(root, file, stub, *, constants=(), errors=()):
    """Names of the thoughtless implementations that pass the tests of test_mod.py."""
    there = (root / file).read_text() if (root / file).is_file() else ""
    tried = trivial_implementations(stub, constants, errors)
    overlays = [{file: with_implementation(there, source)} for _, source in tried]
    return [tried[place][0] for place in await survivors(RUNNER, root, ["test_mod.py"], overlays)]


@pytest.mark.parametrize(
    ("asserts", "names"),
    [
        ("assert f('a') == 'b'; assert f('c') == 'd'", []),
        ("assert f('a') == 'b'", ["constant 'b'"]),
        ("assert f('a') == 'a'; assert f('b') == 'b'", ["identity"]),
        ("assert f('a') is None", ["empty"]),
        ("f('a')", ["empty", "identity", "constant 'b'"]),
        ("assert unknown", []),
    ],
)
async def test_survivors_are_those_that_pass_all_the_tests(tmp_path, asserts, names):
    (tmp_path / "mod.py").write_text("def kept():\n    return 7\n\n\ndef f(x):\n    pass\n")
    (tmp_path / "test_mod.py").write_text(f"from mod import f, kept\ndef test():\n    assert kept() == 7; {asserts}\n")
    assert await alive(tmp_path, "mod.py", "def f(x): ...", constants=["'b'"]) == names
    assert "return 7" in (tmp_path / "mod.py").read_text()


async def test_tests_that_only_expect_an_exception_are_survived_by_raising_it(tmp_path):
    test = "import pytest\nfrom mod import f\ndef test():\n    with pytest.raises(ValueError): f(1)\n"
    (tmp_path / "test_mod.py").write_text(test)
    assert await alive(tmp_path, "mod.py", "def f(x): ...", errors=["ValueError"]) == ["raising ValueError"]


async def test_the_file_need_not_exist_yet(tmp_path):
    (tmp_path / "test_mod.py").write_text("from new.mod import f\ndef test(): assert f(1) == 1\n")
    assert await alive(tmp_path, "new/mod.py", "def f(x): ...") == ["identity"]


GRADE = """def grade(points):
    while points > 100:
        points -= 100
    if points >= 50:
        return "passed"
    return "failed"
"""


async def try_all(root, asserts, source=GRADE):
    (root / "test_mod.py").write_text(f"from mod import grade\ndef test():\n    {asserts}\n")
    return await try_mutants(RUNNER, root, "mod.py", source, mutants(source, limit=99), tests=["test_mod.py"])


def told(found):
    return [(mutant.line, mutant.change) for mutant in found]


async def test_mutants_that_the_tests_do_not_see_are_told(tmp_path):
    runs = await try_all(tmp_path, "assert grade(60) == 'passed'; assert grade(40) == 'failed'")
    assert (4, "`>` for `>=`") in told(runs.survivors)
    assert (3, "`+=` for `-=`") in told(runs.survivors)
    assert (5, "`return None` for `return 'passed'`") in told(runs.killed)
    assert runs.reason == ""
    assert len({*told(runs.killed), *told(runs.survivors)}) == len(mutants(GRADE, limit=99))
    assert not set(runs.killed) & set(runs.survivors)


async def test_stronger_tests_kill_them_also_by_never_ending(tmp_path):
    weak = "assert grade(60) == 'passed'; assert grade(40) == 'failed'"
    runs = await try_all(tmp_path, f"{weak}; assert grade(50) == 'passed'; assert grade(140) == 'failed'")
    assert {(4, "`>` for `>=`"), (3, "`+=` for `-=`")} <= set(told(runs.killed))


async def test_where_the_reference_itself_does_not_pass_nothing_is_known(tmp_path):
    runs = await try_all(tmp_path, "assert grade(60) == 'failed'")
    assert (runs.killed, runs.survivors) == ((), ())
    assert runs.reason == "The reference itself does not pass: a test fails"


async def test_a_mutant_whose_run_proves_nothing_is_neither(tmp_path):
    # Other numbers end the process from inside.
    source = "import os\nLIMIT = 50\nif LIMIT != 50: os._exit(0)\ndef grade(points):\n    return points > LIMIT\n"
    runs = await try_all(tmp_path, "assert grade(60)", source)
    changed = {line for line, _ in (*told(runs.killed), *told(runs.survivors))}
    assert 2 not in changed
    assert 5 in changed
