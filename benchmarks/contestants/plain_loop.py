"""The floor: a loop over the standard library alone, with the schemas written from the type hints."""

from __future__ import annotations

import inspect
import json
from typing import Any, get_type_hints

import task

_TYPES = {int: "integer", str: "string", float: "number", bool: "boolean"}


class Model:
    """Calls ``add`` first and answers after its result."""

    async def complete(self, messages: list[dict[str, Any]], _tools: list[dict[str, Any]]) -> dict[str, Any]:
        """The next message."""
        if messages[-1]["role"] == "tool":
            return {"role": "assistant", "content": task.ANSWER}
        return {"role": "assistant", "calls": [{"id": "1", "name": "add", "arguments": task.ARGUMENTS}]}


class Agent:
    """A model, its tools, and the loop between them."""

    def __init__(self) -> None:
        self.model = Model()
        self.tools = {function.__name__: function for function in task.TOOLS}
        self.schemas = [schema_of(function) for function in task.TOOLS]

    async def run(self, question: str) -> str:
        """Ask, run tools, ask again."""
        messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
        while True:
            message = await self.model.complete(messages, self.schemas)
            messages.append(message)
            if not message.get("calls"):
                return message["content"]
            for call in message["calls"]:
                result = await self.tools[call["name"]](**json.loads(call["arguments"]))
                messages.append({"role": "tool", "id": call["id"], "content": str(result)})


def schema_of(function: Any) -> dict[str, Any]:
    """A JSON Schema of a function's parameters."""
    hints = get_type_hints(function)
    parameters = inspect.signature(function).parameters
    properties = {name: {"type": _TYPES[hints[name]]} for name in parameters}
    required = [name for name, one in parameters.items() if one.default is one.empty]
    return {
        "name": function.__name__,
        "description": inspect.getdoc(function),
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


make = Agent


async def run(agent: Agent) -> str:
    """One run."""
    return await agent.run(task.QUESTION)
