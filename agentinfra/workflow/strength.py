"""Test strength on record: how many wrong implementations the tests of a task catch, for each of its requirements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentinfra.agents.arbiter import answers
from agentinfra.agents.briefing import requirements_of
from agentinfra.agents.test_suite import Case, Suite
from agentinfra.agents.variations import variations
from agentinfra.core.tasks import Task
from agentinfra.proof.batch import run_each
from agentinfra.proof.mutants import Mutant, mutants
from agentinfra.proof.strength import MUTANT_LIMITS, MUTANTS_SECONDS, try_mutants
from agentinfra.spec.requirements import Requirement

if TYPE_CHECKING:
    from agentinfra.workflow.run import Run


async def tell_trivial(run: Run, task: Task, tried: int, survivors: Sequence[str], **more: Any) -> None:
    """Put on record which thoughtless implementations pass the tests of a task; they speak for all its requirements."""
    told = [{"change": name} for name in survivors]
    each = [{"id": name, "tried": tried, "killed": tried - len(told), "survivors": told} for name in task.requirements]
    data = {"task": task.id, "against": "trivial", "requirements": each, **more}
    await run.emit("test_strength", data, ("planner", task.engineer))


async def measure(run: Run, task: Task, suite: Suite, root: Path, before: str, tests_sha: str) -> None:
    """Try the tests of a task against mutants of the code that passes them, and put on record what they catch.

    Args:
        run: The run.
        task: The task.
        suite: Its locked tests.
        root: Its worktree, with the tests and the code in it.
        before: The file as it was before the task.
        tests_sha: Hash of the locked test files.
    """
    file = task.files[0]
    if file.endswith(".py"):
        found = await run.step(f"mutants {task.id}", lambda: _measure(run, task, suite, root, before))
        data = {"task": task.id, "against": "mutants", "tests_sha": tests_sha, **found}
        await run.emit("test_strength", data, ("planner", task.engineer))


async def _measure(run: Run, task: Task, suite: Suite, root: Path, before: str) -> dict[str, Any]:
    assert run.spec is not None
    started, file = monotonic(), task.files[0]
    reference = (root / file).read_text("utf-8")
    made = mutants(reference, before)
    runs = await try_mutants(run.parts.runner, root, file, reference, made, tests=[suite.path])
    told = await _told_by(run, suite, root, file, reference, runs.survivors)
    requirements = requirements_of(task, run.spec)
    each: dict[str, dict[str, Any]] = {
        one.id: {"id": one.id, "tried": 0, "killed": 0, "survivors": []} for one in requirements
    }
    for mutant in (*runs.killed, *runs.survivors):
        own = each[owner(mutant.symbol, requirements)]
        own["tried"] += 1
        own["killed"] += mutant in runs.killed
        if mutant in runs.survivors:
            place = {"change": mutant.change, "file": file, "line": mutant.line, "symbol": mutant.symbol}
            own["survivors"].append({**place, "told_by": told.get(mutant, "")})
    return {"requirements": list(each.values()), "seconds": monotonic() - started, "reason": runs.reason}


def owner(symbol: str, requirements: Sequence[Requirement]) -> str:
    """The id of the requirement that a function or method belongs to: the first that names it, or its class.

    What none of them names, such as a private helper, is taken for the first requirement's.
    """
    for name in (symbol, symbol.removesuffix(".__init__"), symbol.partition(".")[0]):
        for requirement in requirements:
            if name in {_dotted(signature) for signature in requirement.symbols}:
                return requirement.id
    return requirements[0].id


def _dotted(signature: str) -> str:
    """``Bag.add`` for ``Bag.add(x)``, ``Bag`` for ``class Bag(size)``."""
    return signature.partition("(")[0].strip().rpartition(" ")[2]


async def _told_by(
    run: Run, suite: Suite, root: Path, file: str, reference: str, survivors: Sequence[Mutant]
) -> Mapping[Mutant, str]:
    """For each survivor a call that the reference answers otherwise, as far as one is found."""
    probes = variations([case.example for case in suite.cases], reference) if survivors else []
    if not probes:
        return {}
    cases = tuple(Case(f"test_{number}", "", example) for number, example in enumerate(probes))
    asked = replace(suite, cases=cases)
    # The reference twice: what it does not answer the same way again tells nothing.
    sources = [reference, reference, *(mutant.source for mutant in survivors)]
    overlays = [{file: source, suite.path: asked.source()} for source in sources]
    reports = await run_each(
        run.parts.runner, root, [suite.path], overlays, limits=MUTANT_LIMITS, seconds=MUTANTS_SECONDS
    )
    first, again, *others = [answers(report, asked) for report in reports]
    steady = [case for case in cases if first[case.name] == again[case.name]]
    return {mutant: _difference(steady, first, other) for mutant, other in zip(survivors, others, strict=True)}


def _difference(cases: Sequence[Case], right: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    differing = [case for case in cases if right[case.name] != wrong[case.name] and wrong[case.name] != "did not run"]
    # A result tells more than an error.
    differing.sort(key=lambda case: not right[case.name].startswith("gives "))
    for case in differing:
        call = "; ".join((*case.example.setup, case.example.call))
        return f"{call} {right[case.name]}, the survivor {wrong[case.name]}"
    return ""
