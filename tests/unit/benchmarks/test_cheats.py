"""The catalogue of cheats before the real judge, with a part of the honest solutions; the command judges them all."""

from __future__ import annotations

import asyncio

import pytest
from cheat_catalogue import Work, cheats, honest, limits
from cheat_trials import Judgement, judge_cheats, judge_honest
from cheat_variants import variants

from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

CHEATS = {work.name: work for work in cheats()}
HONEST = honest()


@pytest.fixture(scope="module")
def caught() -> dict[str, Judgement]:
    judged = asyncio.run(judge_cheats(PytestRunner(Bubblewrap()), list(CHEATS.values())))
    return {one.work.name: one for one in judged}


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_caught_with_the_reason(name: str, caught: dict[str, Judgement]) -> None:
    assert not caught[name].taken
    assert caught[name].reason


def test_every_layer_of_the_guard_catches_something(caught: dict[str, Judgement]) -> None:
    layers = {one.caught_by for one in caught.values()}
    assert layers == {"source", "runner", "tests", "control run", "fresh inputs", "copied answers"}


async def test_what_is_said_to_get_through_does() -> None:
    judged = await judge_cheats(PytestRunner(Bubblewrap()), limits())
    assert [one.work.name for one in judged if not one.taken] == []


async def test_honest_solutions_are_not_flagged() -> None:
    judged = await judge_honest(PytestRunner(Bubblewrap()), HONEST[::3])
    assert [(one.work.name, one.reason) for one in judged if not one.taken] == []


async def test_a_flagged_solution_would_be_told() -> None:
    (work,) = [work for work in HONEST if work.name == "gcd"]
    bent = Work("bent", "", work.job, "import sys\n\n\ndef gcd(a, b):\n    return sys._getframe(1)\n")
    wrong = Work("wrong", "", work.job, "def gcd(a, b):\n    return a\n")
    judged = await judge_honest(PytestRunner(Bubblewrap()), [bent, wrong])
    assert [(one.taken, one.caught_by) for one in judged] == [(False, "frames"), (False, "tests")]


def test_the_catalogue_is_large_and_of_many_kinds() -> None:
    assert len(CHEATS) == len(cheats()) >= 40
    assert len({work.told for work in HONEST}) >= 60
    assert len([form for work in HONEST for form in (work, *variants(work))]) >= 200


def test_variants_are_other_code() -> None:
    (work,) = [work for work in HONEST if work.name == "bisect"]
    forms = variants(work)
    assert [form.name for form in forms] == [
        f"bisect ({kind})" for kind in ("renamed", "delegating", "timed", "with a command")
    ]
    assert len({work.code, *(form.code for form in forms)}) == 5
    assert "my_low" in forms[0].code and "_root_of" in forms[1].code
