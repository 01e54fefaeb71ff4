"""The job that every contestant does: three typed asynchronous tools, of which the model calls one, then answers."""

from __future__ import annotations

QUESTION = "What is 2 + 3?"
ANSWER = "It is 5"
ARGUMENTS = '{"a": 2, "b": 3}'
calls = 0


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    global calls  # noqa: PLW0603  (counts that the tool really ran)
    calls += 1
    return a + b


async def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


async def shout(text: str, times: int = 1) -> str:
    """Say it loud."""
    return text.upper() * times


TOOLS = (add, multiply, shout)
