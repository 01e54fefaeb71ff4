from __future__ import annotations

from typing import Any

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.messages import ToolCall, ToolResult
from agentinfra.tools.base_tool import BaseTool
from agentinfra.tools.registry import MAX_ANSWER, ToolRegistry

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "times": {"type": "integer"},
        "side": {"enum": ["left", "right"]},
        "loud": {"type": "boolean"},
        "anything": {},
    },
    "required": ["text"],
}


class Repeat(BaseTool):
    def __init__(self, name: str = "repeat") -> None:
        super().__init__(name, "Repeats", SCHEMA)

    async def arun(self, text: str, times: int = 1, **_: Any) -> str:
        if text == "":
            raise InputError("The text is empty", next_step="Pass one")
        return text * times


@pytest.fixture
def registry() -> ToolRegistry:
    return ToolRegistry([Repeat(), Repeat("again")])


async def call(registry: ToolRegistry, name: str = "repeat", **arguments: Any) -> ToolResult:
    return await registry.call(ToolCall("id-1", name, arguments))


def test_specs_come_in_order(registry: ToolRegistry) -> None:
    assert [spec.name for spec in registry.specs()] == ["repeat", "again"]
    assert registry.get("again").spec.name == "again"


def test_a_name_is_taken_once(registry: ToolRegistry) -> None:
    with pytest.raises(InputError, match="two tools named repeat"):
        registry.add(Repeat())


async def test_a_call_is_answered_under_its_id(registry: ToolRegistry) -> None:
    result = await call(registry, text="ab", times=2, side="left", loud=True, anything=None)
    assert result == ToolResult("id-1", "abab")


async def test_an_unknown_tool_is_answered_with_the_known_ones(registry: ToolRegistry) -> None:
    result = await call(registry, "erase")
    assert result.is_error
    assert "no tool erase" in result.content
    assert "repeat, again" in result.content


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "text is missing"),
        ({"text": 3}, "text must be of type string"),
        ({"text": "a", "times": True}, "times must be of type integer"),
        ({"text": "a", "times": "2"}, "times must be of type integer"),
        ({"text": "a", "loud": 1}, "loud must be of type boolean"),
        ({"text": "a", "side": "up"}, "side must be one of left, right"),
        ({"text": "a", "colour": "red"}, "colour is not an argument"),
    ],
)
async def test_arguments_that_do_not_fit_are_named(
    registry: ToolRegistry, arguments: dict[str, Any], problem: str
) -> None:
    result = await call(registry, **arguments)
    assert result.is_error
    assert problem in result.content


async def test_a_refusal_of_the_tool_is_an_answer(registry: ToolRegistry) -> None:
    assert await call(registry, text="") == ToolResult("id-1", "The text is empty. Pass one.", is_error=True)


async def test_answers_are_cleaned_and_bounded(registry: ToolRegistry) -> None:
    assert (await call(registry, text="a\x1b[31mb")).content == "ab"
    assert len((await call(registry, text="x", times=MAX_ANSWER * 2)).content) <= MAX_ANSWER
