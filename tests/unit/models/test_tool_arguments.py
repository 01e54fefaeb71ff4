import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.messages import Text, ToolCall
from agentinfra.models.tool_arguments import read_call, sendable, with_own_ids


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_a_call_that_can_be_sent_back(text):
    call = read_call("1", "add", text)
    assert not (call.arguments and call.unreadable)
    json.dumps(dict(sendable(call)), allow_nan=False)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": Infinity}', "1" * 5_000, "nul", "[]", '{"a": 1} {"b": 2}'])
def test_what_is_no_object_is_kept_as_it_came(text):
    call = read_call("1", "add", text)
    assert (call.arguments, call.unreadable) == ({}, text)
    assert sendable(call) == {"unreadable": text}


def test_an_object_is_read():
    assert read_call("1", "add", '{"a": {"b": [1]}}') == ToolCall("1", "add", {"a": {"b": [1]}})
    assert read_call("1", "add", "").arguments == {}


def test_own_ids_leave_good_ones_and_other_parts_alone():
    parts = (Text("a"), ToolCall("x", "t", {}), ToolCall("", "t", {}), ToolCall("x", "t", {}))
    given_ids = [part.id for part in with_own_ids(parts) if isinstance(part, ToolCall)]
    assert given_ids == ["x", "call_1", "call_2"]
    assert with_own_ids(parts)[0] is parts[0]
