"""Runs that are killed, stopped and interrupted come to the same end as one that is left alone."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter

from tests.e2e.conftest import DEMO_OPTIONS, Demo
from tests.e2e.place import Place, finish, kill, until

KILLS = 6


def wait_for_events(place: Place, process: subprocess.Popen[str], count: int) -> bool:
    """Wait until the log holds so many events; False when the process came to its end before."""
    until(lambda: process.poll() is not None or place.event_count() >= count)
    return process.poll() is None


def assert_same_end(place: Place, demo: Demo) -> None:
    branch = demo.place.branch()
    assert place.branch() == branch
    assert place.commits(branch) == demo.place.commits(branch)
    assert [task["state"] for task in place.report()["tasks"]] == [task["state"] for task in demo.report["tasks"]]
    assert len(place.git("worktree", "list").splitlines()) == 1
    assert list((place.root / "cache").glob("**/worktrees/*/*")) == []


def assert_nothing_done_twice(place: Place, demo: Demo) -> None:
    events = place.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    keys = Counter(event["key"] for event in events if event["key"])
    assert set(keys.values()) == {1}
    # Without the marks of stopping and going on, it is the very log of the run that was left alone.
    own = sorted((event["key"], event["kind"]) for event in events if event["key"])
    assert own == sorted((event["key"], event["kind"]) for event in demo.events if event["key"])
    states = [event["data"] for event in events if event["kind"] == "agent_state"]
    done = Counter(data["task"] for data in states if data["state"] == "done")
    assert set(done.values()) == {1}


def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(place: Place, demo: Demo) -> None:
    moments, total = random.Random(7), len(demo.events)
    process, killed = place.start("plan", *DEMO_OPTIONS, "--init"), 0
    for number in range(1, KILLS + 1):
        if wait_for_events(place, process, number * total // (KILLS + 1)):
            time.sleep(moments.uniform(0, 0.3))
        if process.poll() is None:
            kill(process)
            killed += 1
            assert_finished_stay_finished(place)
            process = place.start("resume")
    outcome = finish(process)
    assert killed >= 5
    assert outcome.code == 0, outcome.said
    assert_nothing_done_twice(place, demo)
    assert_same_end(place, demo)


def assert_finished_stay_finished(place: Place) -> None:
    """A second look at a run whose process died: the log can be read, and what was done is done."""
    events = place.events()
    final = {"done", "blocked", "skipped"}
    settled: set[str] = set()
    for event in events:
        if event["kind"] == "agent_state":
            assert event["data"]["task"] not in settled
            settled |= {event["data"]["task"]} if event["data"]["state"] in final else set()


def test_stopping_by_a_second_process_and_by_ctrl_c_loses_nothing(place: Place, demo: Demo) -> None:
    total = len(demo.events)
    first = place.start("plan", *DEMO_OPTIONS, "--init")
    assert wait_for_events(place, first, total // 4)

    refused = place.agentinfra("resume")
    assert refused.code == 3
    assert f"being worked on by process {first.pid}" in refused.said
    assert first.poll() is None
    assert place.told("state_update")[-1]["state"] not in ("failed", "stopped")

    told = place.agentinfra("stop")
    assert told.code == 0, told.said
    stopped = finish(first)
    assert stopped.code == 130
    assert "agentinfra resume" in stopped.said
    assert place.processes() == []

    second = place.start("resume")
    assert wait_for_events(place, second, total * 2 // 3)
    second.send_signal(signal.SIGINT)
    interrupted = finish(second)
    assert interrupted.code == 130
    assert "agentinfra resume" in interrupted.stderr
    assert "Traceback" not in interrupted.said
    until(lambda: place.processes() == [], 5)
    assert "stopped" in place.agentinfra("status").said.lower()

    outcome = place.agentinfra("resume")
    assert outcome.code == 0, outcome.said
    assert_nothing_done_twice(place, demo)
    assert_same_end(place, demo)
