import re
from html.parser import HTMLParser

from agentinfra.workflow.report import build_report
from agentinfra.workflow.report_html import report_html
from agentinfra.workflow.run_state import RunState, reduce
from tests.unit.run_events import RunEvents, finished, task

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page strictly: every element must be closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(run: RunEvents) -> Page:
    return Page(report_html(build_report(reduce(run.events))))


def test_the_page_is_well_formed_and_tells_the_run() -> None:
    read = page(finished(blocked=True))
    assert read.open == []
    for told in (
        "Day hikes",
        "✓ proven",
        "not proven",
        "T-3 is blocked",
        "try 3 of 3",
        "2 of 4",
        "eval is used",
        "Round up?",
    ):
        assert told in read.text
    assert read.text.count("tests/T-1.py::test_0") == 2


def test_what_the_tests_catch_is_told_and_stays_text() -> None:
    alive = [{"change": "`<` for `>`<script>", "line": 12, "told_by": "f('<img>') gives 1"}]
    each = [{"id": "FR-1", "tried": 9, "killed": 8, "survivors": alive}]
    run = finished().add("test_strength", task="T-1", against="mutants", requirements=each)
    full = [{"id": "FR-2", "tried": 2, "killed": 2, "survivors": []}]
    read = page(run.add("test_strength", task="T-2", against="mutants", requirements=full))
    assert read.open == []
    assert "8 of 9 mutants killed, the tests do not see these changes" in read.text
    assert "`<` for `>`<script> in line 12 (f('<img>') gives 1)" in read.text
    assert "2 of 2 mutants killed" in read.text
    assert not {"script", "img"} & {tag for tag, _ in read.tags}


def test_the_page_needs_and_allows_nothing_from_elsewhere() -> None:
    html = report_html(build_report(reduce(finished().events)))
    read = Page(html)
    policy = next(attrs["content"] for tag, attrs in read.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert not {"script", "link", "img", "iframe", "object", "base"} & {tag for tag, _ in read.tags}
    assert not re.search(r"https?://|url\(|@import|\son\w+=|\ssrc=|\shref=", html)


def test_texts_from_models_and_people_stay_text() -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    run = RunEvents(attack).begin(idea=attack, branch=attack, base=attack, model=attack)
    run.specified(("FR-1" + attack, attack)).planned(task("T-1", attack, "FR-1" + attack, engineer=attack))
    run.asked("T-1", "code").add("agent_state", task="T-1", state="blocked", attempt=1, reason=attack)
    run.add("question", id=attack, text=attack, options=[attack]).add("answer", id=attack, text=attack, by=attack)
    run.add("notice", level=attack, text=attack)
    run.add("qa_finding", id="F", severity=attack, rule=attack, path=attack, line=1, message=attack)
    read = page(run)
    assert read.open == []
    assert not {"script", "img"} & {tag for tag, _ in read.tags}
    assert not any(name.startswith("on") for _, attrs in read.tags for name in attrs)
    assert read.text.count("<script>alert(1)</script>") >= 12


def test_control_and_invisible_characters_are_gone() -> None:
    html = report_html(build_report(reduce(RunEvents().begin(idea="a\u202eb\x1b[31mc\u200bd").events)))
    assert "abcd" in html
    assert not set(html) & {"\x1b", "\u202e", "\u200b"}


def test_bars_are_relative_to_the_largest() -> None:
    widths = [attrs["style"] for _, attrs in page(finished(blocked=True)).tags if "style" in attrs]
    assert widths == ["width: 100.0%"] * 3 + [
        "width: 0.0%",
        "width: 33.3%",
        "width: 33.3%",
        "width: 100.0%",
        "width: 0.0%",
    ]


def test_a_run_without_tasks_has_a_page_without_bars() -> None:
    read = Page(report_html(build_report(RunState())))
    assert read.open == []
    assert not any(attrs.get("class") == "bar" for _, attrs in read.tags)
