"""One document that breaks each rule, with the place, and one that comes near without breaking it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agentinfra.core.tasks import TaskState
from agentinfra.spec.checks.rules import RULES
from agentinfra.spec.diagnostics import Diagnostic, Document, KnownTest, RunFacts, check_documents, with_fixes
from agentinfra.spec.front_matter import body_sha
from agentinfra.spec.source import Span
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_source import read_tasks

SPEC = """---
id: run-1
status: draft
---

# Tea timer

> Tea should be fast and easy, FR-99.

## Goal

Good tea.

## Requirements

### FR-1 · Brew

Green tea takes 2 minutes.

File: `tea.py`

Interface:

- `brew(kind)`

Acceptance:

- `brew("green")` returns `2` _(stated)_

### NFR-2 · Memory

The timer needs at most 10 MB.

File: `timer.py`

Acceptance:

- Given a kettle
  When it boils
  Then the timer begins

## Open questions

- [x] Q-1 · Which unit?
  - Recommended: minutes
  - Answer: minutes
"""
TASKS = """# Tasks

- [ ] T-1 · Brew _(pending)_
  - Requirements: FR-1
  - Files: `tea.py`
  - Symbols: `brew(kind)`
- [ ] T-2 · Memory _(pending)_
  - Requirements: NFR-2
  - Files: `timer.py`
  - Depends on: T-1
"""
ACCEPTED = "\n\nAcceptance:\n\n- `x()` returns `1`\n"
BUILT = RunFacts(
    "run-1",
    "done",
    body_sha(SPEC),
    {"T-1": TaskState.DONE, "T-2": TaskState.BLOCKED},
    tests=(KnownTest("t.py::a", ("FR-1",)),),
)


def facts(spec: str, **changes: object) -> RunFacts:
    """What is on record where this text was approved."""
    return replace(BUILT, approved_sha=body_sha(spec), **changes)  # type: ignore[arg-type]


@dataclass
class Texts:
    """A specification and its tasks; ``«`` and ``»`` enclose the place where a finding is expected."""

    spec: str = SPEC
    tasks: str | None = TASKS
    facts: RunFacts | None = None

    def spec_with(self, old: str, new: str) -> Texts:
        assert self.spec.count(old) == 1, old
        return replace(self, spec=self.spec.replace(old, new))

    def tasks_with(self, old: str, new: str) -> Texts:
        assert self.tasks is not None
        assert self.tasks.count(old) == 1, old
        return replace(self, tasks=self.tasks.replace(old, new))

    def on_record(self, **changes: object) -> Texts:
        return replace(self, facts=facts(_plain(self.spec), **changes))

    def findings(self) -> list[Diagnostic]:
        tasks = None if self.tasks is None else read_tasks(_plain(self.tasks))
        return check_documents(read_spec(_plain(self.spec)), tasks, self.facts)

    def places(self) -> list[tuple[Document, Span]]:
        return [*_marked("spec", self.spec), *_marked("tasks", self.tasks or "")]


def _plain(text: str) -> str:
    return text.replace("«", "").replace("»", "")


def _marked(document: Document, text: str) -> list[tuple[Document, Span]]:
    found: list[tuple[Document, Span]] = []
    for number, part in enumerate(text.split("«")[1:], 1):
        start = text.replace("»", "").index("«") if number == 1 else len(_plain("«".join(text.split("«")[:number])))
        found.append((document, Span(start, start + part.index("»"))))
    return found


GOOD = Texts()
STATUS = GOOD.spec_with("status: draft", "status: «done»")

BROKEN: dict[str, tuple[str, Texts]] = {
    "a heading without an id": (
        "unreadable",
        GOOD.spec_with("### NFR-2 · Memory\n", "«### Memory»\n### NFR-2 · Memory\n"),
    ),
    "a check box that is no task": ("unreadable", GOOD.tasks_with("# Tasks\n", "# Tasks\n\n«- [ ] brew»\n")),
    "an id that two requirements have": (
        "duplicate-id",
        GOOD.spec_with("## Open", f"### «FR-1» · Pour\n\nPour it.{ACCEPTED}\n## Open"),
    ),
    "an id that two questions have": ("duplicate-id", Texts(SPEC + "- [x] «Q-1» · Which?\n  - Answer: this\n")),
    "an id that two tasks have": ("duplicate-id", Texts(tasks=TASKS + "- [ ] «T-2» · B\n  - Requirements: FR-1\n")),
    "a task of a requirement that is not there": (
        "unknown-id",
        GOOD.tasks_with("Requirements: FR-1", "Requirements: FR-1, «FR-7»"),
    ),
    "a task that needs one that is not there": ("unknown-id", GOOD.tasks_with("on: T-1", "on: T-1, «T-9»")),
    "a statement about a requirement that is not there": (
        "unknown-id",
        GOOD.spec_with("2 minutes.", "2 minutes (see «FR-3»)."),
    ),
    "an id with a zero too many": ("unknown-id", GOOD.tasks_with("Requirements: FR-1", "Requirements: «FR-01», FR-1")),
    "a requirement without acceptance": (
        "no-acceptance",
        GOOD.spec_with("### FR-1", "### «FR-1»").spec_with('\n- `brew("green")` returns `2` _(stated)_\n', ""),
    ),
    "a requirement without a task": (
        "no-task",
        GOOD.spec_with("### FR-1", "### «FR-1»").tasks_with("Requirements: FR-1", "Requirements: NFR-2"),
    ),
    "a task without a requirement": (
        "no-requirement",
        Texts(tasks=TASKS + "- [ ] «T-3» · Pour\n  - Symbols: `brew(kind)`\n"),
    ),
    "a task that needs itself": ("dependency-cycle", GOOD.tasks_with("on: T-1", "on: «T-2»")),
    "two tasks that wait for each other": (
        "dependency-cycle",
        GOOD.tasks_with("  - Symbols: `brew(kind)`\n", "  - Depends on: «T-2»\n"),
    ),
    "a file that two tasks claim": (
        "unordered-claims",
        GOOD.tasks_with("`timer.py`\n  - Depends on: T-1\n", "`timer.py`, `«tea.py»`\n"),
    ),
    "a vague word": ("vague-word", GOOD.spec_with("Green tea takes 2 minutes.", "Green tea is «fast».")),
    "a vague word in a criterion": (
        "vague-word",
        GOOD.spec_with("Then the timer begins", "Then it begins as «soon» as possible"),
    ),
    "two numbers for one thing": (
        "number-conflict",
        GOOD.spec_with("at most 10 MB.", "at most 10 MB. Green tea takes «180 seconds»."),
    ),
    "a call with two results": (
        "result-conflict",
        GOOD.spec_with("_(stated)_\n", "_(stated)_\n«- `brew('green')` returns `3` _(guessed)_»\n"),
    ),
    "a question without an answer": (
        "open-question",
        GOOD.spec_with("[x] Q-1", "[ ] «Q-1»").spec_with("Answer: minutes", "Answer:"),
    ),
    "a function that two requirements claim": (
        "doubled-symbol",
        GOOD.spec_with("`timer.py`\n", "`tea.py`\n\nInterface:\n\n- `«brew(cups)»`\n").tasks_with(
            "`timer.py`", "`tea.py`"
        ),
    ),
    "a file in two spellings": ("file-spelling", GOOD.spec_with("`timer.py`", "`timer.py`\n\nFile: `«Tea.py»`")),
    "a file that a task spells otherwise": ("file-spelling", GOOD.tasks_with("`tea.py`", "`«tea.PY»`")),
    "a file that a list without backquotes spells otherwise": (
        "file-spelling",
        GOOD.tasks_with("`tea.py`", "«tea.PY»"),
    ),
    "a file that fenced code spells otherwise": (
        "file-spelling",
        GOOD.spec_with("File: `timer.py`", "File: `timer.py`\n\nFile:\n\n«-»\n  ```\n  Tea.py\n  ```"),
    ),
    "a text that was edited after its approval": (
        "edited-after-approval",
        replace(STATUS, facts=BUILT).spec_with("Good tea.", "Tea."),
    ),
    "a draft that was edited after its approval": (
        "edited-after-approval",
        replace(GOOD, facts=BUILT).spec_with("status: draft", "status: «draft»").spec_with("Good tea.", "Tea."),
    ),
    "an edited text without a status": (
        "edited-after-approval",
        replace(GOOD, facts=BUILT).spec_with("status: draft\n", "").spec_with("# Tea timer", "«# Tea timer, new»"),
    ),
    "a status that the log does not know": ("status-not-on-record", STATUS.on_record(status="building")),
    "a status of a run that is not on record": ("status-not-on-record", replace(STATUS, facts=RunFacts())),
    "a task that was not done": (
        "task-state-not-on-record",
        GOOD.tasks_with("[ ] T-1 · Brew _(pending)_", "[«x»] T-1 · Brew _(done)_").on_record(
            tasks={"T-1": TaskState.CODING}
        ),
    ),
    "a box that a person ticked": (
        "task-state-not-on-record",
        GOOD.tasks_with("[ ] T-2 · Memory _(pending)_", "[«x»] T-2 · Memory").on_record(),
    ),
    "a task that was undone": (
        "task-state-not-on-record",
        GOOD.tasks_with("[ ] T-1 · Brew _(pending)_", "[«x»] T-1 · Brew _(done)_").on_record(undone=frozenset({"T-1"})),
    ),
    "a task that could not be done": (
        "blocked-task",
        GOOD.tasks_with("T-1 · Brew", "«T-1» · Brew").on_record(
            tasks={"T-1": TaskState.BLOCKED}, blocked={"T-1": "its tests fail"}
        ),
    ),
    "a test of a requirement that is gone": (
        "orphan-test",
        GOOD.spec_with("## Requirements", "«## Requirements»").on_record(tests=(KnownTest("t.py::a", ("FR-8",)),)),
    ),
}

SOUND: dict[str, tuple[str, Texts]] = {
    "documents as they should be": ("", GOOD),
    "a specification without tasks": ("no-task", replace(GOOD, tasks=None)),
    "a heading of another chapter": ("unreadable", GOOD.spec_with("## Open", "## Notes\n\n### Memory\n\n## Open")),
    "a check box in fenced code": ("unreadable", Texts(tasks=TASKS + "\n```\n- [ ] brew\n```\n")),
    "ids that differ by a digit": (
        "duplicate-id",
        GOOD.spec_with("### NFR-2", "### FR-11").tasks_with("NFR-2", "FR-11"),
    ),
    "an id in a comment": ("unknown-id", GOOD.spec_with("Green tea", "<!-- FR-77 -->\nGreen tea")),
    "an id of a requirement further down": ("unknown-id", GOOD.spec_with("2 minutes.", "2 minutes (see NFR-2).")),
    "a criterion as acceptance": (
        "no-acceptance",
        GOOD.spec_with('`brew("green")` returns `2` _(stated)_', "When it boils, then it stops"),
    ),
    "one task for two requirements": (
        "no-task",
        GOOD.tasks_with("Requirements: FR-1", "Requirements: FR-1, NFR-2"),
    ),
    "two tasks that need the same one": (
        "dependency-cycle",
        Texts(tasks=TASKS + "- [ ] T-3 · C\n  - Requirements: FR-1\n  - Depends on: T-1, T-2\n"),
    ),
    "a file of two tasks with a third between them": (
        "unordered-claims",
        Texts(tasks=TASKS + "- [ ] T-3 · C\n  - Requirements: FR-1\n  - Files: `tea.py`\n  - Depends on: T-2\n"),
    ),
    "a file of two tasks of which one is done": (
        "unordered-claims",
        GOOD.tasks_with("`timer.py`\n  - Depends on: T-1\n", "`tea.py`\n").tasks_with(
            "[ ] T-1 · Brew _(pending)_", "[x] T-1 · Brew _(done)_"
        ),
    ),
    "a vague word with a number": ("vague-word", GOOD.spec_with("Green tea takes 2 minutes.", "It is fast: 2 ms.")),
    "a vague word that is a name": (
        "vague-word",
        GOOD.spec_with("Green tea takes 2 minutes.", '`fast` is a mode; so is "easy".'),
    ),
    "an order of events": (
        "vague-word",
        GOOD.spec_with("Green tea takes 2 minutes.", "It rings as soon as it boils. Breakfast."),
    ),
    "the same time in two units": (
        "number-conflict",
        GOOD.spec_with("at most 10 MB.", "at most 10 MB. Green tea takes 120 seconds."),
    ),
    "numbers for two things": (
        "number-conflict",
        GOOD.spec_with("at most 10 MB.", "at most 10 MB. Black tea takes 3 minutes."),
    ),
    "a number under a condition": (
        "number-conflict",
        GOOD.spec_with("at most 10 MB.", "at most 10 MB. When it is cold, green tea takes 3 minutes."),
    ),
    "a lower and an upper bound": (
        "number-conflict",
        GOOD.spec_with("at most 10 MB.", "at most 10 MB. The timer needs at least 2 MB."),
    ),
    "a result that is written otherwise": (
        "result-conflict",
        GOOD.spec_with("_(stated)_\n", "_(stated)_\n- `brew( 'green' )` returns `2.0` _(guessed)_\n"),
    ),
    "calls that differ by a blank in a text": (
        "result-conflict",
        GOOD.spec_with("_(stated)_\n", '_(stated)_\n- `brew("gre en")` returns `3` _(guessed)_\n'),
    ),
    "an answer without a tick": ("open-question", GOOD.spec_with("[x] Q-1", "[ ] Q-1")),
    "one name in two files": (
        "doubled-symbol",
        GOOD.spec_with("`timer.py`\n", "`timer.py`\n\nInterface:\n\n- `brew(cups)`\n"),
    ),
    "two files of one name": ("file-spelling", GOOD.spec_with("`timer.py`", "`lib/tea.py`")),
    "the text that was approved, with other line ends": (
        "edited-after-approval",
        replace(GOOD, spec=SPEC.replace("\n", "\r\n"), facts=BUILT),
    ),
    "a status behind what the log bears out": (
        "status-not-on-record",
        STATUS.spec_with("«done»", "approved").on_record(),
    ),
    "a task as the log has it": (
        "task-state-not-on-record",
        GOOD.tasks_with("[ ] T-1 · Brew _(pending)_", "[x] T-1 · Brew _(done)_").on_record(),
    ),
    "a task that the document does not show as begun": ("task-state-not-on-record", GOOD.on_record()),
    "a task of another document that could not be done": ("blocked-task", GOOD.on_record(blocked={"T-9": "no"})),
    "a test of which one requirement is left": (
        "orphan-test",
        GOOD.on_record(tests=(KnownTest("t.py::a", ("FR-8", "FR-1")),)),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_fault_is_found_where_it_is(case: str):
    code, texts = BROKEN[case]
    found = texts.findings()
    assert [(one.code, one.document, one.span) for one in found] == [(code, *place) for place in texts.places()]


@pytest.mark.parametrize("case", SOUND)
def test_what_comes_near_is_no_finding(case: str):
    assert SOUND[case][1].findings() == []


def test_every_rule_has_a_document_that_breaks_it_and_one_that_does_not():
    assert {code for code, _ in BROKEN.values()} == set(RULES)
    assert {code for code, _ in SOUND.values()} >= set(RULES) - {"no-requirement"}


def test_the_reference_names_every_rule_and_how_bad_it_is():
    text = (Path(__file__).parents[3] / "docs/reference/spec-diagnostics.md").read_text(encoding="utf-8")
    rules = text.partition("## The rules")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in rules.splitlines() if line.startswith("| `")]
    assert {row[1].strip(" `"): row[2].strip() for row in rows} == {code: rule.severity for code, rule in RULES.items()}


FIXED = {case for case, (_, texts) in BROKEN.items() if any(one.fix for one in texts.findings())}


def test_a_draft_needs_no_fix_to_be_one():
    for case in ("a draft that was edited after its approval", "an edited text without a status"):
        assert [one.fix for one in BROKEN[case][1].findings()] == [None]


def test_where_a_fix_is_possible_there_is_one():
    left = {BROKEN[case][0] for case in BROKEN.keys() - FIXED}
    assert left == {"unreadable", "unknown-id", "file-spelling", "no-acceptance", "vague-word", "number-conflict",
                    "blocked-task", "doubled-symbol", "edited-after-approval", "task-state-not-on-record",
                    "orphan-test"}  # fmt: skip
    listed = {case for case, (code, _) in BROKEN.items() if code == "unknown-id" and "statement" not in case}
    assert listed <= FIXED


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("case", sorted(FIXED))
def test_fixed_documents_have_no_findings_left(case: str, newline: str):
    texts = BROKEN[case][1]
    spec, tasks = (_plain(text or "").replace("\n", newline) for text in (texts.spec, texts.tasks))
    for _ in range(3):
        found = check_documents(read_spec(spec), read_tasks(tasks), texts.facts)
        fixes = [one.fix for one in found if one.fix]
        spec, tasks = with_fixes(spec, "spec", fixes), with_fixes(tasks, "tasks", fixes)
    # An edited text stays edited: what the fix gives up is the status that belonged to another text.
    left = {"edited-after-approval"} if "edited" in case else set[str]()
    assert {one.code for one in check_documents(read_spec(spec), read_tasks(tasks), texts.facts)} == left
    assert newline == "\n" or spec.count("\n") + tasks.count("\n") == (spec + tasks).count("\r\n")


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("an id that two tasks have", "- [ ] T-3 · B"),
        ("a task of a requirement that is not there", "  - Requirements: FR-1"),
        ("an id with a zero too many", "  - Requirements: FR-1, FR-1"),
        ("a requirement without a task", "  - Requirements: FR-1"),
        ("a task without a requirement", "  - Requirements: FR-1"),
        ("a file that two tasks claim", "  - Depends on: T-1"),
        ("a task that was not done", "- [~] T-1 · Brew _(coding)_"),
        ("a box that a person ticked", "- [!] T-2 · Memory"),
    ],
)
def test_a_fix_writes_what_its_title_says(case: str, line: str):
    texts = BROKEN[case][1]
    fixed = with_fixes(_plain(texts.tasks or ""), "tasks", [one.fix for one in texts.findings() if one.fix])
    assert line in fixed.splitlines()


@pytest.mark.parametrize("end", ["", "\n"])
def test_an_added_task_claims_what_its_requirement_names_and_only_that(end: str):
    texts = GOOD.tasks_with("Requirements: FR-1", "Requirements: NFR-2")
    tasks = (texts.tasks or "").rstrip("\n") + end
    (finding,) = check_documents(read_spec(SPEC), read_tasks(tasks))
    added = "- [ ] T-3 · Brew _(pending)_\n  - Requirements: FR-1\n  - Files: `tea.py`\n  - Symbols: `brew(kind)`\n"
    assert finding.fix is not None
    assert with_fixes(tasks, "tasks", [finding.fix]) == f"{tasks.rstrip()}\n{added}"


@pytest.mark.parametrize(
    ("fields", "requirement"),
    [
        ("  - Symbols: `brew(cups)`\n  - Files: `timer.py`\n", "FR-1"),
        ("  - Files: `timer.py`\n", "NFR-2"),
        ("  - Files: `timer.py`, `tea.py`\n", None),
        ("  - Symbols: `pour()`\n", None),
    ],
)
def test_a_task_is_given_a_requirement_where_only_one_can_be_meant(fields: str, requirement: str | None):
    found = Texts(tasks=f"{TASKS}- [x] T-3 · C _(done)_\n{fields}").findings()
    (title,) = [one.fix.title if one.fix else None for one in found if one.code == "no-requirement"]
    assert title == (requirement and f"Name {requirement} as its requirement")


def test_fixes_that_touch_the_same_place_are_not_made_together():
    texts = GOOD.tasks_with("Requirements: FR-1", "Requirements: FR-7, FR-8")
    fixes = [one.fix for one in texts.findings() if one.code == "unknown-id" and one.fix]
    assert len(fixes) == 2
    assert "Requirements: FR-8\n" in with_fixes(texts.tasks or "", "tasks", fixes)


def test_what_a_finding_says():
    (found,) = BROKEN["two tasks that wait for each other"][1].findings()
    assert found.message == "Tasks depend on each other in a circle: T-1 → T-2 → T-1"
    assert (found.severity, found.subject) == ("error", "T-1")
    assert found.explanation.startswith("Each of these tasks waits")
    assert [one.message for one in found.related] == ["T-2 depends on T-1"]


HUGE = f"### FR-{'9' * 5000} · A\n\nTakes {'9' * 5000} s and FR-{'0' * 5000}1.\n\n### FR-{'9' * 5000} · B\n"


@pytest.mark.parametrize(
    "spec", ["", "\ufeff", "# \n### FR-1\n", "---\nstatus: done", "\x00\n- [ ] Q-1", "### FR-1 ·\n\nAcceptance:", HUGE]
)
@pytest.mark.parametrize("tasks", ["", "- [ ] T-1", "- [x] T-1 · a\n  - Depends on: ,,\n  - Files: ``\n"])
def test_texts_of_any_kind_are_checked(spec: str, tasks: str):
    found = check_documents(read_spec(spec), read_tasks(tasks), BUILT)
    for one in found:
        text = spec if one.document == "spec" else tasks
        assert 0 <= one.span.start <= one.span.end <= len(text)
        if one.fix:
            with_fixes(spec if one.fix.document == "spec" else tasks, one.fix.document, [one.fix])
