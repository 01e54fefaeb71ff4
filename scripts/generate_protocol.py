"""Write the JSON Schema and the TypeScript types of our own protocol from its Python types.

    python scripts/generate_protocol.py [--check]

``docs/reference/protocol.schema.json`` and ``vscode-extension/src/protocol.ts`` are made by this alone; ``--check``
says whether they are what it would write.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agentinfra_server.protocol.message import VERSION
from agentinfra_server.protocol.messages import METHODS
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "docs" / "reference" / "protocol.schema.json"
TYPES = ROOT / "vscode-extension" / "src" / "protocol.ts"
HEAD = "// Made by scripts/generate_protocol.py from server/agentinfra_server/protocol/messages.py.\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = Mapping[str, Any]


def schema() -> dict[str, Any]:
    """The whole protocol as one JSON Schema; ``methods`` says what carries what."""
    kinds = [kind for method in METHODS for kind in (method.params, method.result) if kind is not None]
    asked: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]
    asked = [(kind.__name__, "validation", TypeAdapter(kind)) for kind in kinds]
    _, made = TypeAdapter.json_schemas(asked, by_alias=True, ref_template="#/$defs/{model}")
    methods = {
        method.name: {
            "sender": method.sender,
            "params": _reference(method.params),
            **({"result": _reference(method.result)} if method.result else {}),
        }
        for method in METHODS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"AgentInfra protocol, version {VERSION}",
        "methods": methods,
        "$defs": made["$defs"],
    }


def _reference(kind: type[Any]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{kind.__name__}"}


def typescript(whole: Schema) -> str:
    """The same as TypeScript: an interface for each message, and a table of the methods."""
    return HEAD + "\n".join(
        [
            f"export const VERSION = {VERSION};\n",
            *(_interface(name, one) for name, one in whole["$defs"].items()),
            *_table("ClientRequests", "client", has_result=True),
            *_table("ClientNotifications", "client", has_result=False),
            *_table("ServerRequests", "server", has_result=True),
            *_table("ServerNotifications", "server", has_result=False),
        ]
    )


def _interface(name: str, one: Schema) -> str:
    required = set(one.get("required", ()))
    fields = "".join(_field(key, value, key in required) for key, value in one.get("properties", {}).items())
    return f"{_comment(one.get('description', ''))}export interface {name} {{\n{fields}}}\n"


def _field(name: str, value: Schema, required: bool) -> str:
    return f"  {name}{'' if required else '?'}: {_type(value)};\n"


def _comment(text: str) -> str:
    lines = text.replace("*/", "* /").splitlines()
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n" if lines else ""


def _type(one: Schema) -> str:
    if "$ref" in one:
        return one["$ref"].rpartition("/")[2]
    if "anyOf" in one:
        return " | ".join(dict.fromkeys(_type(each) for each in one["anyOf"]))
    if "enum" in one or "const" in one:
        return " | ".join(json.dumps(each) for each in one.get("enum", [one.get("const")]))
    if one.get("type") == "array":
        return f"Array<{_type(one.get('items', {}))}>"
    return "Record<string, unknown>" if one.get("type") == "object" else _PLAIN.get(one.get("type", ""), "unknown")


def _table(name: str, sender: str, *, has_result: bool) -> Iterator[str]:
    yield f"export interface {name} {{"
    for method in METHODS:
        if method.sender == sender and bool(method.result) == has_result:
            result = f"; result: {method.result.__name__}" if method.result else ""
            yield f"  {json.dumps(method.name)}: {{ params: {method.params.__name__}{result} }};"
    yield "}\n"


def generated() -> dict[Path, str]:
    """What belongs into each file."""
    whole = schema()
    return {SCHEMA: json.dumps(whole, indent=2) + "\n", TYPES: typescript(whole)}


def main() -> int:
    """Write the files, or compare them; 1 when they differ."""
    parser = argparse.ArgumentParser(description="The protocol's schema and types.")
    parser.add_argument("--check", action="store_true", help="write nothing, say whether they are up to date")
    check = parser.parse_args().check
    old = {path: path.read_text("utf-8") if path.exists() else "" for path in (SCHEMA, TYPES)}
    new = generated()
    if check:
        return int(old != new)
    for path, text in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
