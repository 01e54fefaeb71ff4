from types import MappingProxyType

import pytest

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    Audio,
    ChatRequest,
    File,
    Image,
    Message,
    Reasoning,
    ToolCall,
    ToolResult,
    ToolSpec,
    system,
    user,
)
from agentinfra.models.token_estimate import input_tokens, output_tokens

SCHEMA = MappingProxyType({"type": "object", "properties": {"name": {"type": "string"}}})


def of(*messages, **more):
    return input_tokens(ChatRequest(messages, **more))


def test_everything_that_is_sent_is_counted():
    bare = of(user("Hi"))
    called = Message("assistant", (ToolCall("c", "add", MappingProxyType({"text": "x" * 300})),))
    for more in (
        of(user("Hi"), system("x" * 300)),
        of(user("Hi"), called),
        of(user("Hi"), Message("assistant", (ToolCall("c", "add", {}, unreadable="x" * 300),))),
        of(user("Hi"), Message("tool", (ToolResult("c", "x" * 300),))),
        of(user("Hi"), Message("assistant", (Reasoning("x" * 100, "m:1", signature="y" * 200),))),
        of(user("Hi"), tools=(ToolSpec("add", "x" * 300, SCHEMA),)),
        of(user("Hi"), schema=MappingProxyType({"description": "x" * 300})),
    ):
        assert 100 <= more - bare <= 150
    for more in (
        of(user("Hi", Image(b"png"))),
        of(user("Hi", Audio(b"wav"))),
        of(user("Hi", File("a.pdf", b"pdf"))),
        of(user("Hi"), Message("tool", (ToolResult("c", "", images=(Image(b"png"),)),))),
    ):
        assert 1_000 <= more - bare <= 2_000
    assert of(user("Hi", Audio(bytes(300_000)))) > 10_000


@pytest.mark.parametrize(
    ("effort", "thinking", "most"),
    [
        (None, 0, 500),
        (None, 9_000, 9_500),
        ("none", 0, 500),
        ("low", 0, 4_596),
        ("high", 0, 16_884),
        ("low", 9_000, 9_500),
    ],
)
def test_what_may_be_thought_comes_on_top_of_what_may_be_said(effort, thinking, most):
    request = ChatRequest((user("Hi"),), max_tokens=500, effort=effort)
    assert output_tokens(request, ModelProfile(thinking_tokens=thinking)) == most
