import io

import pytest
from rich.console import Console

from agentinfra.cli.task_tree import ICONS, task_tree
from agentinfra.core.tasks import TaskState
from agentinfra.workflow.run_state import reduce
from tests.unit.run_events import RunEvents, finished, task


def drawn(run: RunEvents, height: int = 100, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(task_tree(reduce(run.events), height))
    return [line.rstrip() for line in console.export_text().splitlines()]


def many(number: int) -> RunEvents:
    return RunEvents().begin().planned(*(task(f"T-{n}", f"part {n}", "FR-1") for n in range(1, number + 1)))


def test_every_state_has_an_icon() -> None:
    assert set(ICONS) == set(TaskState)


def test_blocked_and_skipped_tasks_are_told_apart() -> None:
    text = "\n".join(drawn(finished(blocked=True)))
    assert "✗ T-3 water_litres(minutes, people)" in text
    assert "– T-4" in text
    assert "blocked" in text
    assert "skipped" in text
    assert "QA  1 finding" in text


def test_a_long_plan_shows_what_is_at_work_first() -> None:
    run = many(60).add("agent_state", task="T-50", state="coding").add("agent_state", task="T-1", state="done")
    lines = drawn(run, height=5)
    assert sum("T-" in line for line in lines) == 5
    assert any("T-50" in line for line in lines)
    assert not any("T-1 " in line for line in lines)
    assert any("55 more tasks" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    run = (
        RunEvents()
        .begin()
        .planned(
            task("T-1", "你好" * 100, "FR-1", engineer="e" * 300), task("T-2", "x" * 300, "FR-1", engineer="e" * 300)
        )
    )
    run.blocked("T-1", "no")
    lines = drawn(run, width=width)
    assert max(len(line) for line in lines) <= width
    assert len(lines) == 5


def test_the_planner_says_when_it_needs_a_person() -> None:
    run = RunEvents().begin().specified(("FR-1", "x")).add("state_update", state="awaiting_approval")
    assert drawn(run)[0] == "Planner  needs you"
    assert drawn(run.add("state_update", state="building"))[0] == "Planner  1 requirement"
