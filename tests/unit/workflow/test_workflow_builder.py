"""Building graphs: order, defaults, what is refused, and the example of the documentation."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import pytest

from agentinfra.core.errors import InputError
from agentinfra.workflow import workflow_builder
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.workflow_builder import Inputs, WorkflowBuilder
from agentinfra.workflow.workflow_runner import run_workflow


async def nothing(inputs: Inputs, context: Any) -> None:
    return None


def test_each_node_follows_the_one_before_unless_told_otherwise() -> None:
    workflow = (
        WorkflowBuilder("job")
        .step("plan", nothing)
        .each("write", lambda inputs: [], nothing)
        .step("docs", nothing, after="plan")
        .step("alone", nothing, after=())
        .loop("polish", nothing, until=bool, limit=3, after=["write", "docs"])
        .build()
    )
    assert workflow.to_dict()["name"] == "job"
    assert {step["name"]: step for step in workflow.to_dict()["steps"]} == {
        "plan": {"name": "plan", "kind": "step", "after": []},
        "write": {"name": "write", "kind": "each", "after": ["plan"]},
        "docs": {"name": "docs", "kind": "step", "after": ["plan"]},
        "alone": {"name": "alone", "kind": "step", "after": []},
        "polish": {"name": "polish", "kind": "loop", "after": ["write", "docs"], "limit": 3},
    }
    assert workflow.before("polish") == {"plan", "write", "docs"}
    assert workflow.before("alone") == frozenset()


def test_nodes_may_be_added_before_those_they_follow() -> None:
    workflow = WorkflowBuilder("job").step("last", nothing, after="first").step("first", nothing, after=()).build()
    assert [node.name for node in workflow.nodes] == ["first", "last"]


def test_circles_are_named() -> None:
    builder = WorkflowBuilder("job").step("a", nothing, after="c").step("b", nothing).step("c", nothing)
    with pytest.raises(InputError, match=r"Workflow job has a circle: \w → \w → \w → \w") as refused:
        builder.build()
    first, *_, last = refused.value.what.split(": ")[1].split(" → ")
    assert first == last


@pytest.mark.parametrize("name", ["", "a/b", "argument", "item"])
def test_names_that_would_be_ambiguous_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be called"):
        WorkflowBuilder("job").step(name, nothing).build()


def test_doubled_and_unknown_names_and_endless_loops_are_refused() -> None:
    with pytest.raises(InputError, match="a is used 2 times"):
        WorkflowBuilder("job").step("a", nothing).step("a", nothing, after=()).build()
    with pytest.raises(InputError, match="a comes after unknown b, c"):
        WorkflowBuilder("job").step("a", nothing, after=["b", "c"]).build()
    with pytest.raises(InputError, match="may run 0 times"):
        WorkflowBuilder("job").loop("a", nothing, until=bool, limit=0)


async def test_the_documented_example_runs_as_written() -> None:
    example = inspect.cleandoc(workflow_builder.__doc__ or "").split("::\n", 1)[1].split("\nEvery node", 1)[0]
    source = textwrap.dedent(example)
    code = compile(source, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {
        "WorkflowBuilder": WorkflowBuilder,
        "run_workflow": run_workflow,
        "engine": MemoryEngine(),
    }
    await eval(code, names)
    assert names["results"]["write"] == [{"file": "a.py", "needs": []}, {"file": "b.py", "needs": ["a"]}]
    claimed = source.rsplit('# "', 1)[1].split('"', 1)[0]
    assert names["results"]["report"] == claimed == "2 files for an idea"
