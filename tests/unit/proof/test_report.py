import json

import pytest

from agentinfra.core.errors import ProofError
from agentinfra.proof.report import TestOutcome, TestReport, read_outcomes

PASSED = TestOutcome("t.py::a", "passed", "", 0.1, location="t.py:3")
FAILED = TestOutcome("t.py::b", "failed", "assert 1 == 2", 0.2, "assertion")
ERROR = TestOutcome("t.py::c", "error", "boom", 0.0, "broken")


def test_it_counts():
    report = TestReport((PASSED, FAILED, ERROR, PASSED), 1, 2.0)
    assert (report.passed, report.count("failed"), report.count("skipped")) == (2, 1, 0)
    assert report.failures == (FAILED, ERROR)


@pytest.mark.parametrize(
    "report",
    [
        TestReport((), 0, 1.0),
        TestReport((PASSED,), 1, 1.0),
        TestReport((PASSED,), 0, 1.0, reason="timeout: no result"),
        TestReport((PASSED, FAILED), 1, 1.0),
        TestReport((PASSED, TestOutcome("t.py::s", "skipped")), 0, 1.0),
        TestReport((PASSED, TestOutcome("t.py::x", "xfailed")), 0, 1.0),
    ],
)
def test_all_passed_means_all_of_something(report):
    assert TestReport((PASSED,), 0, 1.0).all_passed
    assert not report.all_passed


def test_reports_from_before_locations_are_still_read():
    assert read_outcomes([{"id": "a", "outcome": "passed"}])[0].location == ""


def test_it_survives_json():
    report = TestReport((PASSED, FAILED), 1, 2.5, "out", "err", "forged report: no")
    assert TestReport.from_json(json.loads(json.dumps(report.to_json()))) == report


@pytest.mark.parametrize("data", [{}, {"tests": 5}, {"tests": []}, {"tests": [], "exit_code": 0, "seconds": 1, "x": 1}])
def test_what_is_no_report_is_refused(data):
    with pytest.raises(ProofError):
        TestReport.from_json(data)


@pytest.mark.parametrize(
    "item",
    [
        {"id": "a"},
        {"id": "a", "outcome": "great"},
        {"id": "a", "outcome": "passed", "kind": "odd"},
        {"id": 1, "outcome": "passed"},
        {"id": "a", "outcome": "passed", "message": None},
        {"id": "a", "outcome": "passed", "seconds": "1"},
        {"id": "a", "outcome": ["passed"]},
        {"id": "a", "outcome": "passed", "location": 7},
    ],
)
def test_what_is_no_outcome_is_refused(item):
    with pytest.raises(ProofError, match="corrupt report"):
        read_outcomes([item])
