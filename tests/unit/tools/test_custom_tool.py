from __future__ import annotations

from typing import Any, Literal

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.messages import ToolCall
from agentinfra.tools import tool
from agentinfra.tools.registry import ToolRegistry


@tool
def area(width: int, height: int = 2, unit: Literal["m", "cm"] = "m") -> str:
    """Area of a rectangle."""
    return f"{width * height} {unit}²"


def test_the_function_still_works() -> None:
    assert area(3) == "6 m²"


def test_type_hints_become_the_schema() -> None:
    spec = area.spec
    assert (spec.name, spec.description) == ("area", "Area of a rectangle.")
    assert spec.parameters["required"] == ["width"]
    assert spec.parameters["properties"]["unit"]["enum"] == ["m", "cm"]
    assert spec.parameters["additionalProperties"] is False


def test_arguments_are_converted_and_defaults_hold() -> None:
    assert area.run(width="3") == "6 m²"
    assert area.run(3, height=3, unit="cm") == "9 cm²"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "width"),
        ({"width": "x"}, "width"),
        ({"width": 1, "unit": "km"}, "unit"),
        ({"width": 1, "depth": 1}, "depth"),
    ],
)
async def test_wrong_arguments_are_named(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=f"Wrong arguments for area: {problem}"):
        await area.arun(**arguments)


async def test_a_coroutine_function_is_awaited_and_can_be_renamed() -> None:
    @tool(name="greet", description="Greets")
    async def hello(who: str) -> str:
        return f"hello {who}"

    result = await ToolRegistry([hello]).call(ToolCall("1", "greet", {"who": "Ada"}))
    assert (result.content, hello.spec.description) == ("hello Ada", "Greets")


def test_structured_arguments_are_checked_to_the_bottom() -> None:
    @tool
    def total(prices: dict[str, list[float]]) -> float:
        return sum(sum(row) for row in prices.values())

    assert total.run(prices={"a": [1, 2.5]}) == 3.5
    with pytest.raises(InputError, match=r"prices\.a\.0"):
        total.run(prices={"a": ["x"]})


def test_a_parameter_without_a_type_is_refused() -> None:
    def untyped(value):  # type: ignore[no-untyped-def]
        return value

    def star(*values: int) -> int:
        return sum(values)

    for function in (untyped, star):
        with pytest.raises(InputError, match="cannot be a tool: its parameter value"):
            tool(function)


def test_a_type_that_no_schema_expresses_is_refused() -> None:
    class Opaque:
        pass

    def odd(thing: Opaque) -> None:
        pass

    odd.__annotations__["thing"] = Opaque
    with pytest.raises(InputError, match="odd cannot be a tool"):
        tool(odd)
