import io
import time

from rich.console import Console

from agentinfra.cli.live_view import LiveView, picture
from agentinfra.cli.view import Waiting
from agentinfra.workflow.run_state import RunState, reduce
from tests.unit.run_events import RunEvents, building, finished

SCREEN = """\
Day hikes
run 261122-101500-ab12 · local:qwen2.5-coder-1.5b
building · 1:19 of 20:00 · 3,000 tokens · local, $0

Planner  4 requirements
├─ backend  1/3 done
│  ├─ ✓ T-1 walking_minutes(km, climb)         done     4/4 tests  try 1/3  10 s
│  ├─ ◑ T-2 format_time(minutes)               coding   5/6 tests  try 2/3  10 s
│  └─ ○ T-4 trip_line(name, km, climb), whic…  pending
├─ packing  0/1 done
│  └─ ○ T-3 water_litres(minutes, people)      pending
└─ QA  waits

▸ model: code T-2, 14 s
! 2 changed files are not part of the run
"""


def terminal(height: int = 30) -> Console:
    return Console(file=io.StringIO(), width=80, height=height, force_terminal=True, record=True)


def lines(console: Console) -> str:
    return "".join(f"{line.rstrip()}\n" for line in console.export_text().splitlines())


def test_the_screen_at_eighty_columns() -> None:
    run = building()
    view = LiveView(terminal(), now=lambda: run.time + 14)
    view.show_all(run.events)
    view.console.print(view.screen())
    assert lines(view.console) == SCREEN


def test_the_screen_is_drawn_by_ticks_and_leaves_its_last_picture() -> None:
    run = finished()
    console = terminal()
    with LiveView(console) as view:
        view.show_all(run.events)
        view.tick()
    view.finish()
    text = lines(console)
    assert text.count("Day hikes") >= 1
    assert "✓ Finished: 4 of 4 tasks done" in text
    assert "git -C /home/ada/hikes checkout agentinfra/261122-101500-ab12\n" in text


def test_what_has_ended_is_not_waited_for() -> None:
    run = RunEvents().begin()
    run.add("tool_call", id="a", title="plan", kind="think", agent=("planner",))
    run.add("tool_call", id="a", title="other agent, same id", kind="execute", agent=("micro",))
    run.add("tool_call_update", id="a", status="completed", agent=("planner",))
    view = LiveView(terminal(), now=lambda: run.time)
    view.show_all(run.events)
    assert [waiting.title for waiting in view.waiting.values()] == ["other agent, same id"]


def test_what_was_under_way_begins_again_with_a_resumed_run() -> None:
    view = LiveView(terminal())
    before = time.time()
    view.recall(building().events)
    (waiting,) = view.waiting.values()
    assert waiting.title == "code T-2"
    assert waiting.since >= before
    assert view.seq == len(building().events)


def test_a_repeated_event_counts_once() -> None:
    view = LiveView(terminal())
    view.show_all(building().events)
    view.show_all(building().events)
    assert view.state == reduce(building().events)


def test_the_clock_stands_when_the_run_is_over_and_goes_on_while_it_is_not() -> None:
    def clock(state: RunState, now: float) -> str:
        console = terminal()
        console.print(picture(state, (), now, 30))
        return lines(console).splitlines()[2]

    over, going = reduce(finished().events), reduce(building().events)
    assert clock(over, over.updated + 600) == clock(over, over.updated)
    assert "11:05 of 20:00" in clock(going, going.updated + 600)


def test_the_terminal_is_free_while_a_person_is_asked() -> None:
    console = terminal()
    with LiveView(console) as view:
        view.show_all(building().events)
        with view.paused():
            view.tick()
            drawn = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
            console.print("Which unit?")
        view.tick()
    assert drawn.count("Planner") <= 1
    assert "Which unit?" in lines(console)


def test_before_the_first_event_there_is_a_screen_too() -> None:
    console = terminal()
    console.print(picture(RunState(), (), 0.0, 30))
    assert lines(console) == "AgentInfra\nstarting · 0 s\n\nPlanner  planning\n└─ QA  waits\n"


def test_hostile_text_moves_nothing() -> None:
    attack = "\x1b[2J\x1b]0;x\x07a\u202eb [bold]c[/bold]\nforged"
    run = RunEvents().begin(idea=attack, model=attack).add("notice", level="error", text=attack)
    console = Console(file=io.StringIO(), width=80, color_system=None, force_terminal=True)
    waiting = Waiting(attack, "think", 0.0)
    console.print(picture(reduce(run.events), (waiting,), 1.0, 30))
    shown = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "ab [bold]c[/bold] forged" in shown
    assert "\nforged" not in shown
