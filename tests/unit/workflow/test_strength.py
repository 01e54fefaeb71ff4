"""The record of what a task's tests catch."""

from pathlib import Path
from typing import Any, cast

import pytest

from agentinfra.agents.test_suite import build_suite
from agentinfra.core.tasks import Task
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.spec.requirements import Example, Requirement, Spec
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.run import Run
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts
from agentinfra.workflow.strength import measure, owner, tell_trivial

GRADE = Requirement("FR-1", "Grade", "", "marks.py", ("grade(points)",))
BEST = Requirement("FR-2", "Best", "", "marks.py", ("class Marks()", "Marks.add(points)", "Marks.best()"))
TASK = Task("T-1", "Marks", ("FR-1", "FR-2"), ("marks.py",), (*GRADE.symbols, *BEST.symbols), engineer="Bea")
BEFORE = "def old(n):\n    return n + 1\n"
CODE = f"""{BEFORE}

def grade(points):
    if points >= 50:
        return "passed"
    return "failed"


class Marks:
    def __init__(self):
        self.all = []

    def add(self, points):
        self.all.append(points)

    def best(self):
        return max(self.all)
"""
CASES = [
    ("FR-1", Example("grade(70)", "returns", "'passed'")),
    ("FR-1", Example("grade(20)", "returns", "'failed'")),
    ("FR-2", Example("m.best()", "returns", "4", ("m = Marks()", "m.add(3)", "m.add(4)"))),
]
SUITE = build_suite("tests/test_marks.py", "marks.py", TASK.symbols, CASES)


@pytest.fixture
def run(tmp_path):
    absent = cast("Any", None)
    log = SqliteEventLog(tmp_path / "events.db")
    runner = PytestRunner(Bubblewrap())
    parts = RunParts(MemoryEngine(), log, git=absent, runner=runner, human=absent, files=absent, model_for=absent)
    yield Run("r1", RunOptions("an idea", tmp_path), parts, Spec("t", "i", "g", (GRADE, BEST)))
    log.close()


def worktree(folder: Path, code=CODE):
    root = folder / "tree"
    (root / "tests").mkdir(parents=True)
    (root / "marks.py").write_text(code)
    (root / SUITE.path).write_text(SUITE.source())
    return root


def told(run):
    return [(event.data, event.agent) for event in run.parts.log.read("r1") if event.kind == "test_strength"]


async def test_what_the_tests_do_not_see_is_told_for_each_requirement_with_a_call_that_would(run, tmp_path):
    await measure(run, TASK, SUITE, worktree(tmp_path), BEFORE, "sha")
    [(data, agent)] = told(run)
    assert (data["task"], data["against"], data["tests_sha"], data["reason"]) == ("T-1", "mutants", "sha", "")
    assert agent == ("planner", "Bea")
    assert data["seconds"] > 0
    grade, best = data["requirements"]
    assert (grade["id"], best["id"]) == ("FR-1", "FR-2")
    assert grade["killed"] == grade["tried"] - len(grade["survivors"]) > 0
    assert best["survivors"] == [] and best["killed"] == best["tried"] > 0
    boundary = next(one for one in grade["survivors"] if one["change"] == "`>` for `>=`")
    assert (boundary["file"], boundary["line"], boundary["symbol"]) == ("marks.py", 6, "grade")
    assert boundary["told_by"] == "grade(50) gives 'passed', the survivor gives 'failed'"
    changed = {one["line"] for one in (*grade["survivors"], *best["survivors"])}
    assert min(changed) > 2


async def test_answers_that_are_never_the_same_tell_nothing(run, tmp_path):
    unsteady = "    import os\n    if points not in (70, 20):\n        return os.getpid()\n    if points >= 50"
    await measure(run, TASK, SUITE, worktree(tmp_path, CODE.replace("    if points >= 50", unsteady)), BEFORE, "sha")
    [(data, _)] = told(run)
    survivors = data["requirements"][0]["survivors"]
    assert survivors
    assert {one["told_by"] for one in survivors if one["line"] == 9} == {""}


async def test_code_that_does_not_pass_is_not_measured(run, tmp_path):
    await measure(run, TASK, SUITE, worktree(tmp_path, CODE.replace("50", "90")), BEFORE, "sha")
    [(data, _)] = told(run)
    assert data["reason"] == "The reference itself does not pass: a test fails"
    assert [one["tried"] for one in data["requirements"]] == [0, 0]


async def test_what_is_no_python_is_not_measured(run, tmp_path):
    page = Task("T-2", "Page", ("FR-1",), ("index.html",))
    await measure(run, page, SUITE, tmp_path, "", "sha")
    assert told(run) == []


async def test_thoughtless_implementations_speak_for_every_requirement_of_the_task(run):
    await tell_trivial(run, TASK, 5, ["identity"], seconds=0.5)
    [(data, _)] = told(run)
    each = {"tried": 5, "killed": 4, "survivors": [{"change": "identity"}]}
    assert data["requirements"] == [{"id": "FR-1", **each}, {"id": "FR-2", **each}]
    assert (data["against"], data["seconds"]) == ("trivial", 0.5)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("grade", "FR-1"),
        ("Marks.best", "FR-2"),
        ("Marks.__init__", "FR-2"),
        ("Marks.helper", "FR-2"),
        ("_helper", "FR-1"),
        ("", "FR-1"),
    ],
)
def test_a_function_belongs_to_the_requirement_that_names_it(symbol, expected):
    assert owner(symbol, [GRADE, BEST]) == expected
