"""Reading the cases of the idea benchmark."""

import pytest
from idea_cases import load_cases

from agentinfra.core.errors import InputError


def test_cases_are_read_in_order_without_their_front_matter(cases_folder):
    levels, echo = load_cases(cases_folder)
    assert (levels.name, levels.step, echo.name, echo.step) == ("01-levels", 1, "02-echo", 3)
    assert levels.idea == "Write `levels.py` with mix(first, second).\n"
    assert levels.test == cases_folder / "01-levels" / "acceptance_test.py"


def test_some_are_chosen_by_the_beginning_of_their_names(cases_folder):
    assert [case.name for case in load_cases(cases_folder, ["02"])] == ["02-echo"]


@pytest.mark.parametrize("file", ["idea.md", "acceptance_test.py"])
def test_the_digest_changes_with_the_wording_and_with_the_tests(cases_folder, file):
    before = load_cases(cases_folder)[0].digest
    path = cases_folder / "01-levels" / file
    path.write_text(path.read_text() + "# more\n")
    assert load_cases(cases_folder)[0].digest != before


def test_a_step_alone_does_not_change_it(cases_folder):
    before = load_cases(cases_folder)[0].digest
    path = cases_folder / "01-levels" / "idea.md"
    path.write_text(path.read_text().replace("step: 1", "step: 2"))
    after = load_cases(cases_folder)[0]
    assert (after.digest, after.step) == (before, 2)


@pytest.mark.parametrize(("only", "named"), [(["01", "77"], "77"), (["levels"], "levels")])
def test_an_unknown_case_is_named(cases_folder, only, named):
    with pytest.raises(InputError, match=f"no case {named}"):
        load_cases(cases_folder, only)


def test_a_folder_without_cases_is_refused(tmp_path):
    with pytest.raises(InputError, match="there are 0"):
        load_cases(tmp_path)


@pytest.mark.parametrize("text", ["no front matter", "---\nstep: hard\n---\nx"])
def test_a_case_without_a_step_is_refused(cases_folder, text):
    (cases_folder / "02-echo" / "idea.md").write_text(text)
    with pytest.raises(InputError, match="02-echo is no case"):
        load_cases(cases_folder)


def test_a_case_without_tests_is_refused(cases_folder):
    (cases_folder / "01-levels" / "acceptance_test.py").unlink()
    with pytest.raises(InputError, match="01-levels is no case"):
        load_cases(cases_folder)
