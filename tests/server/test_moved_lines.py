"""Which line of an edited text was which line of the committed one."""

import pytest
from agentinfra_server.session.moved_lines import number_in

COMMITTED = ["def f():", "    return 1", "", "def g():", "    return 2"]


@pytest.mark.parametrize(
    ("edited", "line", "number"),
    [
        (COMMITTED, 0, 1),
        (COMMITTED, 4, 5),
        (COMMITTED, 5, None),
        (["import os", *COMMITTED], 0, None),
        (["import os", *COMMITTED], 2, 2),
        (["def f():", "    return 7", *COMMITTED[2:]], 1, None),
        (["def f():", "    return 7", *COMMITTED[2:]], 4, 5),
        ([], 0, None),
    ],
)
def test_a_line_that_was_edited_has_no_past(edited, line, number):
    assert number_in(COMMITTED, edited, line) == number
