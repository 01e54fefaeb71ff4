from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import TypeAdapter

from agentinfra.models.anthropic_schema import enforceable


@dataclass
class Step:
    name: str
    kind: Literal["a", "b"] = "a"


@dataclass
class Plan:
    steps: list[Step]
    best: Step | None = None


@dataclass
class Tree:
    children: list["Tree"]


@dataclass
class Open:
    counts: dict[str, int]


@dataclass
class Vague:
    value: Any


@pytest.mark.parametrize("type_", [Plan, Step, list[Step], str, int | None, Literal["x"]])
def test_closed_types_can_be_enforced(type_):
    assert enforceable(TypeAdapter(type_).json_schema())


@pytest.mark.parametrize("type_", [Open, dict[str, int], Tree, Vague, list[Any], list[Open], list])
def test_open_recursive_and_vague_types_cannot(type_):
    assert not enforceable(TypeAdapter(type_).json_schema())


@pytest.mark.parametrize("schema", [{}, {"type": ["string", "null"]}, {"type": "object"}, {"$ref": "#/$defs/Lost"}])
def test_schemas_that_say_too_little_cannot(schema):
    assert not enforceable(schema)
