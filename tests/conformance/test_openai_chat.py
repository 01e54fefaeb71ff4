"""What only Chat Completions have: many servers that resemble OpenAI's, sound, Azure."""

import asyncio
import base64
import gc
import io
import wave
from dataclasses import replace

import pytest

from agentinfra.core.errors import ModelUnavailable, NotSupported
from agentinfra.core.messages import (
    Audio,
    ChatRequest,
    File,
    Message,
    Reasoning,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolSpec,
    Usage,
    system,
    user,
)
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.openai_chat_reply import SAMPLES_PER_SECOND
from tests.conformance.chat_format import ChatFormat, chunk
from tests.conformance.conftest import HELLO
from tests.conformance.wire_format import ALL_PARTS, KEY, QUICK, Said
from tests.conformance.wire_server import Answer, WireServer, event

DONE = event("[DONE]")
TOOLS = replace(HELLO, tools=(ToolSpec("add", "Adds", {"type": "object"}),))


class CompatibleFormat(ChatFormat):
    """A server that resembles OpenAI's."""

    name = "compatible"

    def model(self, url, *, timeouts=QUICK, **options):
        return OpenAIChatModel("ollama:tiny", base_url=f"{url}/v1", api_key=KEY, timeouts=timeouts, **options)


class ThinkingFormat(ChatFormat):
    """A model of OpenAI's that thinks first."""

    name = "thinking"

    def model(self, url, *, timeouts=QUICK, **options):
        name, endpoint = "openai-chat:o9-tiny", f"{url}/v1"
        return OpenAIChatModel(name, base_url=endpoint, api_key=KEY, timeouts=timeouts, dialect="openai", **options)


class AzureFormat(ChatFormat):
    """Azure's older interface, where the model's name is part of the address and the version of the query."""

    name = "azure"

    def model(self, url, *, timeouts=QUICK, **options):
        return OpenAIChatModel(
            "azure:tiny", base_url=url, api_key=KEY, timeouts=timeouts, api_version="2025-01-01", **options
        )

    def check(self, asked):
        if asked.path != "/openai/deployments/tiny/chat/completions?api-version=2025-01-01":
            return f"Wrong door {asked.path}"
        return "" if asked.headers.get("api-key") == KEY else "Wrong key"


@pytest.fixture
def compatible(bench_for):
    return bench_for(CompatibleFormat())


async def test_a_compatible_server_is_asked_in_the_oldest_words(compatible):
    await compatible.serve(Said(text=["ok"]))
    await compatible.ask(
        ChatRequest((system("Be brief"), user("Hi")), seed=3, stop=("END",), schema={"type": "object"})
    )
    assert compatible.server.bodies[0] == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 1024,
        "temperature": 0.2,
        "seed": 3,
        "stop": ["END"],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": {"type": "object"}, "strict": False},
        },
    }


async def test_a_server_that_tells_no_usage_has_no_price(compatible):
    await compatible.serve(Answer([chunk({"content": "Hi"}), chunk({}, finish="stop"), DONE]))
    reply = await compatible.ask()
    assert (reply.text, reply.usage) == ("Hi", Usage())
    assert reply.usage.cost_usd is None


async def test_a_server_that_never_says_why_it_ends_must_say_that_it_does(compatible):
    await compatible.serve(Answer([chunk({"content": "Hi"}), DONE]))
    reply = await compatible.ask()
    assert (reply.text, reply.stop_reason) == ("Hi", "stop")


async def test_a_server_that_calls_every_end_stop(compatible):
    call = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": "{}"}}
    await compatible.serve(Answer([chunk({"tool_calls": [call]}), chunk({}, finish="stop"), DONE]))
    assert (await compatible.ask(TOOLS)).stop_reason == "tool_calls"


@pytest.mark.parametrize("index", [0, None])
async def test_a_server_that_does_not_count_its_calls(compatible, index):
    def piece(arguments, id_=None, name=None):
        return chunk({"tool_calls": [{"index": index, "id": id_, "function": {"name": name, "arguments": arguments}}]})

    pieces = [piece('{"a"', "c1", "add"), piece(": 1}"), piece('{"a": ', "c2", "add"), piece("2}")]
    await compatible.serve(Answer([*pieces, chunk({}, finish="tool_calls"), DONE]))
    reply = await compatible.ask(replace(TOOLS, on_delta=compatible.listen))
    assert reply.tool_calls == (ToolCall("c1", "add", {"a": 1}), ToolCall("c2", "add", {"a": 2}))
    assert [piece.index for piece in compatible.heard if isinstance(piece, ToolCallDelta)] == [0, 0, 1, 1]


async def test_a_server_that_leaves_out_what_it_can(compatible):
    bare = [event({"choices": [{"delta": {"content": "Hi"}}]}), event({}), event({"choices": [{"delta": None}]})]
    await compatible.serve(Answer([*bare, event({"choices": [{"finish_reason": "length"}]}), DONE]))
    reply = await compatible.ask()
    assert (reply.text, reply.stop_reason, reply.id) == ("Hi", "length", "")


@pytest.mark.parametrize("word", ["reasoning_content", "reasoning"])
async def test_thoughts_of_compatible_servers_are_shown(compatible, word):
    await compatible.serve(Answer([chunk({word: "Hm"}), chunk({"content": "3"}), chunk({}, finish="stop"), DONE]))
    assert (await compatible.ask()).parts == (Reasoning("Hm", "ollama:tiny"), Text("3"))


async def test_thinking_models_get_room_and_no_sampling(bench_for):
    bench = await bench_for(ThinkingFormat()).serve(Said(text=["one END two"]))
    reply = await bench.ask(ChatRequest((system("Be brief"), user("Hi")), max_tokens=100, stop=("END",), effort="low"))
    body = bench.server.bodies[0]
    assert body["messages"][0] == {"role": "developer", "content": "Be brief"}
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (100 + 8192, "low")
    assert not {"temperature", "stop", "max_tokens"} & body.keys()
    assert reply.text == "one "


async def test_a_document_by_address_has_no_form_here(compatible):
    await compatible.serve(Said(text=["ok"]))
    with pytest.raises(NotSupported, match="fetch documents"):
        await compatible.ask(ChatRequest((user(File("a.pdf", url="https://example.org/a.pdf")),)))


async def test_speech_comes_as_a_recording_with_its_words(bench_for):
    sound = bytes(range(200)) * 10
    halves = [base64.b64encode(half).decode() for half in (sound[:999], sound[999:])]
    pieces = [
        chunk({"audio": {"id": "audio_1", "transcript": "Good "}}),
        chunk({"audio": {"data": halves[0]}}),
        chunk({"audio": {"transcript": "day", "data": halves[1]}}),
        chunk({"audio": {"expires_at": 1}}),
        chunk({}, finish="stop"),
    ]
    bench = await bench_for(ChatFormat()).serve(Answer([*pieces, DONE]))
    reply = await bench.ask(replace(HELLO, output=("text", "audio"), on_delta=bench.listen))
    spoken = reply.parts[0]
    assert isinstance(spoken, Audio)
    assert (spoken.transcript, spoken.media_type) == ("Good day", "audio/wav")
    with wave.open(io.BytesIO(spoken.data)) as recording:
        assert recording.readframes(recording.getnframes()) == sound
        assert recording.getframerate() == SAMPLES_PER_SECOND
    assert bench.heard == [TextDelta("Good "), TextDelta("day")]
    assert bench.server.bodies[0]["modalities"] == ["text", "audio"]
    await bench.ask(ChatRequest((user("Hi"), Message("assistant", reply.parts), user("Again"))))
    assert bench.seen[1].of_kind("text") == ["Hi", "Good day", "Again"]


async def test_azure_is_asked_at_the_deployment_with_its_own_header(bench_for):
    bench = await bench_for(AzureFormat()).serve(Said(text=["ok"]), profile=ALL_PARTS)
    assert (await bench.ask()).text == "ok"
    assert "store" not in bench.server.bodies[0]


async def test_azures_filter_of_requests_is_a_reason_to_stop(bench_for):
    bench = bench_for(AzureFormat())
    await bench.serve(bench.wire.failure(400, "The prompt was filtered", "content_filter"))
    assert (await bench.ask()).stop_reason == "content_filter"


@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ({}, "OPENAI_API_KEY"),
        ({"base_url": "https://x.openai.azure.com/openai/v1"}, "AZURE_OPENAI_API_KEY"),
        ({"base_url": "https://openrouter.ai/api/v1", "key_variable": "OPENROUTER_API_KEY"}, "OPENROUTER_API_KEY"),
    ],
)
async def test_without_a_key_nothing_is_asked_and_the_error_names_the_ways_out(monkeypatch, options, variable):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelUnavailable, match=f"{variable} is not set") as caught:
        await OpenAIChatModel("openai-chat:o1", **options).complete(HELLO)
    assert "[models.aliases]" in caught.value.next_step
    assert "AGENTINFRA_MODEL_ALIASES" in caught.value.next_step


async def test_a_reply_of_openais_own_model_has_its_price(bench_for):
    class Priced(ChatFormat):
        def model(self, url, *, timeouts=QUICK, name="openai:gpt-4o"):
            return OpenAIChatModel(name, base_url=f"{url}/v1", api_key=KEY, timeouts=timeouts)

    bench = await bench_for(Priced()).serve(Said(text=["ok"]), name="openai-compatible:gpt-4o")
    assert (await bench.ask()).usage.cost_usd is None, "a server that only resembles OpenAI has prices of its own"
    bench = await bench_for(Priced()).serve(Said(text=["ok"]))
    assert (await bench.ask()).usage.cost_usd > 0, "who says openai: means OpenAI, through a gateway too"
    untold = Answer([chunk({"content": "ok"}), chunk({}, finish="stop"), DONE])
    bench = await bench_for(Priced()).serve(untold)
    assert (await bench.ask()).usage.cost_usd is None, "nobody said how many tokens it took"


async def test_connections_to_this_machine_are_closed_and_to_others_kept(compatible):
    await compatible.serve(Said(text=["ok"]))
    for _ in range(2):
        await compatible.ask()
    assert [asked.headers["connection"] for asked in compatible.server.asked] == ["close", "close"]


def test_a_kept_connection_ends_with_its_loop(monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    wire = CompatibleFormat()

    async def ask_twice(model_of):
        server = WireServer([wire.answer(Said(text=["ok"]))], wire.check, wire.failure)
        # Not an address that is known as this machine's.
        async with server.running("127.0.0.2"):
            model = model_of(server.url)
            texts = [(await model.complete(HELLO)).text for _ in range(2)]
            assert server.connections == 1
            return texts

    # The model is never closed; an open connection would be a warning, and a warning an error.
    assert [asyncio.run(ask_twice(wire.model)) for _ in range(2)] == [["ok", "ok"]] * 2
    gc.collect()
