"""Agents with code actions of their own: found in packages and in the workspace, the broken ones told of."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
from agentinfra.agents.code_actions import ActionAnswer, OfferedAction


class Sorter:
    name = "Sorter"

    def code_actions(self):
        return [OfferedAction("sort", "Sort the imports", "source", files=("*.py",))]

    async def perform(self, request, model):
        return "sorted"


class Broken(Sorter):
    def __init__(self):
        raise RuntimeError("no")


class Half:
    name = "Half"


class Wrong(Sorter):
    name = "Wrong"

    def code_actions(self):
        return [OfferedAction("x", "X", "anything")]


class Twice(Sorter):
    name = "Twice"

    def code_actions(self):
        return [OfferedAction("x", "X"), OfferedAction("x", "Y")]
"""
PLANNER = CODE.replace(
    'class Sorter:\n    name = "Sorter"\n',
    "from agentinfra.agents.planner_agent import PlannerAgent\n\n\nclass Sorter(PlannerAgent):\n"
    '    def __init__(self):\n        super().__init__(name="Codex")\n',
)
PROGRAM = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from agentinfra.agents.acting_agents import load_acting_agents
found = load_acting_agents(Path.cwd(), sys.argv[1] or None)
print(json.dumps([{name: [asdict(one) for one in some] for name, some in found.offers.items()}, found.problems]))
"""


@pytest.fixture
def ask(tmp_path):
    """Installs a package with these entry points and says what is found, in a process of its own."""

    def run(entries, planner="", code=CODE):
        (tmp_path / "acme_actions.py").write_text(code)
        meta = tmp_path / "acme-1.0.dist-info"
        meta.mkdir(exist_ok=True)
        (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        lines = "".join(f"{name} = acme_actions:{target}\n" for name, target in entries.items())
        (meta / "entry_points.txt").write_text(f"[agentinfra.code_actions]\n{lines}")
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, planner],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout)

    return run


def test_a_packages_agent_is_found_beside_what_is_broken(ask):
    offers, problems = ask({"sorter": "Sorter", "broken": "Broken", "half": "Half", "again": "Sorter", "none": "No"})
    sort = {"id": "sort", "title": "Sort the imports", "kind": "source", "where": "anywhere", "files": ["*.py"]}
    assert offers == {"Sorter": [sort]}
    said = "\n".join(problems)
    assert "The code actions of broken cannot be used: RuntimeError: no" in said
    assert "Its Half has no code_actions, perform" in said
    assert "The code actions of sorter cannot be used: Another agent is called Sorter, too" in said
    assert "The code actions of none cannot be used: AttributeError" in said and len(problems) == 4


def test_an_offer_that_is_wrong_takes_its_agent_out(ask):
    offers, (twice, wrong) = ask({"wrong": "Wrong", "twice": "Twice"})
    assert offers == {} and "two with one id" in twice and "should match pattern" in wrong


def test_a_workspaces_own_planner_may_have_some(ask):
    offers, problems = ask({}, "acme_actions:Sorter", PLANNER)
    assert list(offers) == ["Codex"] and problems == []
    offers, problems = ask({}, "agentinfra.agents.planner_agent:PlannerAgent")
    assert (offers, problems) == ({}, [])
    offers, (problem,) = ask({}, "nowhere:Planner")
    assert offers == {} and "nowhere:Planner cannot be made" in problem
