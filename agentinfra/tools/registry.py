"""ToolRegistry: the tools of an agent by name; checks what a model passes to them and bounds what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra.core.messages import ToolCall, ToolResult, ToolSpec
from agentinfra.security.clean import clean_text

MAX_ANSWER = 20_000

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


class Tool(Protocol):
    """What the registry needs of a tool; :class:`~agentinfra.tools.base_tool.BaseTool` has it."""

    @property
    def spec(self) -> ToolSpec:
        """The tool as a model sees it."""
        ...

    async def arun(self, **arguments: Any) -> Any:
        """Do it."""
        ...


class ToolRegistry:
    """Tools by name, in the order given.

    Raises:
        InputError: Two tools have the same name.
    """

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        self._specs: dict[str, ToolSpec] = {}
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Add a tool.

        Raises:
            InputError: There is one of that name.
        """
        spec = tool.spec
        if spec.name in self._tools:
            raise InputError(f"There are two tools named {spec.name}", next_step="Give one of them another name")
        self._tools[spec.name], self._specs[spec.name] = tool, spec

    def get(self, name: str) -> Tool:
        """The tool of that name.

        Raises:
            InputError: There is none; the known ones are named.
        """
        if name not in self._tools:
            known = ", ".join(self._tools) or "none"
            raise InputError(f"There is no tool {name}", next_step=f"Call one of the known tools: {known}")
        return self._tools[name]

    def specs(self) -> tuple[ToolSpec, ...]:
        """All tools as a model sees them."""
        return tuple(self._specs.values())

    async def call(self, call: ToolCall) -> ToolResult:
        """Run the tool that a model called; what goes wrong becomes an answer that the model can act on."""
        try:
            tool = self.get(call.name)
            _require_readable(call)
            check_arguments(self._specs[call.name], call.arguments)
            answer = await tool.arun(**call.arguments)
        except AgentInfraError as error:
            return ToolResult(call.id, clean_text(str(error), MAX_ANSWER), is_error=True)
        return ToolResult(call.id, clean_text(str(answer), MAX_ANSWER))


def check_arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
    """Check arguments against the top level of a tool's schema: names, plain types and allowed values.

    Raises:
        InputError: Names every argument that does not fit.
    """
    properties: Mapping[str, Mapping[str, Any]] = spec.parameters.get("properties", {})
    problems = [f"{name} is missing" for name in spec.parameters.get("required", ()) if name not in arguments]
    for name, value in arguments.items():
        problem = _problem(properties[name], value) if name in properties else "is not an argument of this tool"
        if problem:
            problems.append(f"{name} {problem}")
    if problems:
        known = ", ".join(properties) or "none"
        raise InputError(f"Wrong arguments for {spec.name}: {'; '.join(problems)}", next_step=f"It takes: {known}")


def _require_readable(call: ToolCall) -> None:
    if call.unreadable:
        raise InputError(
            f"The arguments of {call.name} are no JSON object",
            why=f"They begin with {call.unreadable[:100]!r}",
            next_step="Call it again with one JSON object",
        )


def _problem(schema: Mapping[str, Any], value: Any) -> str:
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(map(str, schema['enum']))}"
    kind = str(schema.get("type", ""))
    # To Python, but not to JSON, a truth value is a number.
    is_number = isinstance(value, bool) and kind in ("integer", "number")
    if kind in _TYPES and (is_number or not isinstance(value, _TYPES[kind])):
        return f"must be of type {kind}"
    return ""
