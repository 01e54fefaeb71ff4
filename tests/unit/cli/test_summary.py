import io
from pathlib import Path

from rich.console import Console

from agentinfra.cli.summary import print_summary
from agentinfra.workflow.report import build_report
from agentinfra.workflow.run_state import reduce
from tests.unit.run_events import RunEvents, finished

HOME = Path("/home/ada/hikes")


def told(run: RunEvents, here: Path = HOME) -> str:
    stream = io.StringIO()
    print_summary(Console(file=stream, width=80), build_report(reduce(run.events)), here)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def test_a_good_end_at_eighty_columns() -> None:
    assert (
        told(finished())
        == """
✓ Finished: 4 of 4 tasks done
  1:50 · 5,000 tokens · local, $0

  ✓ FR-1 Walking time  4 tests, 3fa2b1c0d9e8f7
  ✓ FR-2 Time as text  6 tests, 77aa00bb11
  ✓ FR-3 Water  2 tests, aabbccddee
  ✓ FR-4 Trip line  2 tests, ffeeddccbb

  Next
  look at it  git checkout agentinfra/261122-101500-ab12
  merge it    agentinfra accept
  full report agentinfra report --html report.html
""".replace("3fa2b1c0d9e8f7", "3fa2b1c0d9")
    )


def test_what_is_missing_and_what_was_found_is_said_plainly() -> None:
    text = told(finished(blocked=True))
    assert "✗ Finished: 2 of 4 tasks done, the review found 1 error" in text
    assert "✗ FR-3 Water  not proven: T-3 is blocked" in text
    assert "error pack.py:3 eval is used" in text


def test_commands_name_a_workspace_that_is_elsewhere_and_are_not_wrapped() -> None:
    text = told(
        finished().add("state_update", state="done", workspace="/home/ada/my long folder " + "x" * 80), Path("/")
    )
    line = next(line for line in text.splitlines() if "checkout" in line)
    assert line.endswith("' checkout agentinfra/261122-101500-ab12")
    assert "git -C '/home/ada/my long folder x" in line


def test_where_nothing_is_done_nothing_is_offered_for_a_merge() -> None:
    text = told(RunEvents().begin().add("state_update", state="failed", reason="No model"))
    assert "✗ Failed (No model): no tasks yet" in text
    assert "checkout" not in text
    assert "agentinfra report" in text


def test_many_findings_are_counted() -> None:
    run = finished()
    for number in range(8):
        run.add("qa_finding", id=str(number), severity="warning", rule="r", path="a.py", line=number, message="m")
    assert told(run).count("warning a.py") == 5
    assert "3 more in the report" in told(run)


def test_what_caches_saved_stands_beside_the_cost() -> None:
    run = finished().add("usage_update", model="local:x", input_tokens=800, cached_tokens=700, cost_usd=0.0)
    run.add("usage_update", model="local:x", cost_usd=0.0, cached_replies=2)
    assert "local, $0 · 15% of input cached, 2 replies from cache\n" in told(run)
