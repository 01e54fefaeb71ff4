"""Places to run in, and the runs that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.place import Outcome, Place

RECORDINGS = Path(__file__).with_name("recordings")
DEMO = RECORDINGS / "demo.jsonl"
DEMO_IDEA = Path(__file__).parents[2] / "examples" / "demo_idea.md"
DEMO_OPTIONS = ("--replay", str(DEMO), "--idea-file", str(DEMO_IDEA), "--yes")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A new place; whatever a test starts in it must have ended when the test is over."""
    made = Place(tmp_path / "place")
    yield made
    assert made.processes() == []


@dataclass(frozen=True)
class Demo:
    """The demo as it was replayed to its end.

    Attributes:
        place: Where.
        outcome: How ``plan --json`` ended.
        report: The run's report.
        events: The run's events, from the log.
    """

    place: Place
    outcome: Outcome
    report: dict[str, Any]
    events: list[dict[str, Any]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo in a folder that was empty; only to be looked at."""
    place = Place(tmp_path_factory.mktemp("demo"))
    outcome = place.agentinfra("plan", *DEMO_OPTIONS, "--init", "--json")
    return Demo(place, outcome, place.report(), place.events())
