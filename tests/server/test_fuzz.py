"""A small share of what benchmarks/lsp_fuzz.py sends."""

from benchmarks.lsp_fuzz import fuzz


async def test_no_message_brings_the_server_down_and_every_request_is_answered():
    tally = await fuzz(600, seed=7)
    assert not tally.crashed
    assert tally.unanswered == []
    assert tally.requests > 200
    assert {-32700, -32602, -32601, -32600} <= tally.answers.keys()
