import io
import json

from rich.console import Console

from agentinfra.cli.line_view import JsonView, LineView
from tests.unit.run_events import RUN, RunEvents, finished


def printed(run: RunEvents) -> str:
    stream = io.StringIO()
    view = LineView(Console(file=stream, width=80))
    with view:
        view.show_all(run.events)
        view.tick()
    view.finish()
    return stream.getvalue()


def test_a_log_has_a_line_for_each_event_of_interest() -> None:
    text = printed(finished(blocked=True))
    for line in (
        f"planning: Day hikes (run {RUN}, local:qwen2.5-coder-1.5b)",
        "question Round up?",
        "answer   up (by recommended)",
        "specification: 4 requirements, /data/spec.md",
        "plan: 4 tasks",
        "T-2 coding · format_time(minutes) · try 2/3",
        "T-2 try 2/3: 5/6 tests pass",
        "T-3 blocked · water_litres(minutes, people) · 1/3 tests · 3 tries used up: test_2 expects 3.0",
        "review: error pack.py:3 eval is used",
        "warning: 2 changed files are not part of the run",
        "✗ Finished: 2 of 4 tasks done",
    ):
        assert line in text
    assert "\x1b" not in text


def test_a_line_is_one_line_whatever_it_holds() -> None:
    run = RunEvents().begin(idea="a\x1b[2Jb").add("notice", level="info", text="one\ntwo [red]x[/red] \u202e")
    run.add("question", id="Q", text="x\r\ny").add("answer", id="Q", text="\x9b1m", by="person")
    body = printed(run).split("\n\n")[0]
    assert len(body.splitlines()) == 4
    assert "info: one two [red]x[/red]\n" in body


def test_events_the_view_does_not_know_are_passed_over() -> None:
    run = RunEvents().begin().add("agent_state", task="T-9", state="done").add("test_result", phase="attempt")
    assert printed(run).split("\n\n")[0].count("\n") == 0


def test_json_is_every_event_and_nothing_else() -> None:
    stream = io.StringIO()
    run = finished().add("notice", level="info", text="\x1b[2J\u202e 你 \ud800")
    with JsonView(stream) as view:
        view.recall(run.events[:2])
        view.show_all(run.events)
        view.tick()
    view.finish()
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(3, len(run.events) + 1))
    assert json.loads(lines[-1]) == run.events[-1].to_json()
    assert stream.getvalue().isascii()
