"""The embedded model's own server is held to what the providers are: the cases of ``tests/conformance`` that a real one

can be asked for. What a model says cannot be scripted; how it is said, cut, counted, refused and stopped can be seen.
"""

import asyncio
import time
from dataclasses import replace

import pytest

from agentinfra.core.doors import wait
from agentinfra.core.errors import ContextOverflow, NoPermission, NotSupported
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Image,
    Message,
    TextDelta,
    ToolCall,
    ToolResult,
    assistant,
    system,
    user,
)
from agentinfra.models.catalog import CATALOG
from agentinfra.models.download import ensure_model
from agentinfra.models.local_model import LocalModel
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.streaming import stream
from agentinfra.models.trial import red_square, try_model

pytestmark = pytest.mark.live

NAME = "qwen2.5-coder-0.5b"
COUNT = ChatRequest((user("Count from one to twenty: 1, 2, 3,"),), max_tokens=40, temperature=0.0, seed=1)


@pytest.fixture(scope="module")
def model():
    asyncio.run(ensure_model(CATALOG[NAME]))
    embedded = LocalModel(f"local:{NAME}")
    yield embedded
    wait(embedded.aclose(), "await embedded.aclose()")


async def test_pieces_come_as_they_are_written_and_make_the_reply(model):
    *pieces, reply = [item async for item in stream(model, COUNT)]
    assert len(pieces) > 5
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == reply.text
    assert isinstance(reply, ChatReply)
    assert reply.id
    assert (reply.model, reply.usage.cost_usd) == (f"local:{NAME}", 0.0)
    assert reply.usage.input_tokens > 10
    assert 5 < reply.usage.output_tokens <= 40


async def test_a_cut_reply_says_so_and_counts_to_the_token(model):
    reply = await model.complete(replace(COUNT, max_tokens=5))
    assert (reply.stop_reason, reply.usage.output_tokens) == ("length", 5)


async def test_it_ends_at_a_stop_string(model):
    reply = await model.complete(replace(COUNT, stop=("6",)))
    assert reply.stop_reason == "stop"
    assert "6" not in reply.text


async def test_the_same_request_and_seed_give_the_same_reply_from_the_prompt_cache(model):
    warm = replace(COUNT, temperature=0.8, seed=7, max_tokens=12)
    first, second = await model.complete(warm), await model.complete(warm)
    assert first.text == second.text
    assert second.usage.cached_tokens > 0


async def test_a_stopped_reply_frees_the_model_at_once(model):
    begun = asyncio.Event()

    async def heard(piece):
        begun.set()

    story = (user("Count from 1 to 2000, one number a line, and leave none out."),)
    asking = asyncio.create_task(model.complete(replace(COUNT, messages=story, max_tokens=4000, on_delta=heard)))
    await asyncio.wait_for(begun.wait(), 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    began = time.monotonic()
    await model.complete(replace(COUNT, max_tokens=2))
    assert time.monotonic() - began < 30  # the numbers would have taken minutes


async def test_a_prompt_beyond_the_window_is_told_apart(model):
    with pytest.raises(ContextOverflow):
        await model.complete(replace(COUNT, messages=(user("word " * 9_000),)))


async def test_another_key_is_refused(model):
    await model.complete(replace(COUNT, max_tokens=1))
    address = await asyncio.to_thread((await model._own_process()).ensure_started)
    stranger = OpenAIChatModel("test:m", base_url=address.url, api_key="not-the-key-of-this-server")
    with pytest.raises(NoPermission):
        await stranger.complete(COUNT)
    await stranger.aclose()


async def test_it_takes_a_conversation_with_instructions_tool_calls_and_results(model):
    turns = (
        system("Answer with one number."),
        user("What is 2 + 3?"),
        Message("assistant", (ToolCall("call_1", "add", {"a": 2, "b": 3}),)),
        Message("tool", (ToolResult("call_1", "5"), ToolResult("call_lost", "an orphan"))),
        assistant("5"),
        user("And 2 more?"),
    )
    reply = await model.complete(replace(COUNT, messages=turns, max_tokens=8))
    assert reply.text.strip()


async def test_what_it_cannot_see_is_refused_before_it_is_asked(model):
    with pytest.raises(NotSupported):
        await model.complete(replace(COUNT, messages=(user("What is this?", Image(red_square())),)))


async def test_the_trial_tells_the_truth_about_it(model):
    checks = {check.name: check async for check in try_model(model)}
    assert {name: check.verdict for name, check in checks.items()} == {
        "answers": "works",
        "tool call": "not claimed",
        "structured reply": "works",
        "picture": "not claimed",
    }
    assert "tokens/s" in checks["answers"].detail
