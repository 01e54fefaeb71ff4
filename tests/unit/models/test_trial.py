"""Trying out what a model can do."""

import json
import struct
import zlib

import pytest

from agentinfra.core.errors import ModelUnavailable, ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, Image, Text, TextDelta, ToolCall, Usage
from agentinfra.models.function_model import FunctionModel
from agentinfra.models.trial import red_square, try_model

SEES = ModelProfile(inputs=("text", "image"))


def able(request):
    if request.tools and request.purpose == "chat" and request.tools[0].name == "add":
        return ChatReply((ToolCall("1", "add", {"a": 1234, "b": 4321}),), "f:m", stop_reason="tool_calls")
    if request.schema:
        return json.dumps({"name": "Paris", "country": "France"})
    if any(isinstance(part, Image) for part in request.messages[-1].parts):
        return "Red."
    return ChatReply((Text("one two"),), "f:m", Usage(5, 40))


async def verdicts(model):
    return {check.name: check.verdict async for check in try_model(model)}


async def test_a_model_that_can_everything_it_claims():
    assert set((await verdicts(FunctionModel(able, profile=SEES))).values()) == {"works"}


async def test_what_it_does_not_claim_is_not_asked():
    found = await verdicts(FunctionModel(able, profile=ModelProfile(tools=False)))
    assert found == {
        "answers": "works",
        "tool call": "not claimed",
        "structured reply": "works",
        "picture": "not claimed",
    }


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("answers", lambda request: ""),
        ("tool call", lambda request: "It is 5555"),
        ("tool call", lambda request: ChatReply((ToolCall("1", "add", {"a": 1, "b": 2}),), "f:m")),
        ("structured reply", lambda request: json.dumps({"name": "Rome", "country": "Italy"})),
        ("structured reply", lambda request: "Paris!"),
        ("picture", lambda request: "Blue"),
    ],
)
async def test_what_it_cannot_do_is_told(name, bad):
    checks = {check.name: check async for check in try_model(FunctionModel(bad, profile=SEES))}
    assert checks[name].verdict == "fails"


async def test_a_failed_call_fails_one_check_and_a_model_that_is_not_there_ends_the_trial():
    def refuse(request):
        if request.tools:
            raise ReplyError("It broke off")
        return able(request)

    checks = {check.name: check async for check in try_model(FunctionModel(refuse, profile=SEES))}
    assert (checks["tool call"].verdict, checks["tool call"].detail) == ("fails", "It broke off.")
    assert checks["picture"].verdict == "works"

    def gone(request):
        raise ModelUnavailable("No key")

    with pytest.raises(ModelUnavailable):
        await verdicts(FunctionModel(gone))


async def test_speed_is_counted_from_the_first_piece():
    async def stream(request):
        if request.on_delta:
            await request.on_delta(TextDelta("one"))
        return able(request)

    [answers, *_] = [check async for check in try_model(FunctionModel(stream, profile=SEES))]
    assert "tokens/s, first piece after 0.0 s" in answers.detail


def test_the_picture_is_a_red_png():
    data = red_square()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (width, height, depth, colour) == (64, 64, 8, 2)  # 2 is plain RGB
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    body = data[start + 4 : start + 4 + length]
    assert struct.unpack(">I", data[start + 4 + length :][:4]) == (zlib.crc32(b"IDAT" + body),)
    assert set(zlib.decompress(body)[1:193]) == {0xE0, 0x10}
