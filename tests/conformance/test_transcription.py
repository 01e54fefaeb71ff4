"""Sound to text over the real SDK."""

import pytest

from agentinfra.core.errors import ModelUnavailable, NoPermission, ReplyError
from agentinfra.core.messages import Audio
from agentinfra.models.openai_transcriber import OpenAITranscriber
from tests.conformance.wire_format import KEY, QUICK
from tests.conformance.wire_server import Answer, WireServer, refusal

SOUND = Audio(b"RIFFsound", "audio/wav")


@pytest.fixture
async def transcribe():
    async def ask(answer, **options):
        server = WireServer([answer], lambda asked: "", lambda status, message: refusal(status, {}))
        async with server.running():
            listener = OpenAITranscriber(base_url=f"{server.url}/v1", api_key=KEY, timeouts=QUICK, dialect="openai")
            try:
                return await listener.transcribe(SOUND, **options), server.asked[0]
            finally:
                await listener.aclose()

    return ask


async def test_what_is_said_is_written_down_with_its_price(transcribe):
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
    answer = refusal(200, {"text": "Good day", "usage": usage})
    transcript, asked = await transcribe(answer, language="en", prompt="Nadia")
    assert (transcript.text, transcript.model) == ("Good day", "openai:gpt-4o-transcribe")
    assert (transcript.usage.input_tokens, transcript.usage.output_tokens) == (14, 45)
    assert asked.path == "/v1/audio/transcriptions"
    for sent in (b"RIFFsound", b'filename="sound.wav"', b"gpt-4o-transcribe", b"Nadia", b"en"):
        assert sent in asked.raw


async def test_models_that_charge_by_the_minute_have_no_known_price(transcribe):
    transcript, _ = await transcribe(refusal(200, {"text": "Hi", "usage": {"type": "duration", "seconds": 3}}))
    assert (transcript.text, transcript.usage.cost_usd) == ("Hi", None)


@pytest.mark.parametrize("body", [{}, {"text": None}, []])
async def test_an_answer_without_text_is_none(transcribe, body):
    with pytest.raises(ReplyError, match="broke off"):
        await transcribe(refusal(200, body))


async def test_a_refused_key_is_told_apart(transcribe):
    with pytest.raises(NoPermission):
        await transcribe(refusal(401, {"error": {"message": f"Wrong key {KEY}"}}))


async def test_a_web_page_is_no_transcript(transcribe):
    with pytest.raises(ReplyError):
        await transcribe(Answer(["<html>"], headers={"content-type": "text/html"}))


async def test_nobody_listening_is_unavailable():
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await OpenAITranscriber(base_url="http://127.0.0.1:9/v1", timeouts=QUICK).transcribe(SOUND)
