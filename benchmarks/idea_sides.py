"""The two sides of the idea benchmark: what each has to be able to do, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from idea_cases import Case

SideName = Literal["agentinfra", "one-call"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a side made of a case.

    Attributes:
        tree: Folder with the delivered files; empty where nothing was delivered.
        seconds: Wall-clock time, the start of the model included.
        input_tokens: Tokens that the model read.
        output_tokens: Tokens that it wrote.
        tries: Attempts at coding, summed over the tasks; for one call 1.
        tasks: Tasks of the plan; 0 for one call.
        done: Those of them that are DONE.
        note: What went wrong, "" if nothing did.
    """

    tree: Path
    seconds: float
    input_tokens: int = 0
    output_tokens: int = 0
    tries: int = 0
    tasks: int = 0
    done: int = 0
    note: str = ""


class Side(Protocol):
    """A way from an idea to files."""

    @property
    def name(self) -> SideName:
        """Its name in results."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides its results beside model, seed and source."""
        ...

    async def deliver(self, case: Case, seed: int, folder: Path) -> Delivery:
        """Build the idea.

        Args:
            case: The idea.
            seed: Sampling seed.
            folder: Fresh folder for everything that is written.

        Raises:
            AgentInfraError: It could not even begin, which is no result.
        """
        ...
