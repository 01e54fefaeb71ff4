"""Spans of calls over HTTP, in every wire format."""

import pytest
from opentelemetry.trace import StatusCode

from agentinfra.core.errors import RateLimited
from agentinfra.models.tracing import TracedModel
from tests.conformance.conftest import HELLO
from tests.conformance.wire_format import KEY, Said
from tests.fakes.spans import Spans

ANSWER = "the-private-answer"


async def test_a_call_over_http_tells_its_usage_and_not_its_words(bench):
    spans = Spans()
    await bench.serve(Said(text=[ANSWER], cached=20, reasoning=30))
    reply = await TracedModel(bench.model, provider=spans.provider).complete(HELLO)
    assert reply.text == ANSWER
    (span,) = spans.ended.values()
    told = span.attributes
    names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens")
    assert [told[f"gen_ai.usage.{name}"] for name in names] == [100, 50, 20, 30]
    assert told["gen_ai.provider.name"] == ("anthropic" if bench.wire.name == "anthropic" else "openai")
    assert told["gen_ai.response.id"] == reply.id != ""
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    for private in (ANSWER, "Hello", KEY):
        assert private not in span.to_json()


async def test_a_refused_call_tells_which_error_it_was(bench):
    spans = Spans()
    await bench.serve(bench.wire.failure(429, f"slow down, {KEY}"))
    with pytest.raises(RateLimited):
        await TracedModel(bench.model, provider=spans.provider).complete(HELLO)
    (span,) = spans.ended.values()
    assert (span.attributes["error.type"], span.status.status_code) == ("RateLimited", StatusCode.ERROR)
    assert KEY not in span.to_json()
