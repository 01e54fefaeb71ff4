"""Which JSON Schemas Anthropic can hold a reply to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from agentinfra.core.messages import JsonSchema

_CHOICES = ("anyOf", "oneOf", "allOf")
_KINDS = ("type", "enum", "const", "$ref", *_CHOICES)


def enforceable(schema: JsonSchema) -> bool:
    """Whether the provider can hold a reply to the schema, and allows everything that the schema allows.

    It closes every object: one with free members, such as a ``dict[str, int]``, would always come back empty. It also
    takes no schema that contains itself, and none that says nothing about a value.
    """
    definitions = cast("Mapping[str, JsonSchema]", schema.get("$defs", {}))
    return _closed(schema, definitions, frozenset())


def _closed(node: JsonSchema, definitions: Mapping[str, JsonSchema], inside: frozenset[str]) -> bool:
    if "$ref" in node:
        name = str(node["$ref"]).removeprefix("#/$defs/")
        known = name in definitions and name not in inside
        return known and _closed(definitions[name], definitions, inside | {name})
    if not any(word in node for word in _KINDS) or isinstance(node.get("type"), list):
        return False
    if node.get("type") == "object" and (node.get("additionalProperties") or "properties" not in node):
        return False
    return all(_closed(child, definitions, inside) for child in _children(node))


def _children(node: JsonSchema) -> Iterator[JsonSchema]:
    yield from node.get("properties", {}).values()
    for word in _CHOICES:
        yield from node.get(word, ())
    items: Any = node.get("items")
    if isinstance(items, Mapping):
        yield cast("JsonSchema", items)
    elif node.get("type") == "array":
        yield {}
