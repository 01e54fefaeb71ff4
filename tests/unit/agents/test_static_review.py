"""Findings that need no model and no execution."""

import pytest

from agentinfra.agents.static_review import review


def findings(source, path="a.py"):
    return [(one.rule, one.line, one.severity) for one in review({path: source})]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    return 1\n", []),
        ("def f():\n    return x\n", [("UndefinedName", 2, "error")]),
        ("import os\n", [("UnusedImport", 1, "info")]),
        ("def f():\n    x = 1\n", [("UnusedVariable", 2, "info")]),
        ("try:\n    f = 1\nexcept:\n    f = 2\n", [("bare-except", 3, "warning")]),
        ("try:\n    f = 1\nexcept ValueError:\n    f = 2\n", []),
        ("eval('1')\nexec('2')\n", [("eval", 1, "warning"), ("eval", 2, "warning")]),
        ("class C:\n    def eval(self):\n        return self.eval()\n", []),
        ("def f():\n    pass\n", [("empty-body", 1, "warning")]),
        ("async def f():\n    '''Later.'''\n    ...\n", [("empty-body", 1, "warning")]),
        ("def f():\n    '''Really.'''\n    return None\n", []),
        ("def f(:\n", [("syntax", 1, "error")]),
        ("x = 1\0", [("syntax", 0, "error")]),
        ("x = " + "-" * 3000 + "1\n", [("syntax", 0, "error")]),
        ("", []),
    ],
)
def test_rules(source, expected):
    assert findings(source) == expected


def test_findings_come_in_the_order_of_path_and_line():
    files = {"b.py": "import os\n", "a.py": "eval('1')\nimport sys\n", "page.html": "<p>import os"}
    assert [(one.path, one.line) for one in review(files)] == [("a.py", 1), ("a.py", 2), ("b.py", 1)]


def test_a_message_is_a_sentence_for_people():
    [finding] = review({"a.py": "print(missing)\n"})
    assert finding.message == "undefined name 'missing'"
