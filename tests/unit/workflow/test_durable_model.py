"""What a model call of a run tells the log."""

import pytest

from agentinfra.core.messages import ChatReply, ChatRequest, Text, Usage, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.workflow.durable_model import DurableModel
from agentinfra.workflow.memory_engine import MemoryEngine

USUAL = {"input_tokens": 100, "output_tokens": 50, "cached_tokens": 40, "cost_usd": 0.25}


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(100, 50, 40, 0.25), USUAL),
        (Usage(100, 50, 40), {**USUAL, "cost_usd": None}),
        (Usage(100, 50, 40, 0.25, reasoning_tokens=30), {**USUAL, "reasoning_tokens": 30}),
        (Usage(100, 50, 40, 0.25, cache_write_tokens=20), {**USUAL, "cache_write_tokens": 20}),
        (Usage(100, 50, 40, 0.25, cached_replies=1), {**USUAL, "cached_replies": 1}),
    ],
)
async def test_usage_is_told_and_what_is_rare_only_where_it_is(usage, told):
    events = []

    async def emit(kind, data):
        events.append((kind, data))

    inner = ScriptedModel([ChatReply((Text("ok"),), "openai:x", usage)])
    reply = await DurableModel(inner, MemoryEngine(), emit).complete(ChatRequest((user("Hi"),), purpose="code T-7"))
    assert reply.usage == usage
    (data,) = [data for kind, data in events if kind == "usage_update"]
    assert data.pop("seconds") >= 0
    assert data == {"model": "openai:x", "purpose": "code T-7", "task": "T-7", **told}
