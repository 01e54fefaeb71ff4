import csv
import io

import pytest

from agentinfra.spec.trace import Link, Place
from agentinfra.workflow.trace_export import COLUMNS, exported

PLACES = (Place("a.py", 1, 3), Place("b.py", 2, 2))
LINKS = [
    Link("FR-1", "Tea | <b>hot</b>\x1b[31m", "T-1", "r1", "c" * 40, ("t.py::test_a",), True, PLACES),
    Link("FR-2", "=1+1", "T-2", "r1", "d" * 40, why="it is blocked"),
    Link("FR-3", "Cup", why="no task of it is in this history"),
]


def test_text_tells_what_is_proven_and_what_is_not():
    text = exported(LINKS, (1, 3), "text")
    assert "  T-1 proven, commit cccccccccc, run r1\n    test  t.py::test_a\n    lines a.py:1-3\n" in text
    assert "T-2 not proven: it is blocked" in text
    assert "  ✗ no task of it is in this history" in text
    assert text.endswith("1 of 3 requirements proven by tests\n")
    assert "\x1b" not in text


def test_a_spreadsheet_gets_rows_and_no_formula():
    rows = list(csv.reader(io.StringIO(exported(LINKS, (1, 3), "csv"))))
    assert rows[0] == list(COLUMNS)
    assert [row[1] for row in rows[2:]] == ["'=1+1", "Cup"]
    assert rows[1][6] == "a.py:1-3; b.py:2"
    assert len(rows) == 4


@pytest.mark.parametrize(("form", "safe"), [("markdown", r"Tea \| &lt;b>hot"), ("html", "Tea | &lt;b&gt;hot")])
def test_titles_cannot_break_the_table(form, safe):
    text = exported(LINKS, (1, 3), form)
    assert safe in text
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "1 of 3 requirements proven by tests" in text
