"""Spans of model calls, read from OpenTelemetry's own SDK."""

import asyncio
import contextvars
import subprocess
import sys
from dataclasses import replace

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from agentinfra.core.errors import RateLimited
from agentinfra.core.messages import ChatReply, ChatRequest, Text, Usage, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.models.tracing import TracedModel, context_here
from tests.fakes.spans import Spans

SECRET = "the-private-words"
ASK = ChatRequest((user(SECRET),), purpose="code T-1", max_tokens=77, temperature=0.5, seed=9, stop=("END",))
REPLY = ChatReply(
    (Text(SECRET),), "openai:gpt-5-2025", Usage(100, 50, 40, 0.25, reasoning_tokens=30, cache_write_tokens=20), id="r-1"
)


def traced(spans, replies, name="openai:gpt-5"):
    return TracedModel(ScriptedModel(replies, name=name), provider=spans.provider)


@pytest.fixture
def spans():
    return Spans()


async def test_a_call_is_a_span_by_the_conventions(spans):
    assert await traced(spans, [REPLY]).complete(ASK) is REPLY
    (span,) = spans.ended.values()
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-5", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.request.max_tokens": 77,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 9,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.output.type": "text",
        "gen_ai.response.model": "gpt-5-2025",
        "gen_ai.response.id": "r-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 30,
        "agentinfra.purpose": "code T-1",
        "agentinfra.cost_usd": 0.25,
    }
    assert SECRET not in span.to_json()


async def test_what_is_unknown_is_not_told(spans):
    reply = ChatReply((Text("ok"),), "openai:gpt-5")
    await traced(spans, [reply]).complete(ChatRequest((user("Hi"),)))
    (span,) = spans.ended.values()
    absent = {"gen_ai.request.seed", "gen_ai.request.stop_sequences", "gen_ai.request.stream", "gen_ai.response.id"}
    assert not {*absent, "agentinfra.cost_usd", "error.type"} & set(span.attributes)


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("openai-responses:o1", "openai", "o1"),
        ("azure:mine", "azure.ai.openai", "mine"),
        ("anthropic:claude-x", "anthropic", "claude-x"),
        ("ollama:qwen3-coder:30b", "ollama", "qwen3-coder:30b"),
        ("nameless", "nameless", "nameless"),
    ],
)
async def test_providers_have_the_names_of_the_conventions(spans, name, provider, model):
    await traced(spans, ["ok"], name).complete(ASK)
    span = spans.ended[f"chat {model}"]
    assert (span.attributes["gen_ai.provider.name"], span.attributes["gen_ai.request.model"]) == (provider, model)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({"schema": {"type": "object"}}, "json"),
        ({"output": ("text", "audio")}, "speech"),
        ({"output": ("image",)}, "image"),
    ],
)
async def test_the_kind_of_answer_is_told(spans, wanted, kind):
    await traced(spans, ["ok"]).complete(replace(ASK, **wanted))
    assert spans.ended["chat gpt-5"].attributes["gen_ai.output.type"] == kind


async def test_a_streamed_call_is_told(spans):
    async def hear(piece):
        pass

    await traced(spans, ["ok"]).complete(replace(ASK, on_delta=hear))
    assert spans.ended["chat gpt-5"].attributes["gen_ai.request.stream"] is True


async def test_a_failure_ends_the_span_without_its_words(spans):
    failure = RateLimited(f"busy with {SECRET}", why=SECRET, next_step="Wait")
    with pytest.raises(RateLimited) as caught:
        await traced(spans, [failure]).complete(ASK)
    assert caught.value is failure
    span = spans.ended["chat gpt-5"]
    assert (span.attributes["error.type"], span.status.status_code) == ("RateLimited", StatusCode.ERROR)
    assert not span.events
    assert SECRET not in span.to_json()


async def test_a_cancelled_call_ends_its_span(spans):
    asked = asyncio.Event()

    class Silent(ScriptedModel):
        async def complete(self, request):
            asked.set()
            await asyncio.Event().wait()

    asking = asyncio.create_task(TracedModel(Silent([]), provider=spans.provider).complete(ASK))
    await asked.wait()
    assert not spans.ended
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert spans.ended["chat model"].attributes["error.type"] == "CancelledError"


async def test_the_span_lasts_as_long_as_the_call_and_is_the_parent_of_what_happens_in_it(spans):
    class Busy(ScriptedModel):
        async def complete(self, request):
            with spans.tracer.start_as_current_span("POST"):
                await asyncio.sleep(0.02)
            return await super().complete(request)

    await TracedModel(Busy(["ok"]), provider=spans.provider).complete(ASK)
    call, sent = spans.ended["chat model"], spans.ended["POST"]
    assert sent.parent.span_id == call.context.span_id
    assert call.start_time <= sent.start_time
    assert sent.end_time <= call.end_time


async def test_the_callers_span_is_the_parent_also_of_calls_side_by_side(spans):
    async def asked_by(agent):
        with spans.tracer.start_as_current_span(f"agent {agent}"):
            await traced(spans, ["ok"], f"openai:{agent}").complete(ASK)

    await asyncio.gather(*(asked_by(agent) for agent in "abc"))
    for agent in "abc":
        assert spans.ended[f"chat {agent}"].parent.span_id == spans.ended[f"agent {agent}"].context.span_id


async def test_where_no_span_reaches_the_handed_in_context_is_the_parent(spans):
    async def ask_apart(model):
        await asyncio.create_task(model.complete(ASK), context=contextvars.Context())

    with spans.tracer.start_as_current_span("user"):
        handed = context_here()
    inner = ScriptedModel(["one", "two"])
    model = TracedModel(inner, parent=handed, provider=spans.provider)
    await ask_apart(model)
    assert spans.ended["chat model"].parent.span_id == spans.ended["user"].context.span_id
    with spans.tracer.start_as_current_span("nearer"):
        await model.complete(ASK)
    assert spans.ended["chat model"].parent.span_id == spans.ended["nearer"].context.span_id


async def test_name_profile_and_closing_are_the_inner_models(spans):
    inner = ScriptedModel(["ok"], name="openai:x")
    model = TracedModel(inner, provider=spans.provider)
    assert (model.name, model.profile) == ("openai:x", inner.profile)
    await model.aclose()


PROGRAM = """
import asyncio, sys
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.models.tracing import TracedModel, context_here

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)

if sys.argv[1] == "absent":
    sys.meta_path.insert(0, Absent())
model = TracedModel(ScriptedModel(["hello"]))
assert context_here() is None
before = "opentelemetry" in sys.modules
reply = asyncio.run(model.complete(ChatRequest((user("Hi"),))))
print(reply.text, before, "opentelemetry" in sys.modules, "opentelemetry.sdk" in sys.modules)
"""


@pytest.mark.parametrize(("how", "after"), [("absent", False), ("present", True)])
def test_without_an_sdk_or_without_the_package_the_model_answers_all_the_same(how, after):
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["hello", "False", str(after), "False"]


def test_the_application_and_its_models_do_not_load_it():
    program = """
import sys
import agentinfra.app
from agentinfra.models import ModelManager
ModelManager().get_model("openai:o1")
print("opentelemetry" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
