import json
from dataclasses import replace

import pytest

from agentinfra.core.errors import InputError, RecordingMismatch
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Message,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    system,
    user,
)
from agentinfra.models.recorded_model import RecordingModel, ReplayModel, request_key
from agentinfra.models.scripted_model import ScriptedModel

ASK = ChatRequest((system("You plan.\nBe brief."), user("Plan a shop")), purpose="plan", seed=1)
COMPACT = ModelProfile(prompts="compact", concurrency=1)


async def record(path, replies, *requests):
    model = RecordingModel(ScriptedModel(replies, name="local:tiny", profile=COMPACT), path)
    return [await model.complete(request) for request in requests]


async def test_a_replay_gives_name_profile_parts_and_usage(tmp_path):
    parts = (Text("hm"), ToolCall("c1", "add", {"a": [1, "é"]}))
    said = ChatReply(parts, "local:tiny", Usage(5, 6, 2, 0.0), "tool_calls")
    await record(tmp_path / "r", [said], ASK)
    replay = ReplayModel(tmp_path / "r")
    assert (replay.name, replay.profile) == ("local:tiny", COMPACT)
    assert await replay.complete(ASK) == said


async def test_equal_requests_are_answered_in_order_and_then_no_more(tmp_path):
    await record(tmp_path / "r", ["one", "two"], ASK, ASK)
    replay = ReplayModel(tmp_path / "r")
    assert [(await replay.complete(ASK)).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(RecordingMismatch, match="less often"):
        await replay.complete(ASK)


async def test_an_unknown_request_is_shown_against_the_nearest(tmp_path):
    other = replace(ASK, messages=(user("Something else entirely"),))
    await record(tmp_path / "r", ["one", "two"], other, ASK)
    changed = replace(ASK, messages=(system("You plan.\nBe verbose."), user("Plan a shop")))
    with pytest.raises(RecordingMismatch) as caught:
        await ReplayModel(tmp_path / "r").complete(changed)
    assert "-system: Be brief.\n+system: Be verbose." in caught.value.why
    assert "entirely" not in caught.value.why


async def test_a_long_difference_is_cut(tmp_path):
    await record(tmp_path / "r", ["one"], ASK)
    many = replace(ASK, messages=(user("\n".join(f"line {number}" for number in range(500))),))
    with pytest.raises(RecordingMismatch, match="more lines") as caught:
        await ReplayModel(tmp_path / "r").complete(many)
    assert len(caught.value.why.splitlines()) < 50


@pytest.mark.parametrize(
    "changed",
    [
        replace(ASK, messages=ASK.messages[:1]),
        replace(ASK, schema={"type": "object"}),
        replace(ASK, tools=(ToolSpec("t", "T", {}),)),
        replace(ASK, temperature=0.9),
        replace(ASK, max_tokens=1),
        replace(ASK, seed=2),
        replace(ASK, stop=("x",)),
        replace(ASK, messages=(*ASK.messages, Message("tool", (ToolResult("c", "r"),)))),
    ],
)
def test_all_that_decides_a_reply_is_in_the_key(changed):
    assert request_key(changed) != request_key(ASK)


def test_the_purpose_is_not_in_the_key():
    assert request_key(replace(ASK, purpose="other")) == request_key(ASK)


async def test_a_record_is_continued_with_one_header(tmp_path):
    await record(tmp_path / "r", ["one"], ASK)
    await record(tmp_path / "r", ["two"], ASK)
    lines = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    assert [("format" in line, "key" in line) for line in lines] == [(True, False), (False, True), (False, True)]


async def test_a_record_of_another_model_is_not_continued(tmp_path):
    await record(tmp_path / "r", ["one"], ASK)
    with pytest.raises(InputError, match="a record of local:tiny, not of scripted:model"):
        RecordingModel(ScriptedModel([]), tmp_path / "r")


@pytest.mark.parametrize("content", [None, "", "not json\n", '{"format": "other"}\n', "[]\n"])
def test_what_is_no_record_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "r").write_text(content)
    with pytest.raises(InputError, match="is no recording"):
        ReplayModel(tmp_path / "r")
