"""Findings on a terminal and as JSON."""

from __future__ import annotations

import json

from agentinfra.cli.spec_findings import Checked, as_json, as_text
from agentinfra.spec.diagnostics import Diagnostic, Fix, Related, check_documents
from agentinfra.spec.source import Edit, Lines, Span
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_source import read_tasks

TEXT = "# Tea\n\nGrün ist\tfast.\n"
AT = TEXT.index("fast")
WORD = Span(AT, AT + 4)


def checked(*findings: Diagnostic, text: str = TEXT, run: str = "") -> Checked:
    return Checked(findings, {"spec": Lines(text)}, {"spec": "docs/spec.md"}, run)


def vague(span: Span = WORD, message: str = "“fast” says nothing", **more: object) -> Diagnostic:
    return Diagnostic("vague-word", "FR-1", message, "spec", span, **more)  # type: ignore[arg-type]


def test_a_finding_shows_its_place_its_line_and_why_it_matters():
    fix = Fix("Write 2 ms", "spec", (Edit(AT, AT + 4, "2 ms"),), safe=True)
    shown = as_text(checked(vague(fix=fix, related=(Related("spec", Span(0, 1), "a title"),)))).splitlines()
    assert shown[:3] == [
        "docs/spec.md:3:10 vague-word “fast” says nothing",
        "  3 | Grün ist fast.",
        "    |          ^^^^",
    ]
    assert shown[3] == "  see docs/spec.md:1:1 a title"
    assert shown[4].startswith("  why: Two people mean")
    assert shown[5] == "  fix: Write 2 ms (--fix does it)"
    assert shown[-1] == "1 finding: errors 0, warnings 1"


def test_why_it_matters_is_told_once_and_many_places_are_counted():
    related = tuple(Related("spec", Span(0, 1), str(number)) for number in range(8))
    shown = as_text(checked(vague(related=related), vague()))
    assert shown.count("  why: ") == 1
    assert "  and 3 more places (--json lists them)" in shown


def test_nothing_found():
    assert as_text(checked()) == "docs/spec.md: nothing found\n"
    assert json.loads(as_json(checked(run="r1"))) == {
        "schema": 1,
        "files": ["docs/spec.md"],
        "run": "r1",
        "errors": 0,
        "warnings": 0,
        "findings": [],
    }


def test_a_long_line_is_cut_around_the_place():
    text = "x" * 5_000 + "fast" + "y" * 5_000
    shown = as_text(checked(vague(Span(5_000, 5_004)), text=text)).splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^") :].startswith("fast")


def test_wide_characters_do_not_shift_the_mark():
    text = "緑茶 fast"
    shown = as_text(checked(vague(Span(3, 7)), text=text)).splitlines()
    assert shown[2] == "    |      ^^^^"


def test_a_mark_at_the_end_of_an_empty_text():
    assert as_text(checked(vague(Span(0, 0)), text="")).splitlines()[1:3] == ["  1 | ", "    | ^"]


def test_a_document_cannot_steer_the_terminal():
    shown = as_text(checked(vague(Span(0, 5), "\x1b[2J here"), text="\x1b]0;x\x07 fast"))
    assert "\x1b" not in shown and "\x07" not in shown


def test_json_holds_everything_an_editor_needs():
    spec = read_spec(
        "# T\r\n\r\n## Requirements\r\n\r\n### FR-1 · A\r\n\r\nAcceptance:\r\n\r\n- `f(1)` returns `2`\r\n"
    )
    tasks = read_tasks("- [ ] T-1 · A\r\n  - Requirements: FR-01\r\n")
    found = check_documents(spec, tasks)
    data = json.loads(
        as_json(Checked(found, {"spec": spec.body, "tasks": tasks.body}, {"spec": "spec.md", "tasks": "tasks.md"}))
    )
    assert (data["errors"], data["warnings"], data["files"]) == (1, 1, ["spec.md", "tasks.md"])
    missing, unknown = data["findings"]
    assert (missing["code"], missing["path"], missing["line"], missing["column"]) == ("no-task", "spec.md", 5, 5)
    assert (missing["end_line"], missing["end_column"]) == (5, 9)
    assert missing["fix"]["path"] == "tasks.md"
    assert missing["explanation"].startswith("Nothing will be built")
    assert (unknown["severity"], unknown["subject"], unknown["related"]) == ("error", "FR-01", [])
    place = {"line": 2, "column": 19, "end_line": 2, "end_column": 24}
    assert unknown["fix"] == {
        "title": "Write FR-1", "path": "tasks.md", "safe": False, "edits": [{**place, "text": "FR-1"}]
    }  # fmt: skip
