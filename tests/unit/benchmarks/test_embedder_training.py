import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.static import StaticEmbedder, load_table
from benchmarks.embedder_training import BagPair, Recipe, train
from benchmarks.train_static_embedder import vocabulary, write_table

RECIPE = Recipe(epochs=30, batch=16, rate=0.05, seed=1)


def pairs_of_two_languages(count=48):
    """Each sentence and its function share no word: only what was seen together can bring them together."""
    return [
        BagPair(
            f"package{n % 3}",
            np.array([1 + n, 1 + (n + 1) % count]),
            np.array([1 + count + n, 1 + count + (5 * n + 1) % count]),
        )
        for n in range(count)
    ]


def partners_found(table, pairs):
    def vectors(bags):
        sums = np.array([table[bag].sum(0) for bag in bags])
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)

    scores = vectors([pair.sentence for pair in pairs]) @ vectors([pair.body for pair in pairs]).T
    return float((scores.argmax(1) == np.arange(len(pairs))).mean())


def trained(recipe=RECIPE):
    table = np.random.default_rng(2).normal(0, 1, (97, 32)).astype(np.float32)
    told = []
    train(table, pairs_of_two_languages(), recipe, told.append)
    return table, told


def test_sentences_come_to_lie_nearest_to_their_functions():
    untrained = np.random.default_rng(2).normal(0, 1, (97, 32)).astype(np.float32)
    table, told = trained()
    assert partners_found(untrained, pairs_of_two_languages()) < 0.2
    assert partners_found(table, pairs_of_two_languages()) > 0.9
    assert len(told) == RECIPE.epochs
    assert float(told[-1].split()[-1]) < float(told[0].split()[-1]) / 2


def test_the_same_seed_gives_the_same_vectors():
    assert np.allclose(trained()[0], trained()[0], atol=1e-4)
    assert not np.allclose(trained()[0], trained(Recipe(epochs=30, batch=16, rate=0.05, seed=9))[0], atol=1e-2)


def test_only_words_that_several_packages_use_are_learnt():
    corpus = [("a", ["read", "own"], ["file"]), ("b", ["read"], ["file", "x" * 30]), ("c", ["file"], ["x" * 30])]
    assert vocabulary(corpus) == ["file", "read"]


async def test_what_is_written_is_what_the_embedder_reads(tmp_path):
    table = np.random.default_rng(3).normal(0, 1, (3, 256)).astype(np.float32)
    write_table(tmp_path / "table.npz", ["read", "file"], table, ["tiny 1.0 (MIT): 2 pairs"])
    read = load_table(tmp_path / "table.npz")
    assert read.header["sources"] == ["tiny 1.0 (MIT): 2 pairs"]
    assert np.abs(read.vectors - table).max() < 0.02
    (both,) = await StaticEmbedder(tmp_path / "table.npz").embed(["readFile"])
    expected = table[1] + table[2]
    assert both @ expected / np.linalg.norm(expected) > 0.999
    with pytest.raises(ModelUnavailable):
        load_table(tmp_path)
