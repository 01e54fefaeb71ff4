"""A person's own words to the tasks of a run: kept on its log, and put in front of what models are asked.

They come from the person alone, so that models may follow them; nothing that agents or files say gets here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from agentinfra.core.errors import InputError
from agentinfra.core.events import EventDraft
from agentinfra.core.interfaces import EventLog
from agentinfra.workflow.event_fields import text

if TYPE_CHECKING:
    from agentinfra.workflow.run_state import RunState

When = Literal["next", "now"]
MAX_CHARACTERS = 2_000  # of one message
MAX_WAITING = 20  # messages that no model has seen yet
MAX_SHOWN = 4_000  # characters of all messages in one request; the newest count
OVER = ("done", "failed")
_HEAD = "The person who asked for this work says, and it goes before everything but the examples:"


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the person said.

    Attributes:
        id: Its id.
        text: Their words.
        when: "next": for the next request to a model; "now": the request at hand is withdrawn and made anew.
        task: The task that it is for; "" for all.
        used: Tasks whose models have been told.
    """

    id: str
    text: str
    when: str = "next"
    task: str = ""
    used: tuple[str, ...] = ()

    def is_for(self, task: str) -> bool:
        """Whether the task is meant."""
        return self.task in ("", task)


def added(known: tuple[Instruction, ...], data: Mapping[str, Any]) -> tuple[Instruction, ...]:
    """What the person has said, with one ``instruction`` more."""
    said = Instruction(text(data, "id"), text(data, "text"), text(data, "when") or "next", text(data, "task"))
    return known if any(one.id == said.id for one in known) else (*known, said)


def used(known: tuple[Instruction, ...], data: Mapping[str, Any]) -> tuple[Instruction, ...]:
    """The same after an ``instruction_used``."""
    task = text(data, "task")
    return tuple(
        replace(one, used=(*one.used, task)) if one.id == text(data, "id") and task not in one.used else one
        for one in known
    )


def in_front(instructions: Iterable[Instruction]) -> str:
    """The words as a model is told of them, the newest of them where they are many; "" for none."""
    shown: list[str] = []
    left = MAX_SHOWN
    for one in reversed([*instructions]):
        left -= len(one.text)
        if left < 0:
            break
        shown.insert(0, one.text)
    return "\n\n".join((_HEAD, *shown)) + "\n\n" if shown else ""


def send(log: EventLog, state: RunState, words: str, *, task: str = "", when: When = "next") -> str:
    """Put a person's words on the log of a run that is not over.

    Args:
        log: The run's log.
        state: The run as it is now.
        words: What they say.
        task: The task that is meant; all that are at work, and those to come, for "".
        when: See :class:`Instruction`.

    Returns:
        The id of the message.

    Raises:
        InputError: Nothing can be done with it: empty, too long, too many wait, or what it is about is over.
    """
    words = checked(words)
    _refuse_over(state, task)
    waiting = [one for one in state.instructions if not one.used]
    if len(waiting) >= MAX_WAITING:
        raise InputError(
            f"{len(waiting)} messages wait already", next_step="Wait until a model has been told of some of them"
        )
    name = secrets.token_hex(4)
    data = {"id": name, "text": words, "when": when, **({"task": task} if task else {})}
    log.append(state.run, EventDraft("instruction", data))
    return name


def checked(words: str) -> str:
    """A person's words without blanks around them.

    Raises:
        InputError: They are empty or too long.
    """
    stripped = words.strip()
    if not stripped:
        raise InputError("The message is empty", next_step="Say what is to be done otherwise")
    if len(stripped) > MAX_CHARACTERS:
        raise InputError(
            f"The message has {len(stripped):,} characters", next_step=f"Say it in {MAX_CHARACTERS:,} at most"
        )
    return stripped


def _refuse_over(state: RunState, task: str) -> None:
    found = state.task(task)
    if task and found is None:
        known = ", ".join(one.id for one in state.tasks) or "none yet"
        raise InputError(f"There is no task {task} in run {state.run}", next_step=f"Known: {known}")
    retry = "Have a task done again, with your words as its note: `agentinfra retry TASK --note …`"
    all_over = bool(state.tasks) and all(one.state.is_final for one in state.tasks)
    if state.state in OVER or all_over:
        raise InputError(f"Run {state.run} is over: nobody is left to be told", next_step=retry)
    if found is not None and found.state.is_final:
        raise InputError(f"{task} is over: it is {found.state.value}", next_step=retry)
