"""Commands that write JUnit XML: pytest, node and ones that cheat, in the real sandbox."""

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.junit_runner import JUnitRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.security.sandbox.toolchain import find_node

PYTEST = ("python", "-m", "pytest", "-p", "no:cacheprovider", "--junitxml={report}", "{tests}")


async def run(root, argv, *tests, **more):
    return await JUnitRunner(Bubblewrap(), argv).run(root, tests, **more)


async def test_pytest_as_a_command(make_project):
    tests = "import pytest\ndef test_1(): pass\ndef test_2(): assert 1 == 2\n@pytest.mark.skip\ndef test_3(): pass\n"
    root = make_project({"tests/test_a.py": tests, "tests/test_b.py": "import nowhere\n"})
    report = await run(root, PYTEST, expected=9)
    assert (report.reason, report.exit_code) == ("", 2)
    assert [(test.id, test.outcome, test.kind) for test in report.tests if "test_b" in test.id] == [
        ("tests.test_b", "error", "missing")
    ]
    report = await run(root, PYTEST, "tests/test_a.py", expected=3)
    assert [(test.id, test.outcome, test.kind) for test in report.tests] == [
        ("tests.test_a::test_1", "passed", ""),
        ("tests.test_a::test_2", "failed", "assertion"),
        ("tests.test_a::test_3", "skipped", ""),
    ]
    assert (await run(root, PYTEST, "tests/test_a.py::test_1")).all_passed


async def test_node_as_a_command(make_project):
    test = """
        import {test} from 'node:test'; import assert from 'node:assert'
        test('passes', () => {}); test('fails', () => { assert.equal(1, 2) })
    """
    node = find_node()
    argv = (str(node), "--test", "--test-reporter=junit", "--test-reporter-destination={report}")
    report = await JUnitRunner(Bubblewrap(), argv, read_only=[node]).run(make_project({"a.test.mjs": test}))
    found = {test.id.rpartition("::")[2]: (test.outcome, test.kind) for test in report.tests}
    assert found == {"passes": ("passed", ""), "fails": ("failed", "assertion")}


def writes(xml, then="sys.exit(0)"):
    return ("python", "-c", f"import os, sys, time; open(sys.argv[1], 'w').write({xml!r}); {then}", "{report}")


PASSED = '<testsuite><testcase name="a"/></testsuite>'
FAILED = '<testsuite><testcase name="a"><failure/></testcase></testsuite>'
COMMANDS = {
    "passes": (writes(PASSED), ""),
    "fails": (writes(FAILED, "sys.exit(3)"), ""),
    "finds no tests": (writes("<testsuite/>", "sys.exit(5)"), ""),
    "hides a failure": (writes(FAILED), "forged report"),
    "fails without a failure": (writes(PASSED, "sys.exit(1)"), "forged report"),
    "is killed": (writes(PASSED, "os.kill(os.getpid(), 9)"), "stopped"),
    "writes half a report": (writes(PASSED[:-9]), "corrupt report"),
    "prints its report": (("python", "-c", f"print({PASSED!r})", "{report}"), "no report"),
    "writes elsewhere": (("python", "-c", f"open('../x.xml', 'w').write({PASSED!r})", "{report}"), "forged report"),
    "writes a link": (
        ("python", "-c", "import os, sys; os.symlink('/etc/hosts', sys.argv[1])", "{report}"),
        "no report",
    ),
    "is not there": (("no-such-command", "{report}"), "no report"),
    "writes too much": (writes(PASSED, "open(sys.argv[1], 'a').write(' ' * (17 << 20))"), "corrupt report"),
    "hangs": (writes(PASSED, "time.sleep(60)"), "timeout"),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_reports_are_believed_only_where_all_fits(make_project, name):
    argv, reason = COMMANDS[name]
    limits = SandboxLimits(wall_seconds=2 if name == "hangs" else 20)
    report = await run(make_project({"a": ""}), argv, limits=limits)
    assert report.reason.partition(":")[0] == reason
    assert report.all_passed == (name == "passes")


async def test_the_number_of_tests_counts(make_project):
    report = await run(make_project({"a": ""}), writes(PASSED), expected=2)
    assert report.reason == "forged report: 1 tests are reported, 2 were expected"


async def test_a_command_without_a_place_for_report_or_tests_is_refused(make_project):
    with pytest.raises(InputError, match="where its report goes"):
        JUnitRunner(Bubblewrap(), ("make", "test"))
    with pytest.raises(InputError, match="Single tests"):
        await run(make_project({"a": ""}), writes(PASSED), "a")
