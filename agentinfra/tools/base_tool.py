"""BaseTool: a name, a description, a JSON Schema of arguments, and one thing that it does."""

from __future__ import annotations

from functools import partial
from typing import Any

from agentinfra.core.doors import door, in_thread, is_overridden, wait
from agentinfra.core.errors import InputError
from agentinfra.core.messages import JsonSchema, ToolSpec


class BaseTool:
    """A tool that a model may call. Override :meth:`run`, or :meth:`arun` where it waits for something.

    Args:
        name: Letters, digits, ``_`` and ``-``; what the model calls it.
        description: What it is for, written for the model.
        parameters: JSON Schema of the arguments, an object.
    """

    def __init__(self, name: str, description: str, parameters: JsonSchema) -> None:
        self.name = name
        self.description = description
        self.parameters = parameters

    @property
    def spec(self) -> ToolSpec:
        """The tool as a model sees it."""
        return ToolSpec(self.name, self.description, self.parameters)

    @door
    def run(self, *arguments: Any, **named: Any) -> Any:
        """Do it and return the result, text for the model; a model passes its arguments by name.

        Raises:
            AgentInfraError: It could not be done; the message is for the model, too.
        """
        return wait(self.arun(*arguments, **named), f"await {self.name}.arun(...)")

    async def arun(self, *arguments: Any, **named: Any) -> Any:
        """:meth:`run` for asynchronous callers."""
        if is_overridden(self, "run"):
            return await in_thread(partial(self.run, *arguments, **named))
        raise InputError(f"The tool {self.name} does nothing yet", next_step="Override its run or arun")
