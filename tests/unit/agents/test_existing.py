"""What of a specification is in the code today."""

import pytest

from agentinfra.agents.existing import MAX_CODE, describe_today, there_today
from agentinfra.spec.requirements import Requirement, Spec

SOURCE = '''import re


def brew(kind: str, cups=2):
    """Brew."""
    return kind * cups


class Kettle:
    def boil(self): ...


def main(): brew("a")
'''


def asked(*symbols, file="tea.py"):
    return Spec("Tea", "", "", (Requirement("FR-1", "t", "s", file, symbols),))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (asked("brew(kind)"), {"FR-1": "brew(kind: str, cups=2)"}),
        (asked("class Kettle(litres)", "Kettle.boil()"), {"FR-1": "class Kettle"}),
        (asked("pour(cup)"), {}),
        (asked("boil()"), {}),  # a method of that name is another thing
        (asked(), {"FR-1": "tea.py"}),
        (asked("brew(kind)", file="new.py"), {}),
    ],
)
def test_today_is_what_the_code_has_by_these_names(spec, found):
    assert there_today(spec, {"tea.py": SOURCE}) == found


def test_code_that_cannot_be_read_has_nothing():
    assert there_today(asked("brew(kind)"), {"tea.py": "def brew(:"}) == {}
    assert there_today(asked("brew(kind)"), {"tea.py": "\0"}) == {}


def test_a_model_is_shown_the_whole_of_what_it_changes_or_nothing():
    told = describe_today(SOURCE, ["brew(kind)", "pour(cup)"])
    assert 'def brew(kind: str, cups=2):\n    """Brew."""\n    return kind * cups\n```' in told
    assert "Kettle" not in told
    assert describe_today(SOURCE, ["pour(cup)"]) == ""
    assert describe_today(f"def brew():\n    return {'x' * MAX_CODE!r}\n", ["brew()"]) == ""
