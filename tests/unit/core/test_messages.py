"""The vocabulary of model calls."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Message,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    assistant,
    system,
    user,
)

COUNTS = st.integers(0, 10**9)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, st.none() | st.integers(0, 1000).map(float))


@given(USAGES, USAGES, USAGES)
def test_usage_adds_up_in_any_order(one, two, three):
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert (one + two).input_tokens == one.input_tokens + two.input_tokens


def test_an_unknown_price_makes_the_sum_unknown_not_free():
    assert (Usage(cost_usd=1.0) + Usage()).cost_usd is None
    assert (Usage(cost_usd=1.0) + Usage(cost_usd=0.0)).cost_usd == 1.0


def test_text_is_the_text_parts_joined_and_calls_are_the_rest():
    call = ToolCall("1", "add", {"a": 1})
    reply = ChatReply((Text("a"), call, Text("b")), "s:m")
    assert (reply.text, reply.tool_calls) == ("ab", (call,))
    assert Message("tool", (ToolResult("1", "2"),)).text == ""


def test_messages_are_made_by_role():
    assert [(one.role, one.text) for one in (system("s"), user("u"), assistant("a"))] == [
        ("system", "s"),
        ("user", "u"),
        ("assistant", "a"),
    ]


def test_what_was_said_cannot_be_changed():
    request = ChatRequest((user("a"),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.purpose = "b"
    assert hash(user("a")) == hash(user("a"))
