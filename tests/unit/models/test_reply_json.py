"""Replies as JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agentinfra.core.messages import (
    Audio,
    ChatReply,
    File,
    Image,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from agentinfra.models.reply_json import reply_in, reply_out

TEXT = st.text(max_size=5)
BYTES = st.binary(max_size=5)
IMAGES = st.builds(Image, BYTES, TEXT, TEXT)
PARTS = st.one_of(
    st.builds(Text, TEXT),
    IMAGES,
    st.builds(Audio, BYTES, TEXT, TEXT),
    st.builds(File, TEXT, BYTES, TEXT, TEXT),
    st.builds(Reasoning, TEXT, TEXT, TEXT, TEXT, st.booleans()),
    st.builds(ToolCall, TEXT, TEXT, st.dictionaries(TEXT, st.integers() | st.none(), max_size=2), TEXT),
    st.builds(ToolResult, TEXT, TEXT, st.booleans(), st.tuples(IMAGES) | st.just(())),
)
COUNTS = st.integers(0, 10**6)
REPLIES = st.builds(
    ChatReply,
    st.lists(PARTS, max_size=3).map(tuple),
    TEXT,
    st.builds(Usage, COUNTS, COUNTS, COUNTS, st.none() | st.floats(0, 9), COUNTS, COUNTS),
    st.sampled_from(["stop", "pause", "refusal"]),
    TEXT,
)


@given(REPLIES)
def test_every_reply_comes_back_from_json_as_it_was(reply):
    assert reply_in(json.loads(json.dumps(reply_out(reply)))) == reply


def test_what_old_records_did_not_know_is_left_out_where_it_is_empty():
    reply = ChatReply((ToolCall("1", "add", {"a": 1}), ToolResult("1", "2")), "s:m", Usage(1, 2))
    assert reply_out(reply) == {
        "parts": [
            {"kind": "tool_call", "id": "1", "name": "add", "arguments": {"a": 1}},
            {"kind": "tool_result", "call_id": "1", "content": "2", "is_error": False},
        ],
        "model": "s:m",
        "usage": {"input_tokens": 1, "output_tokens": 2, "cached_tokens": 0, "cost_usd": None},
        "stop_reason": "stop",
    }
