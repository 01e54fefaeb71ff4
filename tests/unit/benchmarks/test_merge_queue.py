"""Fifty tasks at once, a tenth of them bad: with real git and real test runs in the sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from merge_queue import is_sound, row
from merge_scenario import BAD, Piece, Scenario, is_green_alone, make_pieces

from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox

COUNT = 50


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
async def runner() -> PytestRunner:
    return PytestRunner(await choose_sandbox(allow_unsandboxed=False))


async def test_the_final_tree_is_green_with_every_good_task_and_every_bad_one_is_named(
    tmp_path: Path, runner: PytestRunner
) -> None:
    pieces = make_pieces(COUNT, seed=1)
    result = await Scenario(tmp_path, pieces, runner).play()
    bad = {piece.id for piece in pieces if piece.is_bad}
    assert len(bad) == COUNT // 10
    assert result.report.all_passed, result.report.failures
    assert result.report.passed == COUNT - len(bad) + 1
    assert result.merged == {piece.id for piece in pieces} - bad
    assert set(result.refused) == bad
    assert all(one.reason.startswith("The merged tree's tests fail") for one in result.refused.values())
    assert result.whole_runs < COUNT
    assert is_sound(pieces, result)
    assert "45/45" in row(1, "together", pieces, result, 1.0)


@pytest.mark.parametrize("kind", BAD)
async def test_bad_tasks_are_green_alone(tmp_path: Path, runner: PytestRunner, kind: str) -> None:
    assert await is_green_alone(Piece(1, kind, 2), tmp_path / "repository", 4, runner)


def test_every_seed_has_a_tenth_of_bad_tasks_with_good_victims() -> None:
    for seed in range(20):
        pieces = make_pieces(COUNT, seed)
        bad = [piece for piece in pieces if piece.is_bad]
        assert len(bad) == COUNT // 10
        assert not any(pieces[piece.victim].is_bad for piece in bad)
