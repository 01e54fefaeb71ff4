import pytest

from agentinfra.proof.tamper import Change, Finding, find_tampering

TEST = "from sums import half\n\n\ndef test_half():\n    assert half(4) == 2\n"
HONEST = "def half(n):\n    return n // 2\n"
EXITS = "import sys\n\n\ndef half(n):\n    return sys._getframe(1)\n"


def change(files, **more):
    return Change(files, "tests/test_sums.py", TEST, **{"claimed": ("sums.py",), **more})


def rules(*arguments, **more):
    return [found.rule for found in find_tampering(change(*arguments, **more))]


def test_an_honest_change_says_nothing():
    assert rules({"sums.py": HONEST}) == []


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("conftest.py", "configuration"),
        ("tests/conftest.py", "configuration"),
        ("pytest.ini", "configuration"),
        ("deep/half.pth", "configuration"),
        ("sitecustomize.py", "configuration"),
        ("vitest.config.ts", "configuration"),
        ("tests/test_sums.py", "locked"),
        ("tests/data.json", "locked"),
        ("pkg/test_more.py", "locked"),
        ("json.py", "shadowing"),
        ("src/subprocess.py", "shadowing"),
    ],
)
def test_files_that_do_not_belong_to_the_task_are_told(path, rule):
    assert rules({"sums.py": HONEST, path: "x = 1\n"}) == [rule]


def test_what_the_task_claims_is_its_own_unless_it_bends_the_runner():
    assert rules({"json.py": HONEST, "tests/help.py": ""}, claimed=("json.py", "tests/help.py")) == []
    assert rules({"conftest.py": ""}, claimed=("conftest.py",)) == ["configuration"]
    assert rules({"tests/test_sums.py": ""}, claimed=("tests/test_sums.py",)) == ["locked"]


def test_the_locked_tests_as_they_are_and_files_as_they_were_are_no_change():
    assert rules({"tests/test_sums.py": TEST}) == []
    assert rules({"conftest.py": "x = 1\n"}, before={"conftest.py": "x = 1\n"}) == []


def test_modules_of_a_package_may_be_called_like_those_of_the_standard_library():
    assert rules({"shop/calendar.py": "x = 1\n"}) == []


def test_a_finding_says_where_and_what():
    (first,) = find_tampering(change({"sums.py": EXITS}))
    assert first == Finding("frames", "sums.py", 5, "looks at the frames of its callers (sys._getframe)")
    assert str(first) == "sums.py:5 looks at the frames of its callers (sys._getframe)"


def test_what_stood_there_before_is_held_against_nobody():
    assert rules({"sums.py": EXITS + "\n\nx = 1\n"}, before={"sums.py": EXITS}) == []
    assert rules({"sums.py": EXITS}, before={"sums.py": HONEST}) != []


def test_a_requirement_may_ask_for_the_means():
    assert rules({"sums.py": EXITS}, stated="half(n) shows the locals of the caller's frame") == []
    assert rules({"sums.py": EXITS}, stated="half(n) is half of n") != []


def test_what_is_no_python_is_left_to_the_tests():
    assert rules({"sums.py": "def half(", "page.html": "<p>pytest</p>"}) == []
