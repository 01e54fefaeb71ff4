"""What a wire has no field for, said in words."""

from __future__ import annotations

import json

from agentinfra.core.messages import JsonSchema

GO_ON = "Go on."
"""Stands where a wire wants a user's message and there is none."""


def schema_in_words(schema: JsonSchema) -> str:
    """Asks for JSON of that schema, where nobody can hold the model to it."""
    return f"Answer with JSON only, matching this JSON Schema:\n{json.dumps(dict(schema))}"


def system_in_words(text: str) -> str:
    """A system message, where only a user can speak."""
    return f"<system>\n{text}\n</system>"
