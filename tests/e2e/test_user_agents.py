"""The specification's two programs, with real work behind them: the demo's recording serves their models, too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from agentinfra.app import App
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.unattended import Unattended
from tests.e2e.conftest import DEMO, DEMO_IDEA, DEMO_OPTIONS
from tests.e2e.place import Place

EXAMPLES = Path(__file__).parents[2] / "examples"
PLANNER_METHODS = ["plan_project", "generate_specifications", "create_spec_file", "delegate_tasks"]
ENGINEER_METHODS = ["execute", "plan_tasks", "create_tests", "assign_tasks_to_micro_agents", "validate_results"]


def test_a_cast_of_ones_own_runs_with_the_same_engine_proofs_and_gate(place: Place):
    place.environment["PYTHONPATH"] = str(EXAMPLES)
    planner = ("--planner", "user_agents.codex_agent:CodexAgent")
    outcome = place.agentinfra("plan", *DEMO_OPTIONS, "--init", *planner)
    assert outcome.code == 0, outcome.said
    report = place.report()
    assert [task["state"] for task in report["tasks"]] == ["done"] * 4
    assert {task["engineer"] for task in report["tasks"]} == {"BackendEngineer"}
    assert all(proof["proven"] for proof in report["requirements"])


@pytest.fixture
def cast(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES / "user_agents"))
    import backend_engineer
    import codex_agent

    yield codex_agent.CodexAgent, backend_engineer.BackendEngineer
    for name in ("codex_agent", "backend_engineer", "frontend_engineer", "micro_agent"):
        sys.modules.pop(name, None)


def noting(base: type, methods: list[str], calls: list[str]) -> type:
    """A subclass whose methods note that they were called and then do what the base's do."""

    def overriding(name: str) -> Any:
        def method(self: Any, *arguments: Any) -> Any:
            calls.append(name)
            return getattr(base, name)(self, *arguments)

        return method

    return type(base.__name__, (base,), {name: overriding(name) for name in methods})


async def test_every_method_of_the_specification_does_its_part(cast: Any, tmp_path: Path):
    planner_class, engineer_class = cast
    calls: list[str] = []
    planner = noting(planner_class, PLANNER_METHODS, calls)()
    planner.sub_agents = [noting(engineer_class, ENGINEER_METHODS, calls)()]
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    app = App(workspace, Unattended(), data=tmp_path / "data")
    options = RunOptions(DEMO_IDEA.read_text(encoding="utf-8"), workspace, yes=True, init=True, replay=DEMO)
    try:
        run = await app.plan(options, lambda _: None, planner)
        state = app.state(run)
    finally:
        await app.aclose()
    assert calls == [*PLANNER_METHODS, *ENGINEER_METHODS]
    assert state.state == "done"
    assert [task.state.value for task in state.tasks] == ["done"] * 4
    assert state.approved_sha
