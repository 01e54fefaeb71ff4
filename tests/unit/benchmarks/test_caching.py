"""The benchmark of caches, on a few calls."""

from benchmarks import caching, model_load


async def test_each_kind_of_call_is_timed_and_caches_pay(tmp_path, capsys):
    with model_load.server() as url:
        taken = await caching.measure(url, tmp_path, calls=3, rounds=2)
    assert caching.compared(taken, "a schema built anew", "a schema remembered") > 1
    assert capsys.readouterr().out.startswith("a schema built anew: ")
    assert taken["a call over the loopback"] > taken["a kept reply"] > 0
