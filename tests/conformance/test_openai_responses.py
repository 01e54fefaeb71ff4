"""What only Responses have: sealed thoughts, pictures, and their own ends."""

import base64
from dataclasses import replace

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.core.messages import ChatRequest, File, Image, Message, Reasoning, Text, ToolSpec, system, user
from agentinfra.models.openai_responses_model import OpenAIResponsesModel
from tests.conformance.conftest import HELLO
from tests.conformance.responses_format import ResponsesFormat, item, response, told, usage
from tests.conformance.wire_format import ALL_PARTS, KEY, QUICK, Said
from tests.conformance.wire_server import Answer


@pytest.fixture
def bench(bench_for):
    return bench_for(ResponsesFormat())


async def test_sealed_thoughts_are_asked_for_and_go_back_as_they_came(bench):
    await bench.serve(Said(thought="First\n\nthen", signature="gAAAA", text=["3"]))
    reply = await bench.ask()
    assert reply.parts == (Reasoning("First\n\nthen", "openai:o9-tiny", "rs_1", "gAAAA"), Text("3"))
    await bench.ask(ChatRequest((*HELLO.messages, Message("assistant", reply.parts), user("Go on"))))
    assert [body["include"] for body in bench.server.bodies] == [["reasoning.encrypted_content"]] * 2
    assert bench.server.bodies[1]["input"][1] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "First\n\nthen"}],
        "encrypted_content": "gAAAA",
    }


async def test_thoughts_without_a_summary_are_sealed_alone(bench):
    await bench.serve(Said(thought="", signature="gAAAA", text=["3"]))
    thought = (await bench.ask()).parts[0]
    assert (thought.text, thought.redacted) == ("", True)


async def test_thinking_models_are_told_how_long_to_think(bench):
    await bench.serve(Said(text=["one END two"]))
    request = ChatRequest((system("Be brief"), user("Hi")), max_tokens=100, effort="high", stop=("END",), seed=1)
    assert (await bench.ask(request)).text == "one "
    body = bench.server.bodies[0]
    assert body["input"][0] == {"type": "message", "role": "developer", "content": "Be brief"}
    assert (body["reasoning"], body["max_output_tokens"]) == ({"effort": "high"}, 100 + 8192)
    assert not {"temperature", "stop", "seed"} & body.keys()


async def test_models_that_do_not_think_are_told_how_to_sample(bench_for):
    class Plain(ResponsesFormat):
        def model(self, url, *, timeouts=QUICK, profile=ALL_PARTS):
            return OpenAIResponsesModel(
                "openai:gpt-4o", base_url=f"{url}/v1", api_key=KEY, timeouts=timeouts, dialect="openai"
            )

    bench = await bench_for(Plain()).serve(Said(text=["ok"]))
    reply = await bench.ask(replace(HELLO, max_tokens=5))
    body = bench.server.bodies[0]
    assert (body["temperature"], body["max_output_tokens"]) == (0.2, 16)
    assert "include" not in body
    assert reply.usage.cost_usd > 0


async def test_a_summary_is_asked_for_only_where_it_is_wanted(bench_for):
    class Summed(ResponsesFormat):
        def model(self, url, *, timeouts=QUICK, profile=ALL_PARTS):
            endpoint = f"{url}/v1"
            return OpenAIResponsesModel("openai:o9", base_url=endpoint, api_key=KEY, timeouts=timeouts, summary="auto")

    bench = await bench_for(Summed()).serve(Said(text=["ok"]))
    await bench.ask()
    assert bench.server.bodies[0]["reasoning"] == {"summary": "auto"}


async def test_what_can_be_enforced_to_the_letter_is(bench):
    await bench.serve(Said(text=["{}"]))
    closed = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tools = (ToolSpec("closed", "", closed), ToolSpec("open", "", {**closed, "required": []}))
    await bench.ask(replace(HELLO, schema=closed, tools=tools))
    body = bench.server.bodies[0]
    assert body["text"]["format"]["strict"] is True
    assert body["text"]["format"]["schema"]["additionalProperties"] is False
    assert [tool["strict"] for tool in body["tools"]] == [True, False]


async def test_a_picture_is_drawn(bench):
    head = {"type": "image_generation_call", "id": "ig_1", "result": None}
    done = {**head, "status": "completed", "result": base64.b64encode(b"RIFFwebp").decode(), "output_format": "webp"}
    end = told("response.completed", response=response("completed", [done], usage=usage(Said())))
    await bench.serve(Answer([*bench.wire.begun(), *item(0, head, done), end]))
    reply = await bench.ask(replace(HELLO, output=("text", "image")))
    assert reply.parts == (Image(b"RIFFwebp", media_type="image/webp"),)
    assert bench.server.bodies[0]["tools"] == [{"type": "image_generation"}]


async def test_a_document_by_address_is_fetched_by_the_provider(bench):
    await bench.serve(Said(text=["ok"]))
    await bench.ask(ChatRequest((user(File("a.pdf", url="https://example.org/a.pdf")),)))
    assert bench.seen[0].of_kind("file") == [{"type": "input_file", "file_url": "https://example.org/a.pdf"}]


async def test_an_end_for_another_reason_is_a_pause(bench):
    end = response("incomplete", incomplete_details={"reason": "max_messages"}, usage=usage(Said()))
    await bench.serve(Answer([*bench.wire.begun(), told("response.incomplete", response=end)]))
    assert (await bench.ask()).stop_reason == "pause"


async def test_an_error_event_before_the_answer_may_pass(bench):
    failure = told("error", code="server_error", message="overheated", param=None)
    await bench.serve(Answer([*bench.wire.begun(), failure]))
    with pytest.raises(ModelUnavailable, match="overheated") as caught:
        await bench.ask()
    assert caught.value.transient


async def test_the_providers_filter_is_a_reason_to_stop(bench):
    await bench.serve(Answer([bench.wire.failed_event("image_content_policy_violation", "no")]))
    assert (await bench.ask()).stop_reason == "content_filter"


async def test_a_server_that_repeats_its_output_only_at_the_end(bench):
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    output = [{**message, "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}]
    await bench.serve(Answer([told("response.completed", response=response("completed", output))]))
    reply = await bench.ask()
    assert (reply.text, reply.usage.cost_usd) == ("Hi", None)
