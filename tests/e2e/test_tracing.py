"""A program of the user's with OpenTelemetry in it sees the model calls of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.place import LIMIT_SECONDS, Place

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, json
from pathlib import Path

from opentelemetry import trace

from agentinfra.agents import PlannerAgent
from agentinfra.app import App
from agentinfra.core.errors import ModelUnavailable, RunStopped
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.unattended import Unattended
from tests.fakes.spans import Spans

spans = Spans()
trace.set_tracer_provider(spans.provider)
refused = ModelUnavailable("It is closed", why="It is night", next_step="Come back")
workspace = Path("workspace")
workspace.mkdir()


async def main():
    app = App(workspace, Unattended(), data=Path("data"))
    options = RunOptions("Add two numbers", workspace, yes=True, init=True, model="openai:unused")
    planner = PlannerAgent(model=ScriptedModel([refused], name="openai:gpt-5"))
    with spans.tracer.start_as_current_span("mine"):
        try:
            await app.plan(options, print, planner)
        except RunStopped as error:
            assert error.what == "It is closed", error
    await app.aclose()


asyncio.run(main())
called, mine = spans.ended["chat gpt-5"], spans.ended["mine"]
print(json.dumps([called.parent.span_id == mine.context.span_id, dict(called.attributes)]))
"""


def test_the_calls_of_a_run_are_children_of_the_callers_span(place: Place):
    environment = {**place.variables(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, cwd=place.root, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    is_child, told = json.loads(done.stdout.splitlines()[-1])
    assert is_child
    assert (told["gen_ai.operation.name"], told["gen_ai.request.model"]) == ("chat", "gpt-5")
    assert told["error.type"] == "ModelUnavailable"
    assert told["agentinfra.purpose"]
