import pytest

from agentinfra.proof.failures import failure_kind

TEST = "tests/a.test.js"
IN_TEST = "\n    at Object.<anonymous> (tests/a.test.js:3:5)\n    at run (node:internal/x:1:1)"
IN_CODE = "\n    at Module.minutes (file://src/code.js:3:5)\n    at tests/a.test.js:3:5"
IN_PACKAGE = "\n    at check (/x/node_modules/lib/index.js:3:5)\n    at tests/a.test.js:3:5"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AssertionError [ERR_ASSERTION]: Expected values to be strictly equal", "assertion"),
        ("AssertionError: expected 60 to be 61", "assertion"),
        ("AssertionFailedError: expected: <1> but was: <2>", "assertion"),
        ("Error: expect(received).toBe(expected) // Object.is equality", "assertion"),
        ("expect(locator).toHaveText(expected) failed", "assertion"),
        ("assert 1 == 2", "assertion"),
        ("Error: I expected (more)", "broken"),
        ("Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'src/x.js'", "missing"),
        ("Error: Cannot find module './x' from 'tests/a.test.js'", "missing"),
        ("SyntaxError: The requested module './x.js' does not provide an export named 'y'", "missing"),
        ("Error: Not implemented", "missing"),
        ("ModuleNotFoundError: No module named 'x'", "missing"),
        ("AttributeError: module 'x' has no attribute 'y'", "missing"),
        ("Error: page.goto: net::ERR_CONNECTION_REFUSED at http://127.0.0.1:1/", "missing"),
        ("TimeoutError: locator.click: Timeout 500ms exceeded.", "missing"),
        ("TypeError: code.hours is not a function" + IN_TEST, "missing"),
        ("TypeError: code.hours is not a function" + IN_PACKAGE, "missing"),
        ("TypeError: code.hours is not a function" + IN_CODE, "broken"),
        ("TypeError: Cannot read properties of undefined (reading 'x')" + IN_TEST, "missing"),
        ("TypeError: Cannot read properties of undefined (reading 'x')" + IN_CODE, "broken"),
        ("ReferenceError: later is not defined" + IN_CODE, "missing"),
        ("ReferenceError: later is not defined" + IN_TEST, "broken"),
        ("Error: boom" + IN_CODE, "broken"),
        ("Error: boom\nAssertionError: later", "broken"),
        ("Test timeout of 300ms exceeded.", "broken"),
        ("SyntaxError: Unexpected token", "broken"),
        ("", "broken"),
    ],
)
def test_why_a_test_failed(text, kind):
    assert failure_kind(text, TEST) == kind


def test_a_long_text_is_read_at_once():
    assert failure_kind("TypeError: x is not a function\n" + "    at (" * 200_000, TEST) == "missing"
