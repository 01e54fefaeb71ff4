import time

import pytest

from agentinfra.core.errors import ProofError
from agentinfra.proof.junit import read_junit
from agentinfra.proof.report import TestOutcome


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "report"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_junit(path)

    return read


def suite(inside, attributes=""):
    return f'<?xml version="1.0"?><testsuites><testsuite name="s" {attributes}>{inside}</testsuite></testsuites>'


def test_every_outcome(read):
    cases = """
        <testcase classname="tests.test_a" name="passes" time="0.25"/>
        <testcase classname="tests.test_a" name="fails" file="tests/test_a.py" line="7">
            <failure message="expected 1">&lt;trace&gt; <![CDATA[<b>]]></failure>
            <system-out>noise</system-out></testcase>
        <testcase name="breaks" time="1,234.5"><error type="builtins.ValueError" message="boom">trace</error></testcase>
        <testcase name="sk&#105;ps" time="nonsense"><skipped message="later"/></testcase>
        <testcase name="both" time="nan"><skipped/><failure message="AssertionError: no"/></testcase>
    """
    assert read(suite(cases)) == (
        TestOutcome("tests.test_a::passes", "passed", "", 0.25),
        TestOutcome(
            "tests/test_a.py::tests.test_a::fails",
            "failed",
            "expected 1\n<trace> <b>",
            0.0,
            "assertion",
            "tests/test_a.py:7",
        ),
        TestOutcome("breaks", "error", "ValueError: boom\ntrace", 1234.5, "broken"),
        TestOutcome("skips", "skipped", "later"),
        TestOutcome("both", "failed", "AssertionError: no", 0.0, "assertion"),
    )


def test_the_file_of_a_suite_is_that_of_its_cases(read):
    inner = '<testsuite file="b.js"><testcase name="x"/></testsuite><testcase name="y"/>'
    assert [test.id for test in read(suite(inner, 'file="a.js"'))] == ["b.js::x", "a.js::y"]


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        ('<failure message="TypeError: x is not a function"/>', "missing"),
        ('<failure message="ZeroDivisionError: division by zero"/>', "broken"),
        ('<failure type="java.lang.NullPointerException" message="x"/>', "broken"),
        ('<failure type="org.opentest4j.AssertionFailedError" message="expected"/>', "assertion"),
        ('<failure message="Failed">got 1</failure>', "assertion"),
        ("<error message=\"collection failure\">E   ModuleNotFoundError: No module named 'x'</error>", "missing"),
        ('<error message="setup">E   ValueError: x</error>', "broken"),
    ],
)
def test_why_it_failed(read, element, kind):
    assert read(suite(f'<testcase name="a">{element}</testcase>'))[0].kind == kind


def test_no_cases_are_no_tests(read):
    assert read(suite("")) == ()


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not whole XML"),
        ("PASS", "not whole XML"),
        (suite('<testcase name="a"/>')[:-5], "not whole XML"),
        (suite("<testcase name='a'/>&unknown;"), "not whole XML"),
        (b"\xff\xfe\x00", "not whole XML"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "not whole XML"),
        ("<html/>", "no test suites"),
        ('<testcase name="a"/>', "no test suites"),
        (BOMB + suite("&b;"), "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + suite(""), "document type"),
        ("<a>" * 100_000, "nested more than 64 deep"),
    ],
)
def test_what_is_no_report_is_corrupt(read, text, why):
    with pytest.raises(ProofError, match="corrupt report") as caught:
        read(text)
    assert why in caught.value.why


def test_ten_megabytes_are_read_quickly_and_messages_are_cut(read):
    noise = f'<testcase name="a"><failure message="no">{"x" * 5_000_000}</failure></testcase>'
    many = "".join(f'<testcase name="t{number}"/>' for number in range(200_000))
    started = time.monotonic()
    tests = read(suite(noise + many))
    assert len(tests) == 200_001 and len(tests[0].message) == 4000
    assert time.monotonic() - started < 10
