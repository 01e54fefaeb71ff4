import pytest

from agentinfra.core.messages import ChatRequest, ReasoningDelta, TextDelta, ToolCallDelta, user
from agentinfra.models.heard import Heard

PIECES = {
    "text": (TextDelta("abc"), 3),
    "thought": (ReasoningDelta("ab"), 2),
    "a call's beginning": (ToolCallDelta(0, id="c", name="add"), 0),
    "a call's arguments": (ToolCallDelta(0, arguments='{"a"'), 4),
}


@pytest.mark.parametrize(("piece", "characters"), PIECES.values(), ids=PIECES)
async def test_any_piece_counts_and_is_passed_on(piece, characters):
    told = []

    async def listen(delta):
        told.append(delta)

    heard = Heard(ChatRequest((user("Hi"),), on_delta=listen))
    assert not heard.anything
    await heard.request.on_delta(piece)
    assert (heard.anything, heard.characters, told) == (True, characters, [piece])


def test_where_nobody_listens_the_request_stays_as_it_is():
    request = ChatRequest((user("Hi"),))
    assert Heard(request).request is request


async def test_a_listener_that_fails_has_been_told_all_the_same():
    async def listen(delta):
        raise ConnectionError

    heard = Heard(ChatRequest((user("Hi"),), on_delta=listen))
    with pytest.raises(ConnectionError):
        await heard.request.on_delta(TextDelta("x"))
    assert heard.anything
