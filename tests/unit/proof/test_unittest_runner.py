"""Real unittest runs in the real sandbox, cheating code included."""

import pytest

from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.unittest_runner import UnittestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

QUICK = SandboxLimits(wall_seconds=8)
EVERY_OUTCOME = """\
import unittest
import shifts

class Outcomes(unittest.TestCase):
    def test_passes(self): self.assertEqual(shifts.minutes(1), 60)
    def test_wrong_value(self): self.assertEqual(shifts.minutes(1), 61)
    def test_missing_function(self): shifts.hours(1)
    def test_missing_name_inside(self): shifts.unfinished()
    def test_typing_error(self): undefined_here
    def test_breaks(self): 1 / 0
    @unittest.skip("later")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail("known")
    @unittest.expectedFailure
    def test_unexpected(self): pass
    def test_subtests(self):
        for hours in (1, 2):
            with self.subTest(hours=hours): self.assertEqual(shifts.minutes(hours), 60)
    def test_endless(self):
        while True: pass

class NotSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise ValueError("no database")
    def test_one(self): pass
    def test_two(self): pass

class SkippedAsAWhole(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise unittest.SkipTest("not here")
    def test_it(self): pass

def load_tests(loader, tests, pattern):
    odd = type("Odd", (unittest.TestCase,), {"test_ [é]::x\\n": lambda self: None})
    tests.addTest(odd("test_ [é]::x\\n"))
    return tests
"""
CODE = "def minutes(hours): return hours * 60\ndef unfinished(): return later\n"


async def run(root, *tests, **more):
    return await UnittestRunner(Bubblewrap()).run(root, tests, **{"limits": QUICK, **more})


async def test_every_outcome_with_its_kind_place_and_message(make_project):
    root = make_project({"tests/test_a.py": EVERY_OUTCOME, "tests/test_b.py": "import nowhere", "shifts.py": CODE})
    report = await run(root)
    assert report.reason == "" and report.exit_code == 1
    found = {test.id.removeprefix("tests/test_a.py::"): (test.outcome, test.kind) for test in report.tests}
    assert found == {
        "Outcomes::test_passes": ("passed", ""),
        "Outcomes::test_wrong_value": ("failed", "assertion"),
        "Outcomes::test_missing_function": ("failed", "missing"),
        "Outcomes::test_missing_name_inside": ("failed", "missing"),
        "Outcomes::test_typing_error": ("failed", "broken"),
        "Outcomes::test_breaks": ("failed", "broken"),
        "Outcomes::test_skipped": ("skipped", ""),
        "Outcomes::test_expected": ("xfailed", ""),
        "Outcomes::test_unexpected": ("failed", "assertion"),
        "Outcomes::test_subtests": ("failed", "assertion"),
        "Outcomes::test_endless": ("failed", "broken"),
        "NotSetUp::test_one": ("error", "broken"),
        "NotSetUp::test_two": ("error", "broken"),
        "SkippedAsAWhole::test_it": ("skipped", ""),
        "Odd::test_ [é]::x\n": ("passed", ""),
        "tests/test_b.py": ("error", "missing"),
    }
    tests = {test.id: test for test in report.tests}
    wrong = tests["tests/test_a.py::Outcomes::test_wrong_value"]
    assert wrong.message.startswith("AssertionError: 60 != 61\n") and "unittest/case" not in wrong.message
    assert wrong.location == "tests/test_a.py:6"
    assert "(hours=2)" in tests["tests/test_a.py::Outcomes::test_subtests"].message
    assert tests["tests/test_b.py"].message.startswith("ModuleNotFoundError: No module named 'nowhere'\n")


SMALL = "import unittest\nclass T(unittest.TestCase):\n    def test_1(self): pass\n    def test_2(self): assert 0\n"


async def test_what_is_chosen_is_run_and_nothing_else(make_project):
    root = make_project({"test_a.py": SMALL, "deep/test_b.py": SMALL, "deep/other.py": SMALL})
    assert [test.id for test in (await run(root, "test_a.py::T::test_1", expected=1)).tests] == ["test_a.py::T::test_1"]
    assert {test.id.partition("::")[0] for test in (await run(root, "deep")).tests} == {"deep/test_b.py"}
    assert len((await run(root, "deep/other.py")).tests) == 2
    assert len((await run(root)).tests) == 4


async def test_no_tests_are_no_success(make_project):
    report = await run(make_project({"shifts.py": ""}))
    assert (report.tests, report.exit_code, report.reason, report.all_passed) == ((), 5, "", False)


async def test_modules_of_one_name_are_not_mixed_up(make_project):
    root = make_project({"a/test_x.py": SMALL, "b/test_x.py": SMALL})
    report = await run(root)
    assert [test.outcome for test in report.tests if test.id.startswith("a/")] == ["passed", "failed"]
    assert [(test.id, test.outcome) for test in report.tests if test.id.startswith("b/")] == [("b/test_x.py", "error")]


TEST = """\
import unittest
from shifts import minutes
class T(unittest.TestCase):
    def test_1(self): assert minutes(1) == 2
"""
FORGED = "{'collected': [], 'exit_code': 0, 'tests': []}"
CHEATS = {
    "exits at import": ("import os; os._exit(0)", "no report"),
    "leaves with sys.exit at import": ("import sys; sys.exit(0)", "no report"),
    "exits in a call": ("import os\ndef minutes(hours): os._exit(0)", "no report"),
    "kills itself": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "no report"),
    "prints a result": ("def minutes(hours): print('Ran 1 test in 0.000s\\n\\nOK')", ""),
    "leaves a report of its own": (
        f"import os, json\nopen('../forged.report', 'w').write(json.dumps({FORGED}))\ndef minutes(hours): os._exit(0)",
        "forged report",
    ),
    "patches what writes the report": (
        "import json, os, pathlib\njson.dumps = lambda *_: '{}'\npathlib.Path.write_text = os._exit = lambda *_: None\n"
        "def minutes(hours): return 1",
        "",
    ),
}


@pytest.mark.parametrize("name", CHEATS)
async def test_cheating_code_gains_nothing(make_project, name):
    code, reason = CHEATS[name]
    report = await run(make_project({"shifts.py": code, "test_a.py": TEST}), expected=1)
    assert not report.all_passed
    assert report.reason.partition(":")[0] == reason
    assert reason or [test.outcome for test in report.tests] == ["failed"]


async def test_a_run_that_hangs_outside_its_tests_is_a_timeout(make_project):
    code = "import time\ndef setUpModule():\n    time.sleep(60)\n"
    report = await run(make_project({"test_a.py": SMALL + code}), limits=SandboxLimits(wall_seconds=1.5))
    assert report.reason == "timeout: no result after 1.5 s"


async def test_an_unexpected_number_of_tests_is_unsound(make_project):
    report = await run(make_project({"test_a.py": SMALL}), expected=3)
    assert report.reason == "forged report: 2 tests are reported, 3 were expected"
