from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.errors import InputError
from agentinfra.workflow.run_options import IDEA_BYTES, MODES, RunOptions


def options(**changes: Any) -> RunOptions:
    return RunOptions(**{"idea": "a pace calculator", "workspace": Path(), **changes})


@pytest.mark.parametrize("mode", MODES)
def test_sound_options_are_kept(mode: str) -> None:
    assert options(mode=mode, budget_usd=0.5, max_attempts=1, seed=0, planner="my.cast:Boss").mode == mode


@pytest.mark.parametrize("idea", ["", " \n\t", "x" * IDEA_BYTES, "é" * (IDEA_BYTES // 2), "\udcff", "a\0b"])
def test_an_idea_that_cannot_be_used_is_refused(idea: str) -> None:
    with pytest.raises(InputError) as caught:
        options(idea=idea)
    assert caught.value.next_step


def test_an_idea_in_any_language_just_below_the_limit_is_taken() -> None:
    idea = "你好" + "x" * (IDEA_BYTES - 7)
    assert options(idea=idea).idea == idea


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "yolo"},
        {"budget_minutes": 0.0},
        {"budget_minutes": float("nan")},
        {"budget_minutes": float("inf")},
        {"budget_usd": 0.0},
        {"budget_usd": -1.0},
        {"budget_requests": 0},
        {"budget_tokens": -5},
        {"max_attempts": 0},
        {"record": Path("a"), "replay": Path("b")},
        {"planner": "CodexAgent"},
        {"planner": "os; import:x"},
    ],
)
def test_values_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        options(**wrong)
