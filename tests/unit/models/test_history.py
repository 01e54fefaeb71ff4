import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult, assistant, system, user
from agentinfra.models.history import NO_RESULT, repair

LEGAL = re.compile(r"[a-z0-9_]{1,8}")

ids = st.sampled_from(["", "a", "b", "call_0", "call_1", "not legal!"])
said = st.sampled_from(["", "hello"]).map(Text)
a_call = st.builds(ToolCall, ids, st.just("add"), st.just({}))
a_result = st.builds(ToolResult, ids, st.sampled_from(["1", "2"]))
part = st.one_of(said, a_call, a_result, st.just(Reasoning("hm", "m:m")))
messages = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant", "tool"]), st.lists(part, max_size=4).map(tuple)),
    max_size=8,
)


@st.composite
def honest(draw):
    """Conversations as our agents write them: results after their calls, in any order, in one message or several."""
    turns, number = [user("Go")], 0
    for _ in range(draw(st.integers(0, 3))):
        calls = [ToolCall(f"id_{number + at}", "add", {}) for at in range(draw(st.integers(0, 3)))]
        number += len(calls)
        turns.append(Message("assistant", (Text("I"), *calls)))
        results = [ToolResult(call.id, "1") for call in draw(st.permutations(calls))]
        together = draw(st.booleans())
        turns += [Message("tool", tuple(results))] if together and results else [Message("tool", (r,)) for r in results]
        turns.append(draw(st.sampled_from([user("And?"), assistant("Well"), system("Note")])))
    return turns


def blocks(mended):
    """Each assistant message's calls with the results of the tool messages right after it; all other results."""
    found, stray, current = [], [], None
    for message in mended:
        results = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        if message.role == "assistant":
            current = ([part.id for part in message.parts if isinstance(part, ToolCall)], [])
            found.append(current)
        elif current is not None and len(results) == len(message.parts):
            current[1].extend(results)
        else:
            stray.extend(results)
            current = None
    return found, stray


@settings(deadline=None)
@given(messages)
def test_every_call_has_its_result_directly_after_it_and_nothing_else_has_one(conversation):
    mended = repair(conversation, LEGAL)
    found, stray = blocks(mended)
    assert stray == []
    for calls, results in found:
        assert sorted(calls) == sorted(results)
    all_ids = [id_ for calls, _ in found for id_ in calls]
    assert len(set(all_ids)) == len(all_ids)
    assert all(LEGAL.fullmatch(id_) for id_ in all_ids)
    assert all(message.role == "assistant" for message in mended for p in message.parts if isinstance(p, ToolCall))


@settings(deadline=None)
@given(messages)
def test_mending_twice_is_mending_once(conversation):
    once = repair(conversation, LEGAL)
    assert repair(once, LEGAL) == once


@settings(deadline=None)
@given(honest())
def test_an_honest_conversation_stays_as_it_is(conversation):
    mended = repair(conversation)
    assert mended == tuple(conversation)
    assert all(ours is theirs for ours, theirs in zip(mended, conversation, strict=True))


@settings(deadline=None)
@given(messages)
def test_what_is_said_and_thought_and_every_call_of_an_assistant_stays(conversation):
    def kept(turns):
        return [p for m in turns for p in m.parts if not isinstance(p, ToolCall | ToolResult)]

    def names(turns):
        return [p.name for m in turns if m.role == "assistant" for p in m.parts if isinstance(p, ToolCall)]

    mended = repair(conversation, LEGAL)
    assert kept(mended) == kept(conversation)
    assert names(mended) == names(conversation)


@settings(deadline=None)
@given(messages)
def test_results_are_made_up_only_where_there_is_none(conversation):
    given_texts = [p.content for m in conversation for p in m.parts if isinstance(p, ToolResult)]
    told = [p for m in repair(conversation, LEGAL) for p in m.parts if isinstance(p, ToolResult)]
    real = [result for result in told if not (result.content == NO_RESULT and result.is_error)]
    assert len(real) <= len(given_texts)
    assert {result.content for result in real} <= set(given_texts)


@settings(deadline=None)
@given(honest(), messages)
def test_the_beginning_is_mended_alike_however_it_goes_on(start, rest):
    assert repair([*start, *rest], LEGAL)[: len(start)] == repair(start, LEGAL)


def call(id_, n=0):
    return Message("assistant", (ToolCall(id_, "add", {"n": n}),))


def result(id_, content):
    return Message("tool", (ToolResult(id_, content),))


def test_a_late_result_is_moved_to_its_call():
    mended = repair([call("a"), user("Hurry"), result("a", "1")])
    assert mended == (call("a"), result("a", "1"), user("Hurry"))


def test_a_repeated_id_gets_a_new_one_on_both_sides():
    mended = repair([call("a", 1), result("a", "1"), call("a", 2), result("a", "2")])
    assert mended[:2] == (call("a", 1), result("a", "1"))
    assert mended[2:] == (call("call_1", 2), result("call_1", "2"))


def test_parallel_calls_with_the_same_id_take_their_results_in_order():
    both = Message("assistant", (ToolCall("", "one", {}), ToolCall("", "two", {})))
    mended = repair([both, Message("tool", (ToolResult("", "1"), ToolResult("", "2")))])
    assert [(p.call_id, p.content) for p in mended[1].parts] == [("call_0", "1"), ("call_1", "2")]


def test_words_beside_a_result_stay_and_are_the_users():
    mixed = Message("tool", (ToolResult("a", "1"), Text("by the way"), Image(url="https://example.org")))
    mended = repair([call("a"), mixed])
    assert mended[1] == result("a", "1")
    assert (mended[2].role, mended[2].parts) == ("user", mixed.parts[1:])


@pytest.mark.parametrize("count", [2_000])
def test_long_conversations_are_mended_in_linear_time(count):
    turns = [turn for at in range(count) for turn in (call(f"id{at}"), result(f"id{at}", "1"))]
    assert repair(turns) == tuple(turns)
