"""What an editor's code actions ask for and get: the request, the answer, and what an agent offers of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, get_args

from pydantic import Field

from agentinfra.core.interfaces import ChatModel

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

GROUP = "agentinfra.code_actions"
Intent = Literal["fix", "implement", "tests", "explain", "review"]
"""What AgentInfra's own agent can be asked for."""
INTENTS: tuple[str, ...] = get_args(Intent)
MOST_CHARACTERS = 400_000
"""Files that are longer are not worked on."""
Where = Literal["anywhere", "selection", "diagnostics"]
Short = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What is asked, and the text that it is about; nothing else is read.

    Attributes:
        what: An :data:`Intent`, or the id of an :class:`OfferedAction`.
        path: The file, relative to the workspace, with forward slashes.
        text: Its text as the editor has it.
        first: First line that is meant, from 1.
        last: Last line that is meant.
        symbol: Name of the definition that is meant, such as ``area`` or ``Circle.area``; "" for none.
        problems: What diagnostics say, one a line with its place.
        test_path: Where the file's tests belong.
        test_text: What stands there; "" where there is no such file.
    """

    what: Short
    path: Annotated[str, Field(min_length=1, max_length=1000)]
    text: Annotated[str, Field(max_length=MOST_CHARACTERS)]
    first: Annotated[int, Field(ge=1)] = 1
    last: Annotated[int, Field(ge=1)] = 1
    symbol: Short = ""
    problems: Annotated[tuple[Annotated[str, Field(max_length=1000)], ...], Field(max_length=20)] = ()
    test_path: Annotated[str, Field(max_length=1000)] = ""
    test_text: Annotated[str, Field(max_length=MOST_CHARACTERS)] = ""

    @property
    def texts(self) -> dict[str, str]:
        """The files that an answer may change, by path; "" for one that is not there."""
        tests = {self.test_path: self.test_text} if self.test_path and self.test_path != self.path else {}
        return {self.path: self.text, **tests}


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """What came of it: new texts, or something to read.

    Attributes:
        files: New text of each file that changes, by path; only files of the request.
        text: Markdown for the person.
    """

    files: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str = ""


@dataclass(frozen=True, slots=True)
class OfferedAction:
    """An action that another agent offers.

    Attributes:
        id: Unique among its agent's.
        title: As the editor lists it, after the agent's name.
        kind: The protocol's kind: "quickfix", "refactor.rewrite", "source", or a finer one.
        where: Whether it needs a selection or diagnostics.
        files: Patterns of the paths that it is for, such as ``*.py``; none is any.
    """

    id: Short
    title: Short
    kind: Annotated[str, Field(pattern=r"^(quickfix|refactor|source)(\.\w+)*$")] = "refactor.rewrite"
    where: Where = "anywhere"
    files: tuple[Short, ...] = ()


class ActingAgent(Protocol):
    """An agent with code actions of its own, as an entry point of the group ``agentinfra.code_actions`` makes it."""

    name: str

    def code_actions(self) -> Sequence[OfferedAction]:
        """What it offers; asked once."""
        ...

    async def perform(self, request: ActionRequest, model: ChatModel) -> ActionAnswer | str:
        """Do one of them.

        Args:
            request: What is asked; ``what`` is the action's id.
            model: The person's model, within a budget.

        Returns:
            The answer, or a model's reply: what patch is in it is carried out, else it is shown.
        """
        ...


def acting_plugins() -> EntryPoints:
    """The entry points of packages that bring acting agents; none is loaded."""
    from importlib.metadata import entry_points  # noqa: PLC0415  (as much CPU as all of this package's own)

    return entry_points(group=GROUP)
