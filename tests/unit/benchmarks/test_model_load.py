"""The benchmark of many model calls at once, on a few."""

from benchmarks import model_load


async def test_each_contestant_gets_every_answer():
    with model_load.server() as url:
        samples = await model_load.measure(url, requests=20, rounds=1)
    assert set(samples) >= {model_load.OURS, model_load.BARE}
    assert all(one.cpu > 0 and one.wall > 0 for taken in samples.values() for one in taken)
