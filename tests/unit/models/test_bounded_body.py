import httpx2
import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.models.bounded_body import bounded, tail_of


async def body(*pieces):
    for piece in pieces:
        yield piece


async def get(content, most):
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=content))
    async with httpx2.AsyncClient(transport=transport, event_hooks={"response": [bounded("m:m", most)]}) as client:
        return await client.get("http://x.test/")


async def test_a_body_within_the_bound_comes_through_and_its_end_is_known():
    response = await get(body(b"x" * 90, b"data: [DONE]\n\n"), 200)
    assert len(response.content) == 104
    assert tail_of(response).endswith(b"[DONE]\n\n")
    assert len(tail_of(response)) == 64


async def test_a_body_beyond_the_bound_is_an_error():
    with pytest.raises(ReplyError, match="longer than 200 bytes"):
        await get(body(b"x" * 150, b"x" * 51), 200)


def test_a_response_without_a_bound_has_no_known_end():
    assert tail_of(httpx2.Response(200, content=b"x")) == b""
