"""The review of the merged tree."""

import pytest

from agentinfra.agents.qa_agent import MergedTree, QAAgent
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.proof.triage import WHOLE_RUN
from tests.fakes.project import FakeProject


def report(*outcomes, reason=""):
    tests = tuple(TestOutcome(f"tests/test_a.py::test_{n}", outcome, f"why {n}") for n, outcome in enumerate(outcomes))
    return TestReport(tests, int("failed" in outcomes), 0.0, reason=reason)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (report("passed"), []),
        (report("failed", "passed"), [("test-failure", "error")]),
        (report("error"), [("test-failure", "error")]),
        (report("passed", "skipped", "xfailed"), [("test-skipped", "info")] * 2),
        (report(), [("test-run", "error")]),
        (report("passed", reason="timeout: no result"), [("test-run", "error")]),
    ],
)
async def test_the_suites_result_becomes_findings(given, found):
    findings = await QAAgent().arun(MergedTree({"tests/test_a.py": ""}, given))
    assert [(one.rule, one.severity) for one in findings] == found


async def test_a_tree_without_tests_is_told_of_by_its_tasks():
    assert await QAAgent().arun(MergedTree({"a.py": ""}, report())) == []


async def test_a_test_that_fails_is_found_where_it_stands():
    test = TestOutcome("tests/test_a.py::test_1", "failed", "why", location="tests/test_b.py:7")
    [finding] = await QAAgent().arun(MergedTree({}, TestReport((test,), 1, 0.0)))
    assert (finding.path, finding.line) == ("tests/test_b.py", 7)


@pytest.mark.parametrize(
    ("cause", "severity", "told"),
    [("new", "error", "failed: why"), ("pre-existing", "warning", "before the run"), ("flaky", "warning", "not every")],
)
async def test_what_failed_before_the_run_or_by_chance_is_not_its_error(cause, severity, told):
    tree = MergedTree({}, report("failed"), {"tests/test_a.py::test_0": cause})
    [finding] = await QAAgent().arun(tree)
    assert finding.severity == severity
    assert told in finding.message


async def test_a_suite_that_came_to_nothing_before_the_run_is_not_its_error():
    tree = MergedTree({}, report(reason="timeout: no result"), {WHOLE_RUN: "pre-existing"})
    [finding] = await QAAgent().arun(tree)
    assert (finding.rule, finding.severity) == ("test-run", "warning")


async def test_sources_are_reviewed_and_tests_are_not():
    files = {"a.py": "import os\n", "tests/test_a.py": "import os\n"}
    findings = await QAAgent().arun(MergedTree(files, report("passed")))
    assert [(one.rule, one.path) for one in findings] == [("UnusedImport", "a.py")]


async def test_findings_go_on_the_record_with_numbers():
    project = FakeProject()
    await QAAgent(environment=project).arun(MergedTree({"a.py": "import os\neval('1')\n"}, report("failed")))
    kinds = {(kind, agent) for kind, _, agent in project.events}
    assert kinds == {("qa_finding", ("planner", "QA"))}
    assert [(data["id"], data["rule"]) for _, data, _ in project.events] == [
        ("QA-1", "test-failure"),
        ("QA-2", "UnusedImport"),
        ("QA-3", "eval"),
    ]
    assert "why 0" in project.events[0][1]["message"]
