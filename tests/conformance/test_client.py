"""Models of a client: the cases of the wire formats, where the wire is the client's own."""

import asyncio
import itertools
import json
from dataclasses import replace

import pytest

from agentinfra.core.errors import (
    InputError,
    ModelNotFound,
    ModelUnavailable,
    NoPermission,
    NotSupported,
    QuotaExceeded,
    ReplyError,
)
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    Audio,
    ChatRequest,
    File,
    Image,
    Message,
    Reasoning,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    ToolSpec,
    Usage,
    assistant,
    system,
    user,
)
from agentinfra.models.client_model import ClientModel, available, client_provider
from agentinfra.models.history import NO_RESULT
from agentinfra.models.in_words import GO_ON
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.real_requests import forbid_real_requests
from agentinfra.models.structured import complete_as
from agentinfra.models.timeouts import Timeouts
from tests.conformance.editor import Editor, Refusal
from tests.conformance.wire_server import Fault

NAME = "client:copilot/gpt-x"
QUICK = Timeouts(first=2.0, silence=2.0, whole=5.0)
HELLO = ChatRequest((user("Hello"),))
ADD = ToolSpec("add", "Adds", {"type": "object"})
CALL = {"type": "toolUse", "callId": "c1", "name": "add", "input": {"a": 1}}


def model(editor, timeouts=QUICK, **options):
    return ClientModel(NAME, editor.send, timeouts=timeouts, **options)


async def ask(editor, request=HELLO, **options):
    return await model(editor, **options).complete(request)


async def sent(request, **options):
    editor = Editor(["ok"])
    await ask(editor, request, **options)
    return editor.asked[0]


def words(params):
    return [(one["role"], [part.get("text") for part in one["content"]]) for one in params["messages"]]


@pytest.mark.parametrize("whole", [False, True])
async def test_text_and_calls_come_in_pieces_or_whole(whole):
    heard = []

    async def listen(piece):
        heard.append(piece)

    editor = Editor(["Two ", "sums", CALL, {**CALL, "callId": "c2"}], whole=whole, usage={"inputTokens": 7})
    reply = await ask(editor, replace(HELLO, tools=(ADD,), on_delta=listen))
    assert reply.parts == (Text("Two sums"), ToolCall("c1", "add", {"a": 1}), ToolCall("c2", "add", {"a": 1}))
    assert (reply.stop_reason, reply.usage, reply.model) == ("tool_calls", Usage(7, 0), NAME)
    assert heard == [
        TextDelta("Two "),
        TextDelta("sums"),
        ToolCallDelta(0, "c1", "add", '{"a": 1}'),
        ToolCallDelta(1, "c2", "add", '{"a": 1}'),
    ]


@pytest.mark.parametrize("stop", ["length", "refusal", "content_filter"])
async def test_reasons_to_stop_are_told_apart(stop):
    assert (await ask(Editor(["Hm"], stopReason=stop))).stop_reason == stop


async def test_an_unknown_reason_to_stop_is_an_end():
    assert (await ask(Editor(["Hm"], stopReason="because"))).stop_reason == "stop"


async def test_calls_without_ids_or_with_the_same_one_get_their_own():
    steps = [{**CALL, "callId": ""}, CALL, CALL, {**CALL, "callId": "c9", "input": "no object"}]
    calls = (await ask(Editor(steps))).tool_calls
    assert [call.id for call in calls] == ["call_0", "c1", "call_2", "c9"]
    assert calls[3].unreadable == '"no object"'


async def test_the_request_says_who_is_asked_and_why():
    params = await sent(replace(HELLO, purpose="plan"), options={"temperature": 0})
    assert params["selector"] == {"vendor": "copilot", "family": "gpt-x"}
    assert "plan" in params["justification"]
    assert params["maxInputTokens"] == ModelProfile().context_tokens
    assert params["modelOptions"] == {"temperature": 0}
    assert "tools" not in params


async def test_a_model_may_be_picked_by_its_id():
    editor = Editor(["ok"])
    await ClientModel("client:gpt-x-2", editor.send).complete(HELLO)
    assert editor.asked[0]["selector"] == {"id": "gpt-x-2"}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((system("A"), system("B"), user("Hi")), [("user", ["A\n\nB", "Hi"])]),
        ((system("A"),), [("user", ["A"])]),
        ((system("A"), assistant("Yes")), [("user", ["A"]), ("assistant", ["Yes"]), ("user", [GO_ON])]),
        ((user("a"), system("B"), user("c")), [("user", ["a"]), ("user", ["<system>\nB\n</system>"]), ("user", ["c"])]),
        ((), [("user", [GO_ON])]),
    ],
)
async def test_system_messages_are_folded_and_a_user_has_the_last_word(messages, expected):
    assert words(await sent(ChatRequest(messages))) == expected


async def test_calls_and_results_go_out_in_pairs_and_are_never_last():
    calls = Message("assistant", (Text("So"), ToolCall("c 1", "fs.read", {"a": 1}), ToolCall("c2", "fs.read", {})))
    results = Message("tool", (ToolResult("c2", "boom", is_error=True),))
    params = await sent(ChatRequest((user("Read"), calls, results), tools=(replace(ADD, name="fs.read"),)))
    assert params["messages"][1]["content"][1:] == [
        {"type": "toolUse", "callId": "c 1", "name": "fs_read", "input": {"a": 1}},
        {"type": "toolUse", "callId": "c2", "name": "fs_read", "input": {}},
    ]
    answers = [part for one in params["messages"] for part in one["content"] if part["type"] == "toolResult"]
    told = {one["callId"]: (one["content"][0]["text"], one["isError"]) for one in answers}
    assert told == {"c2": ("boom", True), "c 1": (NO_RESULT, True)}
    assert words(params)[-1] == ("user", [GO_ON])
    assert params["tools"][0] == {"name": "fs_read", "description": "Adds", "inputSchema": {"type": "object"}}


async def test_names_come_back():
    reply = await ask(Editor([{**CALL, "name": "fs_read"}]), replace(HELLO, tools=(replace(ADD, name="fs.read"),)))
    assert reply.tool_calls[0].name == "fs.read"


@pytest.mark.parametrize(
    ("choice", "names", "mode"),
    [("auto", ["add", "sub"], "auto"), ("required", ["add", "sub"], "required"), ("sub", ["sub"], "required")],
)
async def test_which_tool_must_be_called_goes_out(choice, names, mode):
    params = await sent(replace(HELLO, tools=(ADD, replace(ADD, name="sub")), tool_choice=choice))
    assert ([tool["name"] for tool in params["tools"]], params["toolMode"]) == (names, mode)


async def test_no_tool_is_offered_where_none_may_be_called():
    assert "tools" not in await sent(replace(HELLO, tools=(ADD,), tool_choice="none"))


async def test_pictures_go_out_also_those_of_tools_and_of_models():
    drawn = Message("assistant", (Image(b"png"), Reasoning("Hm", "m"), ToolCall("c1", "add", {})))
    results = Message("tool", (ToolResult("c1", "1", images=(Image(b"gif", media_type="image/gif"),)),))
    params = await sent(ChatRequest((user(Image(b"jpg", media_type="image/jpeg")), drawn, results), tools=(ADD,)))
    first, shown, said, result, _ = [one["content"] for one in params["messages"]]
    assert first == [{"type": "image", "mimeType": "image/jpeg", "data": "anBn"}]
    assert shown == [{"type": "image", "mimeType": "image/png", "data": "cG5n"}]
    assert [part["type"] for part in said] == ["toolUse"]
    assert result[0]["content"][1] == {"type": "image", "mimeType": "image/gif", "data": "Z2lm"}


@pytest.mark.parametrize("part", [Audio(b"x"), File("a.pdf", b"x"), Image(url="https://example.org/x.png")])
async def test_what_cannot_be_sent_is_refused_before_the_call(part):
    editor = Editor(["never"])
    everything = ModelProfile(inputs=("text", "image", "audio", "file"))
    with pytest.raises(NotSupported, match=NAME):
        await ask(editor, ChatRequest((user(part),)), profile=everything)
    assert not editor.asked


async def test_a_schema_is_told_in_words_and_a_type_is_asked_for_by_a_tool():
    assert '"type": "array"' in words(await sent(replace(HELLO, schema={"type": "array"})))[-1][1][0]
    editor = Editor([{**CALL, "name": "answer", "input": {"value": ["x"]}}], [{**CALL, "input": {}}])
    assert (await complete_as(model(editor), HELLO, list[str]))[0] == ["x"]
    assert editor.asked[0]["toolMode"] == "required"


@pytest.mark.parametrize(
    ("code", "kind"),
    [(-33001, NoPermission), (-33002, QuotaExceeded), (-33003, ModelNotFound), (-33004, NotSupported)],
)
async def test_each_refusal_is_its_own_error(code, kind):
    with pytest.raises(kind, match="because of tuesday") as caught:
        await ask(Editor([Refusal(code)]))
    assert type(caught.value) is kind
    assert NAME in caught.value.what
    assert caught.value.next_step
    assert not caught.value.transient


@pytest.mark.parametrize("error", [Refusal(-32603), ConnectionResetError("gone"), KeyError("x")])
@pytest.mark.parametrize("begun", [[], ["half"]])
async def test_any_other_failure_is_an_answer_broken_off(error, begun):
    with pytest.raises(ReplyError, match="broke off") as caught:
        await ask(Editor([*begun, error]))
    assert caught.value.transient is not bool(begun)


async def test_an_error_of_ours_comes_through():
    with pytest.raises(InputError, match="no such window"):
        await ask(Editor([InputError("no such window")]))


@pytest.mark.parametrize(
    "answer",
    [
        {"content": "text"},
        {"content": ["text"]},
        {"usage": "many"},
        {"usage": {"inputTokens": "many"}},
    ],
)
async def test_an_unreadable_result_is_no_answer(answer):
    with pytest.raises(ReplyError, match="Unreadable"):
        await ask(Editor([], **answer))


async def test_an_unreadable_chunk_is_no_answer():
    async def send(params, on_chunk):
        on_chunk({"part": "text"})
        return {}

    with pytest.raises(ReplyError, match="Unreadable"):
        await ClientModel(NAME, send).complete(HELLO)


async def test_unknown_parts_are_passed_over():
    assert (await ask(Editor([{"type": "hologram"}, "Hi"]))).parts == (Text("Hi"),)


async def test_chunks_of_others_duplicates_and_late_ones_are_ignored():
    async def send(params, on_chunk):
        def say(text, seq, request=params["requestId"]):
            on_chunk({"requestId": request, "seq": seq, "part": {"type": "text", "text": text}})

        say("a", 0)
        say("b", 1)
        say("b", 1)
        say("a", 0)
        say("x", 2, "another request")
        say("c", 2)
        asyncio.get_running_loop().call_later(0.02, say, "late", 3)
        return {"model": "m", "content": []}

    async def listen(piece):
        await asyncio.sleep(0.02)

    reply = await ClientModel(NAME, send).complete(replace(HELLO, on_delta=listen))
    assert reply.text == "abc"


async def test_a_chunk_that_comes_after_the_end_goes_nowhere():
    editor = Editor(["Hi"])
    assert (await ask(editor)).text == "Hi"
    editor.late({"part": {"type": "text", "text": "late"}})


async def test_cancelling_cancels_the_clients_request():
    editor = Editor(["half", Fault.STALL])
    asking = asyncio.create_task(ask(editor))
    while not editor.busy:
        await asyncio.sleep(0.001)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (editor.cancelled, editor.busy) == (1, 0)


@pytest.mark.parametrize(
    ("steps", "limits", "kind", "words"),
    [
        ([Fault.STALL], {"first": 0.1}, ModelUnavailable, "no first word"),
        (["half", Fault.STALL], {"silence": 0.1}, ReplyError, "Nothing came for 0.1 s"),
        (itertools.cycle(["x", 0.01]), {"whole": 0.2}, ReplyError, "still writing"),
        (itertools.repeat("x" * 100_000, 1000), {}, ReplyError, "longer than"),
    ],
)
async def test_an_answer_that_does_not_come_or_end_is_ended(steps, limits, kind, words):
    editor = Editor(steps)
    with pytest.raises(kind, match=words):
        await ask(editor, timeouts=replace(QUICK, **limits))
    assert editor.busy == 0


async def test_a_slow_listener_does_not_gather_an_endless_answer():
    async def listen(piece):
        await asyncio.sleep(0.2)

    editor = Editor(itertools.repeat("x" * 10_000, 2_000))
    with pytest.raises(ReplyError, match="would not stop writing"):
        await ask(editor, replace(HELLO, max_tokens=10**7, on_delta=listen), timeouts=replace(QUICK, whole=30.0))


async def test_what_a_listener_raises_is_no_error_of_the_client():
    async def listen(piece):
        raise ValueError("mine")

    editor = Editor(["Hi", Fault.STALL])
    with pytest.raises(ValueError, match="mine"):
        await ask(editor, replace(HELLO, on_delta=listen))
    assert editor.cancelled == 1


async def test_callers_queue_at_the_models_concurrency():
    editor = Editor(["a", 0.02])
    asked = model(editor, profile=ModelProfile(concurrency=2))
    await asyncio.gather(*(asked.complete(HELLO) for _ in range(6)))
    assert editor.most_busy == 2


async def test_forbidden_requests_do_not_leave():
    editor = Editor(["never"])
    with forbid_real_requests(), pytest.raises(ModelUnavailable):
        await ask(editor)
    assert not editor.asked


async def test_the_client_counts_tokens_where_it_can():
    editor = Editor(["ok"])
    assert await model(editor, count=editor.count).count_tokens("one two three") == 3
    assert await model(editor).count_tokens("one") is None


async def test_only_models_that_answer_are_available_and_the_others_say_why():
    answers = {"good": ["ready"], "listed-only": [Refusal(-33004)], "mute": []}
    models = [ClientModel(f"client:{name}", Editor(steps).send) for name, steps in answers.items()]
    found = await available(models)
    assert found.models == (models[0],)
    assert {name: type(error) for name, error in found.failures.items()} == {
        "client:listed-only": NotSupported,
        "client:mute": ReplyError,
    }


async def test_the_manager_gives_client_models_once_the_provider_is_there():
    editor = Editor(["Hi"])
    manager = ModelManager(providers={"client": client_provider(editor.send, count=editor.count)}, env={})
    found = manager.get_model(NAME)
    assert (found.name, (await found.complete(HELLO)).text) == (NAME, "Hi")
    assert manager.get_model(NAME) is found
    assert json.dumps(editor.asked[0])
