"""Judging delivered trees by acceptance tests, in the real sandbox."""

import time

import pytest
from idea_cases import load_cases
from idea_judge import Judge, count_passed

from agentinfra.core.errors import InputError
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

GOOD = "def mix(first, second):\n    if first < 0:\n        raise ValueError\n    return (first + second) / 2\n"
ECHO = """
import http.server, sqlite3, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

if __name__ == "__main__":
    with sqlite3.connect(sys.argv[1]) as words:
        words.execute("create table words (name)")
        words.execute("insert into words values ('hello')")
"""


@pytest.fixture
def judge():
    return Judge(Bubblewrap())


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


async def test_the_tests_of_a_case_are_found_without_the_code(judge, levels_case):
    assert await judge.items(levels_case) == (
        "acceptance_test.py::test_mix[0-2-1]",
        "acceptance_test.py::test_mix[4-4-4]",
        "acceptance_test.py::test_negative",
    )


async def test_a_case_whose_tests_cannot_be_collected_is_refused(judge, levels_case):
    levels_case.test.write_text("import no_such_module\ndef test_it(): pass\n")
    with pytest.raises(InputError, match="no tests that can be collected"):
        await judge.items(levels_case)


@pytest.mark.parametrize(
    ("code", "passed"),
    [
        (GOOD, 3),
        ("def mix(first, second):\n    return (first + second) / 2\n", 2),
        (None, 0),
        ("import os\nos._exit(0)\n", 0),
    ],
)
async def test_every_test_that_does_not_pass_counts_nothing(judge, levels_case, tree, code, passed):
    if code is not None:
        (tree / "levels.py").write_text(code)
    assert await judge.passed(levels_case, tree) == passed


async def test_loopback_processes_and_databases_work_in_the_sandbox(judge, cases_folder, tree):
    (tree / "echo.py").write_text(ECHO)
    assert await judge.passed(load_cases(cases_folder)[1], tree) == 2


async def test_a_test_without_end_costs_only_itself(levels_case, tree):
    (tree / "levels.py").write_text(GOOD.replace("raise ValueError", "while True: pass"))
    quick = Judge(Bubblewrap(), whole_seconds=2.5, item_seconds=3)
    assert await quick.passed(levels_case, tree) == 2


async def test_all_tests_without_end_cost_a_bounded_time(levels_case, tree):
    (tree / "levels.py").write_text("while True: pass\n")
    quick = Judge(Bubblewrap(), whole_seconds=0.6, item_seconds=20)
    started = time.monotonic()
    assert await quick.passed(levels_case, tree) == 0
    assert time.monotonic() - started < 15


async def test_a_delivered_file_of_the_same_name_and_a_left_report_play_no_part(judge, levels_case, tree):
    (tree / "acceptance_test.py").write_text("def test_mine(): pass\n")
    report = '<testsuites><testsuite><testcase classname="a" name="b"/></testsuite></testsuites>'
    (tree / ".acceptance-report.xml").write_text(report)
    (tree / "levels.py").write_text("import os\nos._exit(0)\n")
    assert await judge.passed(levels_case, tree) == 0


def test_a_test_whose_teardown_fails_did_not_pass(tmp_path):
    report = tmp_path / "report.xml"
    entries = (
        '<testcase classname="t" name="good"/>'
        '<testcase classname="t" name="torn"/><testcase classname="t" name="torn"><error/></testcase>'
        '<testcase classname="t" name="left"><skipped/></testcase>'
    )
    report.write_text(f"<testsuites><testsuite>{entries}</testsuite></testsuites>")
    assert count_passed(report) == 1


def test_no_report_and_a_cut_report_hold_no_passed_tests(tmp_path):
    (tmp_path / "cut.xml").write_text("<testsuites><testcase")
    assert count_passed(tmp_path / "cut.xml") == count_passed(tmp_path / "none.xml") == 0
