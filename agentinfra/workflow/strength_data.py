"""How strong tests are, read from the ``test_strength`` events of :mod:`agentinfra.core.events`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentinfra.workflow.event_fields import integer, mappings, text


@dataclass(frozen=True, slots=True)
class Strength:
    """How many mutants of its code the tests of a requirement catch.

    Attributes:
        requirement: Its id.
        tried: How many mutants were tried.
        killed: How many of them a test failed on.
        survivors: What was changed where in the others, and a call that would tell, where one was found.
        reason: Why nothing is known; "" when it is.
    """

    requirement: str
    tried: int
    killed: int
    survivors: tuple[str, ...] = ()
    reason: str = ""


def read_strength(data: Mapping[str, Any]) -> tuple[Strength, ...]:
    """What an event says about mutants, for each requirement; nothing where it is about something else."""
    if text(data, "against") != "mutants":
        return ()
    return tuple(
        Strength(
            text(one, "id"),
            integer(one, "tried"),
            integer(one, "killed"),
            tuple(_survivor(mutant) for mutant in mappings(one, "survivors")),
            text(data, "reason"),
        )
        for one in mappings(data, "requirements")
    )


def _survivor(mutant: Mapping[str, Any]) -> str:
    change, told_by = text(mutant, "change"), text(mutant, "told_by")
    return f"{change} in line {integer(mutant, 'line')}" + (f" ({told_by})" if told_by else "")
