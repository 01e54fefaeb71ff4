"""Events of runs as the engine writes them, for tests of what shows runs."""

from __future__ import annotations

from typing import Any

from agentinfra.core.events import Event, EventKind

IDEA = "# Day hikes\n\nTwo small modules: `pace.py` and `pack.py`."
BRANCH = "agentinfra/261122-101500-ab12"
RUN = "261122-101500-ab12"


class RunEvents:
    """A list of events that grows; each is one second after the last, unless told otherwise."""

    def __init__(self, run: str = RUN) -> None:
        self.run = run
        self.events: list[Event] = []
        self.time = 1_000_000.0

    def add(self, kind: EventKind, /, *, gap: float = 1.0, agent: tuple[str, ...] = (), **data: Any) -> RunEvents:
        self.time += gap
        self.events.append(Event(self.run, len(self.events) + 1, self.time, kind, data, agent))
        return self

    def begin(self, **changes: Any) -> RunEvents:
        about = {
            "state": "planning",
            "idea": IDEA,
            "workspace": "/home/ada/hikes",
            "branch": BRANCH,
            "base": "0123456789abcdef",
            "model": "local:qwen2.5-coder-1.5b",
            "mode": "review",
            "limits": {"minutes": 20.0, "usd": None, "attempts": 3},
        }
        return self.add("state_update", **{**about, **changes})

    def specified(self, *requirements: tuple[str, str]) -> RunEvents:
        listed = [{"id": name, "title": title, "examples": 2, "grounded": 1} for name, title in requirements]
        return self.add("plan_update", spec={"path": "/data/spec.md", "requirements": listed})

    def planned(self, *tasks: dict[str, Any]) -> RunEvents:
        return self.add("plan_update", tasks=list(tasks))

    def asked(self, task: str, purpose: str, *, seconds: float = 10.0, cost: float | None = 0.0) -> RunEvents:
        self.add("tool_call", id=purpose, title=purpose, kind="think")
        self.add("tool_call_update", gap=seconds, id=purpose, status="completed")
        used = {"input_tokens": 800, "output_tokens": 200, "cached_tokens": 0, "cost_usd": cost}
        return self.add("usage_update", model="m", purpose=purpose, task=task, seconds=seconds, **used)

    def tested(self, task: str | None, phase: str, passed: int, failed: int, name: str = "test_pace") -> RunEvents:
        outcomes = ["passed"] * passed + ["failed"] * failed
        tests = [{"id": f"tests/{name}.py::test_{n}", "outcome": one, "message": ""} for n, one in enumerate(outcomes)]
        return self.add("test_result", task=task, phase=phase, exit_code=int(failed > 0), tests=tests)

    def done(self, task: str, tests: int, commit: str, *, attempt: int = 1) -> RunEvents:
        """A task from its red tests to its merge."""
        self.tested(task, "red", 0, tests, task)
        self.add("agent_state", task=task, state="red")
        self.add("agent_state", task=task, state="coding", attempt=attempt, max_attempts=3)
        self.asked(task, f"code {task}")
        self.tested(task, "green", tests, 0, task)
        self.add("agent_state", task=task, state="green")
        self.add("change_resolved", task=task, decision="merged", commit=commit)
        return self.add("agent_state", task=task, state="done", commit=commit)

    def blocked(self, task: str, reason: str) -> RunEvents:
        self.tested(task, "red", 0, 3, task)
        self.add("agent_state", task=task, state="coding", attempt=3, max_attempts=3)
        self.asked(task, f"code {task}", seconds=30.0)
        self.tested(task, "attempt", 1, 2, task)
        return self.add("agent_state", task=task, state="blocked", reason=reason)


def task(name: str, title: str, *requirements: str, engineer: str = "backend", after: str = "") -> dict[str, Any]:
    return {
        "id": name,
        "title": title,
        "requirements": list(requirements),
        "files": ["pace.py"],
        "symbols": [],
        "depends_on": [after] if after else [],
        "engineer": engineer,
    }


def building() -> RunEvents:
    """A run in the middle of its work: one task done, one at its second try, two waiting."""
    run = RunEvents().begin()
    run.asked("", "plan", seconds=20.0)
    run.add("question", id="Q-1", text="Round up?", why="It changes results", options=["up", "down"], recommended="up")
    run.add("answer", id="Q-1", text="up", by="recommended")
    run.specified(("FR-1", "Walking time"), ("FR-2", "Time as text"), ("FR-3", "Water"), ("FR-4", "Trip line"))
    run.add("approval", spec_sha="s", by="--yes").add("state_update", state="building")
    run.planned(
        task("T-1", "walking_minutes(km, climb)", "FR-1"),
        task("T-2", "format_time(minutes)", "FR-2"),
        task("T-3", "water_litres(minutes, people)", "FR-3", engineer="packing"),
        task("T-4", "trip_line(name, km, climb), which needs a title far longer than any terminal is wide", "FR-4"),
    )
    run.done("T-1", 4, "3fa2b1c0d9e8f7")
    run.tested("T-2", "red", 0, 6, "T-2").add("agent_state", task="T-2", state="red")
    run.add("agent_state", task="T-2", state="coding", attempt=2, max_attempts=3)
    run.asked("T-2", "code T-2").tested("T-2", "attempt", 5, 1, "T-2")
    run.add("notice", level="warning", text="2 changed files are not part of the run")
    return run.add("tool_call", id="code T-2", title="code T-2", kind="think", agent=("planner", "backend"))


def finished(*, blocked: bool = False) -> RunEvents:
    """A run that is over; with ``blocked`` its last two tasks are not done."""
    run = building()
    run.add("tool_call_update", id="code T-2", status="completed", agent=("planner", "backend"))
    run.tested("T-2", "green", 6, 0, "T-2").add("change_resolved", task="T-2", decision="merged", commit="77aa00bb11")
    run.add("agent_state", task="T-2", state="done")
    if blocked:
        run.blocked("T-3", "3 tries used up: test_2 expects 3.0")
        run.add("agent_state", task="T-4", state="skipped", reason="needs T-3")
        run.add("qa_finding", id="F-1", severity="error", rule="S307", path="pack.py", line=3, message="eval is used")
    else:
        run.done("T-3", 2, "aabbccddee").done("T-4", 2, "ffeeddccbb", attempt=2)
    run.add("state_update", state="reviewing").tested(None, "suite", 14, 0)
    return run.add("state_update", state="done")
