"""Feature folders of spec-kit, made with its own scripts and templates: all that stands there is accounted for."""

import os
import random
import re
import shutil
import time
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, SpecError
from agentinfra.core.tasks import Task
from agentinfra.spec.document import parse
from agentinfra.spec.imports.spec_kit import SpecKit
from agentinfra.spec.requirements import Criterion, Question
from agentinfra.spec.tasks_document import parse_tasks

FEATURE = Path(__file__).parent / "sources" / "spec_kit" / "001-tea-timer"
FILES = ["spec.md", "plan.md", "tasks.md", "data-model.md", "contracts/command.md", "contracts/teas.yaml"]
# Headings of the template that a spec.md of this project expresses by its own.
OWN = {"user scenarios testing mandatory", "requirements mandatory", "functional requirements", "out of scope"}
OWN |= {"success criteria mandatory", "measurable outcomes", "clarifications", "acceptance scenarios"}
# Markers of lists, check boxes and ids, which the result spells differently.
MARKS = r"(?:#+ |\s*[-*+] |\s*\d+\. )?(?:\[[ x]\] T\w+ (?:\[P\] ?)?(?:\[US\d\] )?|\*\*FR-\d+\*\*: |User Story \d - )?"
LABELS = r"Feature Specification: |\*\*Input\*\*: User description: |Q: "


def squeezed(text):
    return " ".join(["", *re.findall(r"\w+", text.lower()), ""])


def everything(imported):
    left_out = "\n".join(one.what for one in imported.left_out)
    return squeezed(f"{imported.spec_text}\n{imported.tasks_text}\n{left_out}")


def lost(folder):
    """Lines of a folder's files whose words are neither in the result nor in what was left out."""
    said = everything(SpecKit().read(folder))
    lines = [(name, line) for name in FILES for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    return [where for where in lines if not all(is_said(part, said) for part in where[1].split(" → A: "))]


def is_said(line, said):
    words = squeezed(re.sub(LABELS, "", re.sub(MARKS, "", line, count=1), count=1))
    return not words.strip() or words.strip() in OWN or words in said


@pytest.fixture
def feature(tmp_path):
    folder = tmp_path / FEATURE.name
    shutil.copytree(FEATURE, folder)
    return folder


def changed(feature, name, old, new):
    path = feature / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def added(feature, text, name="spec.md"):
    path = feature / name
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return SpecKit().read(feature)


def test_every_line_of_every_file_is_in_the_result_or_left_out(feature):
    assert lost(feature) == []


def test_a_line_that_is_nowhere_is_found():
    imported = SpecKit().read(FEATURE)
    assert is_said("- **FR-003**: System MUST refuse a tea that it does not know", everything(imported))
    assert not is_said("- **FR-003**: System MUST refuse a coffee", everything(imported))


@pytest.mark.parametrize("form", ["{}", "- {}", "  {}", "#### {}", "**{}**: x", "1. {}", "> {}", "    - {}", "| {} |"])
@pytest.mark.parametrize("name", ["spec.md", "tasks.md", "plan.md"])
def test_a_line_anywhere_is_carried_or_left_out(feature, name, form):
    path = feature / name
    lines = path.read_text(encoding="utf-8").split("\n")
    words = [f"zz{number}zz" for number in range(len(lines) + 1)]
    mixed = [part for word, line in zip(words, ["", *lines], strict=True) for part in (line, form.format(word))]
    path.write_text("\n".join(mixed[1:]), encoding="utf-8")
    said = everything(SpecKit().read(feature))
    assert [word for word in words if f" {word} " not in said] == []


FRAGMENTS = [
    *("```", "~~~", "<!--", "-->", "#", "##", "---", "Acceptance:"),
    *(f"## {title}" for title in ("Goal", "Overview", "Clarifications", "Out of Scope", "Requirements", "{}")),
    *("- Q: {} → A: b", "- Q: a → A: {}", "- **FR-00{}**: q", "- **FR-001**: {}", "### FR-3: {}", "- ", "  - {}"),
    *("1. **Given** {}, **When** b, **Then** c", "   **When** {}", "   And {}", "> {}", "<!-- {} -->", "{}"),
    *("- [x] T001 [US1] [P] {} (depends on T002-T004)", "- [ ] T002 {}", "File: {}", "**Input**: {}"),
    *("**Status**: {}", "[NEEDS CLARIFICATION: {}]", "### User Story 1 - {}", "#### Acceptance Scenarios"),
]


@pytest.mark.parametrize("seed", range(150))
def test_any_mixture_of_lines_is_accounted_for(feature, seed):
    chance = random.Random(seed)
    words = [f"zz{number}zz" for number in range(60)]
    for name, some in (("spec.md", words[:30]), ("tasks.md", words[30:50]), ("plan.md", words[50:])):
        known = (FEATURE / name).read_text(encoding="utf-8").split("\n")
        lines = [part for word in some for part in (chance.choice(known), chance.choice(FRAGMENTS).format(word))]
        (feature / name).write_text("\n".join(lines), encoding="utf-8")
    wanted = {
        word for name in FILES[:3] for word in re.findall(r"zz\d+zz", (feature / name).read_text(encoding="utf-8"))
    }
    try:
        imported = SpecKit().read(feature)
    except SpecError as error:
        assert "circle" in error.what
        return
    assert wanted - set(re.findall(r"zz\d+zz", everything(imported))) == set()
    assert parse(imported.spec_text) == imported.spec
    assert parse_tasks(imported.tasks_text) == imported.tasks


def test_what_is_written_reads_as_what_was_imported():
    imported = SpecKit().read(FEATURE)
    assert parse(imported.spec_text) == imported.spec
    assert parse_tasks(imported.tasks_text) == imported.tasks


def test_the_feature_becomes_a_draft_with_its_requirements():
    spec = SpecKit().read(FEATURE).spec
    assert (spec.title, spec.status, spec.id) == ("Tea timer", "draft", "")
    assert spec.idea == "A tea timer for the terminal: name a tea, get a countdown and a bell"
    ids = [one.id for one in spec.requirements]
    assert ids == ["FR-001", "FR-002", "FR-003", "FR-004", "FR-005", "NFR-001", "NFR-002", "FR-006", "FR-007"]
    assert spec.requirements[0].statement.split("\n")[1:] == ["- green: 120 seconds", "- black: 240 seconds"]
    assert spec.requirements[5].statement == "SC-001: The bell is at most 0.5 seconds late"
    assert spec.out_of_scope == ("Several timers at once", "A window of its own, on any system")
    assert spec.interface == ("`contracts/command.md`, as written below", "`contracts/teas.yaml`, as written below")


def test_a_story_is_a_requirement_with_its_scenarios_as_criteria():
    spec = SpecKit().read(FEATURE).spec
    story = next(one for one in spec.requirements if one.id == "FR-006")
    assert story.criteria == (
        Criterion("a terminal", "`tea green` is run", "the screen shows 120"),
        Criterion("a countdown at 1", "a second passes", "the bell rings **And** the program ends"),
        Criterion("", "`tea coffee` is run", "the exit code is 2"),
    )
    assert story.statement.endswith("4. Nobody has to press a key.")
    assert spec.stories[0] == "User Story 1 - Brew green tea (Priority: P1) 🎯 MVP"


def test_what_is_unclear_becomes_questions_and_what_was_clarified_answered_ones():
    questions = SpecKit().read(FEATURE).spec.questions
    assert [one.id for one in questions] == ["Q-1", "Q-2", "Q-3"]
    assert (questions[0].text, questions[0].answer) == ("a file of the user's, or the program?", None)
    assert questions[1] == Question(
        "Q-2", "Which teas are there at first?", "Session 2026-03-03", answer="green and black"
    )
    assert (questions[2].text, questions[2].why) == ("Storage: NEEDS CLARIFICATION", "It is open in plan.md, line 25")


def test_tasks_keep_their_ids_files_and_order():
    tasks = {task.id: task for task in SpecKit().read(FEATURE).tasks}
    assert tasks["T-004"] == Task(
        "T-004",
        "Write the table of teas in src/tea.py (FR-001, FR-003)",
        ("FR-001", "FR-003"),
        ("src/tea.py",),
        depends_on=("T-002", "T-003"),
    )
    assert tasks["T-006"].files == ("tests/test_bell.py",)
    assert tasks["T-006"].depends_on == tasks["T-005"].depends_on == ("T-004",)
    assert tasks["T-007"].depends_on == ("T-004", "T-005", "T-006")
    assert tasks["T-009"].depends_on == ("T-004",), "stories run side by side"
    assert tasks["T-011"].depends_on == ("T-004", "T-008", "T-009"), "the last phase waits for all"


def test_phases_follow_each_other_and_stories_of_one_stretch_do_not(feature):
    phases = ["T001 a", "T002 [US1] b", "T003 [US2] c", "T004 [US1] d", "T005 e", "T006 [US2] f", "T007 g"]
    text = "".join(f"## Phase\n\n- [ ] {phase}\n" for phase in phases)
    (feature / "tasks.md").write_text(text, encoding="utf-8")
    assert [task.depends_on for task in SpecKit().read(feature).tasks] == [
        (),
        ("T-001",),
        ("T-001",),
        ("T-002",),
        ("T-001", "T-004", "T-003"),
        ("T-005",),
        ("T-005", "T-006"),
    ]


def test_what_has_no_place_is_listed_with_its_place_and_a_reason():
    left_out = {(one.place, one.what): one.why for one in SpecKit().read(FEATURE).left_out}
    assert left_out["spec.md:7", "**Status**: Approved"] == "what is imported is a draft: read it, then approve it here"
    assert left_out["spec.md:67", "FR-004"] == "the id is used twice, or is no number; it is FR-005 here"
    assert left_out["tasks.md:33", "[x] T001"] == "the engine alone says that T-001 is done, by its proofs"
    assert left_out["tasks.md:69", "dependency on T099"] == "there is no task of this id"
    assert left_out["tasks.md:91", "TXXX"].endswith("it is T-011 here")
    assert left_out["tasks.md:93", "[US7]"] == "spec.md has no story of this number"
    assert [one.what[:4] for one in SpecKit().read(FEATURE).left_out].count("<!--") == 3


def test_a_source_that_says_it_is_approved_is_a_draft_all_the_same():
    assert "status: draft\napproved:\n---" in SpecKit().read(FEATURE).spec_text


def test_prose_cannot_open_a_section_that_is_read(feature):
    imported = added(feature, "\n## Open Questions\n\nnone of ours\n\n## Notes\n\n```\n# not closed\n")
    assert parse(imported.spec_text) == imported.spec
    assert "\n## Open Questions (imported)\n\nnone of ours\n" in imported.spec_text
    (feature / "plan.md").write_text("# Plan\n\n## Goal\n\n### FR-009 · x\n\n<!-- open\n\n```\n", encoding="utf-8")
    imported = SpecKit().read(feature)
    assert parse(imported.spec_text) == imported.spec
    assert imported.spec.goal == ""


@pytest.mark.parametrize(
    ("line", "name", "statement"),
    [
        ("- **FR-008**: x", "FR-008", "x"),
        ("- **FR-008** (US1): x", "FR-008", "(US1): x"),
        ("- FR-008 - x", "FR-008", "x"),
        ("- **FR-008:** x", "FR-008", "x"),
        ("**FR-008**: x", "FR-008", "x"),
        ("- **FR-A7**: x", "FR-006", "FR-A7: x"),
        ("- **NFR-004**: x", "NFR-004", "x"),
        ("#### FR-008: x", "FR-008", "x"),
    ],
)
def test_requirements_are_found_however_they_are_written(feature, line, name, statement):
    changed(feature, "spec.md", "### Key Entities", f"{line}\n\n### Key Entities")
    found = {one.id: one.statement for one in SpecKit().read(feature).spec.requirements}
    assert found[name] == statement


def test_the_older_template_with_one_primary_story(feature):
    text = "# Feature Specification: Tea\n\n## User Scenarios & Testing\n\n### Primary User Story\nA guest drinks.\n\n"
    text += "### Acceptance Scenarios\n1. **Given** tea, **When** drunk, **Then** warm\n\n### Edge Cases\n- Cold?\n"
    (feature / "spec.md").write_text(text, encoding="utf-8")
    spec = SpecKit().read(feature).spec
    assert [(one.statement, one.criteria) for one in spec.requirements] == [
        ("A guest drinks.", (Criterion("tea", "drunk", "warm"),))
    ]


def test_scenarios_that_are_no_criteria_stay_prose(feature):
    text = "# Tea\n\n## User Scenarios & Testing\n\n### User Story 1 - Brew\nA guest drinks.\n**Acceptance**:\n"
    text += "```\ncup\n```\n1. **Given** tea, **When** drunk, **Then** warm\n2. **Given** tea, **Then** wet\n"
    text += "#### More\nFile: none\n"
    (feature / "spec.md").write_text(text, encoding="utf-8")
    imported = SpecKit().read(feature)
    assert imported.spec.requirements[0].criteria == (Criterion("tea", "drunk", "warm"),)
    assert imported.spec.requirements[0].statement == (
        "A guest drinks.\n```\ncup\n```\n2. **Given** tea, **Then** wet\n**More**\n\nFile: none"
    )
    assert parse(imported.spec_text) == imported.spec


def test_only_the_first_input_is_the_idea(feature):
    changed(feature, "spec.md", "**Status**: Approved", "**Input**: first\nline\n\n**Status**: Draft\n\nafter")
    imported = SpecKit().read(feature)
    assert imported.spec.idea == "first\nline"
    assert imported.sections[0].text.endswith(
        "after\n\n**Input**: User description: "
        + '"A tea timer for the terminal: name a tea, get a countdown and a bell"'
    )


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("in src/a.py, src/b-c.test.ts", ("src/a.py", "src/b-c.test.ts")),
        ("in `setup.py` and `app/[id]/page.tsx`", ("setup.py", "app/[id]/page.tsx")),
        ("set `config.unlock_in`, see e.g. Node.js", ()),
        ("see https://example.org/a.html and `db/*_x.rb`", ()),
        ("in ../other/a.py or /etc/a.conf or `/etc/b.conf`", ()),
        ("in src/.", ()),
    ],
)
def test_files_are_those_that_a_task_names(feature, text, files):
    changed(feature, "tasks.md", "Add the license", text)
    assert {task.id: task.files for task in SpecKit().read(feature).tasks}["T-003"] == files


def test_dependencies_that_contradict_the_order_of_the_list_win(feature):
    changed(feature, "tasks.md", "Add the license", "Add the license (depends on T008)")
    imported = SpecKit().read(feature)
    tasks = {task.id: task.depends_on for task in imported.tasks}
    assert (tasks["T-003"], tasks["T-002"]) == (("T-008",), ())
    assert ("tasks.md:1", "the order of the list") in {(one.place, one.what) for one in imported.left_out}


def test_tasks_in_a_circle_are_refused_with_the_path(feature):
    changed(feature, "tasks.md", "Add the license", "Add the license (depends on T008)")
    changed(feature, "tasks.md", "T006-T007, T099", "T003")
    with pytest.raises(SpecError, match=r"tasks\.md: .* circle: T-003 → T-008 → T-003.*Take one of the dependencies"):
        SpecKit().read(feature)


def test_files_that_are_no_text_and_links_to_elsewhere_are_left_out(feature, tmp_path):
    (tmp_path / "secret.md").write_text("secret")
    (feature / "notes.md").symlink_to(tmp_path / "secret.md")
    (feature / "all").symlink_to(tmp_path)
    (feature / "picture.png").write_bytes(b"\x89PNG\0")
    (feature / "old.md").write_bytes("Größe".encode("latin-1"))
    (feature / "zeros.txt").write_bytes(b"a\0b")
    with (feature / "large.md").open("wb") as file:
        file.truncate(50_000_000)
    os.mkfifo(feature / "pipe")
    imported = SpecKit().read(feature)
    whys = {one.path: one.why for one in imported.left_out if one.path not in FILES}
    assert whys.keys() == {"notes.md", "all", "picture.png", "old.md", "zeros.txt", "large.md", "pipe"}
    assert whys["notes.md"] == whys["all"] == "it is a link to somewhere else"
    assert whys["large.md"] == "large.md is too large: It has 50 MB; a specification has at most 10"
    assert whys["pipe"] == "pipe is no file"
    assert "secret" not in imported.spec_text


def test_documents_are_read_up_to_ten_megabytes_together_and_a_thousand_files(feature):
    for name in ("v.md", "w.md"):
        (feature / name).write_text("x " * 3_000_000)
    (feature / "z").mkdir()
    for number in range(1_000):
        (feature / "z" / f"{number:04}.txt").touch()
    whys = {one.path: one.why for one in SpecKit().read(feature).left_out}
    assert "v.md" not in whys
    assert whys["w.md"] == "with it the documents have more than 10 MB"
    assert [name for name in whys if name.startswith("z/")] == [f"z/{number:04}.txt" for number in range(994, 1_000)]
    assert whys["z/0999.txt"] == "a feature has at most 1000 documents"


@pytest.mark.parametrize(
    "line",
    [
        "FR-" + "1" * 100_000 + "!",
        "_" * 100_000,
        "*" * 100_000 + "FR-1",
        "- FR-" + "-1." * 50_000,
        "[NEEDS CLARIFICATION " * 10_000,
        "## " + "(" * 100_000,
        "### " + "*" * 100_000 + "(mandatory",
        "- [ ] T001 " + "@" * 100_000 + "a/" * 50_000,
        "- [ ] T001 " + "depends on T1-T9" * 5_000,
        "- Q: " + "→ A" * 30_000,
        "> " * 50_000,
    ],
)
def test_hostile_lines_take_no_time(feature, line):
    for name in ("spec.md", "tasks.md"):
        path = feature / name
        path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    began = time.process_time()
    SpecKit().read(feature)
    assert time.process_time() - began < 2


def test_a_spec_that_is_not_utf_8_is_refused_with_its_line(feature):
    (feature / "spec.md").write_bytes("# Tea\n\nGröße\n".encode("latin-1"))
    with pytest.raises(SpecError, match=r"spec\.md:3 cannot be imported\. byte 0xf6 is not UTF-8\. Save it as UTF-8\."):
        SpecKit().read(feature)


def test_recognised_are_features_and_their_spec_but_not_our_own_documents(feature, tmp_path):
    assert SpecKit().recognises(feature)
    assert SpecKit().recognises(feature / "spec.md")
    assert not SpecKit().recognises(feature / "plan.md")
    assert not SpecKit().recognises(feature.parent)
    (tmp_path / "spec.md").write_text("---\nid: r1\nstatus: draft\n---\n# Tea\n\n## Goal\n")
    assert not SpecKit().recognises(tmp_path)
    with pytest.raises(InputError, match=r"holds no spec\.md"):
        SpecKit().read(feature / "contracts")
