"""The guard around real runs in the real sandbox."""

import pytest

from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.guard import guarded_run
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.tamper import Change
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

TEST = (
    "from sums import half\n\n\ndef test_a():\n    assert half(10) == 5\n\n\ndef test_b():\n    assert half(7) == 3\n"
)
MORE = TEST + "\n\ndef test_c():\n    assert half(100) == 50\n"
HONEST = "def half(n):\n    return n // 2\n"
EQUAL = (
    "class All:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n\n\n"
    "def half(n):\n    return All()\n"
)


class Counting(PytestRunner):
    """Counts its runs."""

    runs = 0

    async def run(self, *arguments, **more):
        self.runs += 1
        return await super().run(*arguments, **more)


@pytest.fixture
def runner():
    return Counting(Bubblewrap())


async def judge(runner, root, code, test=TEST, **more):
    change = Change({"sums.py": code}, "tests/test_sums.py", test, **{"claimed": ("sums.py",), **more})
    overlay = {"sums.py": code, "tests/test_sums.py": test}
    limits = SandboxLimits(wall_seconds=10)
    return await guarded_run(runner, root, change, overlay=overlay, expected=test.count("def "), limits=limits)


async def test_honest_code_is_taken_with_the_report_of_its_tests(runner, tmp_path):
    report = await judge(runner, tmp_path, HONEST, MORE)
    assert report.all_passed and len(report.tests) == 3
    assert runner.runs == 2
    assert list(tmp_path.iterdir()) == []


async def test_wrong_code_has_its_own_report_and_no_second_run(runner, tmp_path):
    report = await judge(runner, tmp_path, "def half(n):\n    return n\n")
    assert report.reason == "" and len(report.failures) == 2 and runner.runs == 1


async def test_code_that_reaches_for_its_caller_is_not_even_run(runner, tmp_path):
    report = await judge(runner, tmp_path, "import sys\n\ndef half(n):\n    return sys._getframe(1)\n")
    assert report.reason.startswith("tampering: sums.py:4 looks at the frames of its callers")
    assert report.reason.endswith("the tests only sample it")
    assert runner.runs == 0 and report.tests == () and not report.all_passed


async def test_an_object_that_equals_everything_is_caught_by_the_control(runner, tmp_path):
    report = await judge(runner, tmp_path, EQUAL)
    assert "test_a, test_b took a wrong result for the right one" in report.reason
    assert report.tests == ()


async def test_copied_answers_are_caught_without_a_second_run(runner, tmp_path):
    report = await judge(runner, tmp_path, "def half(n):\n    return {10: 5, 7: 3}[n]\n")
    assert "holds the tests' own inputs of half" in report.reason and runner.runs == 1


async def test_answers_that_no_source_shows_are_caught_by_fresh_inputs(runner, tmp_path):
    code = "def half(n):\n    return dict(zip((5 + 5, 6 + 1, 99 + 1), (4 + 1, 2 + 1, 49 + 1))).get(n)\n"
    report = await judge(runner, tmp_path, code, MORE)
    assert "half knows only the tests' own inputs" in report.reason


async def test_code_that_ends_the_run_only_where_tests_fail_is_caught(runner, tmp_path):
    code = (
        "import os\n\n\nclass Right(int):\n    def __eq__(self, other):\n"
        "        return int(self) == other or os._exit(0)\n\n    __hash__ = int.__hash__\n\n\n"
        "def half(n):\n    return Right(n // 2)\n"
    )
    report = await judge(runner, tmp_path, code)
    assert "ends its test run when tests must fail" in report.reason and runner.runs == 3


async def test_an_endless_loop_on_a_fresh_input_is_no_offence(runner, tmp_path):
    code = "def half(n):\n    while n not in (10, 7, 100):\n        pass\n    return n // 2\n"
    report = await judge(runner, tmp_path, code, MORE)
    assert report.all_passed
