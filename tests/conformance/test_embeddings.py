"""Texts to vectors over the real SDK."""

import asyncio
import base64
import math
from contextlib import asynccontextmanager

import numpy as np
import pytest

from agentinfra.core.errors import ConfigError, ContextOverflow, ModelUnavailable, NoPermission, ReplyError
from agentinfra.models.openai_embedder import OpenAIEmbedder
from agentinfra.models.retry import RetryPolicy
from tests.conformance.wire_format import KEY, QUICK
from tests.conformance.wire_server import Answer, WireServer, refusal

SWIFT = RetryPolicy(tries=3, first_wait=0.01)


def vector_of(text, size):
    return [float(len(text)), *[0.5] * (size - 1)]


def vectors(asked, size=4, *, shuffled=False):
    """What a server says: as text in base64 where it was asked for, else as numbers."""
    told = []
    for index, text in enumerate(asked.body["input"]):
        vector = vector_of(text, asked.body.get("dimensions", size))
        packed = base64.b64encode(np.array(vector, np.float32).tobytes()).decode()
        wanted = packed if asked.body.get("encoding_format") == "base64" else vector
        told.append({"object": "embedding", "index": index, "embedding": wanted})
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return refusal(200, {"object": "list", "data": told[::-1] if shuffled else told, "model": "m", "usage": usage})


@asynccontextmanager
async def embedding(*answers, model="openai:m", dimensions=4, **options):
    server = WireServer(answers or [vectors], lambda asked: "", lambda status, message: refusal(status, {}))
    async with server.running():
        embedder = OpenAIEmbedder(
            model,
            dimensions=dimensions,
            **{"base_url": f"{server.url}/v1", "api_key": KEY, "timeouts": QUICK, "retry": SWIFT, **options},
        )
        try:
            yield embedder, server
        finally:
            await embedder.aclose()


@pytest.mark.parametrize("shuffled", [False, True])
async def test_vectors_come_in_the_order_of_the_texts_and_of_unit_length(shuffled):
    async with embedding(lambda asked: vectors(asked, shuffled=shuffled)) as (embedder, server):
        found = await embedder.embed(["one", "three", "eleven"])
    expected = np.array([vector_of(text, 4) for text in ("one", "three", "eleven")])
    assert (found.dtype, found.shape) == (np.float32, (3, 4))
    assert np.allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert (server.asked[0].path, server.asked[0].body["model"]) == ("/v1/embeddings", "m")


async def test_servers_that_know_no_base64_are_understood():
    def plain(asked):
        told = [{"object": "embedding", "index": 0, "embedding": [3.0, 4.0]}]
        return refusal(200, {"object": "list", "data": told, "model": "m"})

    async with embedding(plain, dimensions=2) as (embedder, _):
        assert np.allclose(await embedder.embed(["x"]), [[0.6, 0.8]])


async def test_many_texts_go_in_bounded_requests_side_by_side():
    async with embedding(concurrency=2) as (embedder, server):
        found = await embedder.embed(["x" * (1 + n % 7) for n in range(300)] + ["long" * 1900] * 40)
        assert (await embedder.embed([])).shape == (0, 4)
    sizes = sorted(len(body["input"]) for body in server.bodies)
    assert sum(sizes) == 340
    assert max(sizes) == 128
    assert max(sum(map(len, body["input"])) for body in server.bodies) <= 250_000
    assert server.most_busy == 2
    assert found[0][0] < found[6][0]


async def test_texts_are_cut_and_none_is_empty():
    async with embedding(most_bytes=10) as (embedder, server):
        await embedder.embed(["äöüäöüäöü", "", " \n", "\ud800"])
    assert server.bodies[0]["input"] == ["äöüäö", "-", "-", "?"]


async def test_prefixes_tell_queries_from_texts_and_change_the_name():
    async with embedding(prefixes=("doc: ", "ask: ")) as (embedder, server):
        await embedder.embed(["x"])
        await embedder.embed(["x"], query=True)
        assert embedder.name.startswith("openai:m+")
    assert [body["input"] for body in server.bodies] == [["doc: x"], ["ask: x"]]


async def test_another_length_is_asked_for_only_of_models_that_have_one():
    small = "openai:text-embedding-3-small"
    async with embedding(model=small, dimensions=256) as (embedder, server):
        assert (await embedder.embed(["x"])).shape == (1, 256)
    assert (embedder.name, server.bodies[0]["dimensions"]) == (f"{small}@256", 256)
    async with embedding(lambda asked: vectors(asked, 1536), model=small, dimensions=None) as (embedder, server):
        assert (await embedder.embed(["x"])).shape == (1, 1536)
    assert (embedder.name, "dimensions" in server.bodies[0]) == (small, False)


def test_a_model_whose_length_nobody_knows_has_to_be_told():
    with pytest.raises(ConfigError, match="dimensions"):
        OpenAIEmbedder("ollama:nomic-embed-text")


async def test_vectors_of_another_length_say_which():
    async with embedding(dimensions=8) as (embedder, server):
        with pytest.raises(ReplyError, match="dimensions=4"):
            await embedder.embed(["x"])
    assert len(server.asked) == 1


def entry(index=0, embedding=(1.0, 0.0, 0.0, 0.0)):
    return {"object": "embedding", "index": index, "embedding": list(embedding)}


@pytest.mark.parametrize(
    "data",
    [[], [entry(), entry(1)], [entry(1)], [entry(embedding=[0.0] * 4)], [entry(embedding=[math.nan, 0, 0, 0])], None],
    ids=["none", "too many", "another's", "zero", "nan", "no data"],
)
async def test_vectors_that_are_none_are_not_taken(data):
    async with embedding(refusal(200, {"object": "list", "data": data, "model": "m"})) as (embedder, _):
        with pytest.raises(ReplyError, match="broke off"):
            await embedder.embed(["x"])


async def test_what_may_pass_is_tried_again():
    async with embedding(refusal(503, {}), refusal(429, {}, {"retry-after-ms": "5"}), vectors) as (embedder, server):
        assert (await embedder.embed(["x"])).shape == (1, 4)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401, {"error": {"message": f"Wrong key {KEY}"}}), NoPermission),
        (refusal(400, {"error": {"message": "maximum context length is 8192 tokens"}}), ContextOverflow),
        (refusal(500, {}), ModelUnavailable),
        (Answer(["<html>"], headers={"content-type": "text/html"}), ReplyError),
    ],
)
async def test_failures_are_told_apart_and_keep_the_key(answer, kind):
    async with embedding(answer) as (embedder, _):
        with pytest.raises(kind) as caught:
            await embedder.embed(["x"] * 200)
    assert KEY not in str(caught.value)


async def test_nobody_listening_is_unavailable():
    async with embedding(base_url="http://127.0.0.1:9/v1") as (embedder, _):
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await embedder.embed(["x"])


async def test_a_call_can_be_cancelled():
    async with embedding(Answer([60.0])) as (embedder, server):
        asked = asyncio.create_task(embedder.embed(["x"] * 300))
        while not server.busy:
            await asyncio.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
