import pytest

from agentinfra.core.tasks import Task
from agentinfra.spec.document import parse
from agentinfra.spec.imports.format import Imported, LeftOut, Section, tidy
from agentinfra.spec.requirements import Spec

SPEC = Spec("Tea", "", "Drink")


def test_what_is_written_is_a_draft_of_no_run():
    text = Imported(Spec("Tea", "", "Drink", status="done", id="run-1")).spec_text
    assert parse(text) == SPEC


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# A\n## B\n### C\n#### D", "#### A\n##### B\n###### C\n#### D"),
        ("\n\nprose\n\n\nmore\n", "prose\n\n\nmore"),
        ("```\n# code\n```", "```\n# code\n```"),
        ("```\n# open", "\\```\n#### open"),
        ("<!--\n# a\n-->", "<!--\n# a\n-->"),
        ("<!-- open", "\\<!-- open"),
        ("File: x", "File: x"),
        ("#", "####"),
    ],
)
def test_prose_stays_in_its_section(text, shown):
    written = Imported(SPEC, sections=(Section("Notes", text), Section("Goal", "none"))).spec_text
    assert written.endswith(f"\n## Notes\n\n{shown}\n\n## Goal (imported)\n\nnone\n")
    assert parse(written) == SPEC


def test_a_title_is_one_line():
    assert "\n## A # B\n" in Imported(SPEC, sections=(Section("A\n# B", ""),)).spec_text


def test_tasks_are_pending_and_none_make_no_document():
    assert Imported(SPEC).tasks_text == ""
    assert "- [ ] T-1 · Brew _(pending)_" in Imported(SPEC, (Task("T-1", "Brew", (), ()),)).tasks_text


def test_a_place_is_what_editors_open():
    assert LeftOut("a/b.md", 7, "x", "y").place == "a/b.md:7"


def test_tidy_prose_has_no_blank_lines_at_its_ends_and_none_twice():
    assert tidy(["", " ", "a ", "", "", " b", "", ""]) == "a\n\n b"
