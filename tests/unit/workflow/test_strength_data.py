"""Reading the events that tell how strong tests are."""

from agentinfra.workflow.strength_data import Strength, read_strength

SURVIVOR = {"change": "`<=` for `<`", "file": "pace.py", "line": 12, "symbol": "f", "told_by": "f(0) gives 1"}


def test_each_requirement_has_its_mutants():
    each = [{"id": "FR-1", "tried": 9, "killed": 7, "survivors": [SURVIVOR, {"change": "`1` for `0`", "line": 3}]}]
    data = {"task": "T-1", "against": "mutants", "requirements": each}
    told = ("`<=` for `<` in line 12 (f(0) gives 1)", "`1` for `0` in line 3")
    assert read_strength(data) == (Strength("FR-1", 9, 7, told),)


def test_what_is_not_known_says_why():
    data = {"against": "mutants", "requirements": [{"id": "FR-1", "tried": 0, "killed": 0}], "reason": "It loops"}
    assert read_strength(data) == (Strength("FR-1", 0, 0, (), "It loops"),)


def test_thoughtless_implementations_are_another_matter():
    assert read_strength({"against": "trivial", "requirements": [{"id": "FR-1", "tried": 5, "killed": 5}]}) == ()


def test_data_of_another_shape_is_read_as_far_as_it_goes():
    assert read_strength({}) == ()
    assert read_strength({"against": "mutants", "requirements": [3, {"survivors": "x", "tried": "9"}]}) == (
        Strength("", 0, 0),
    )
