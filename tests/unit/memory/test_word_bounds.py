"""What the bounds promise: nothing that can reach a score is left out."""

import itertools
import random

import pytest

from agentinfra.memory.word_bounds import able_to_reach, bounded, guessed_score


def holds(expression, chunk):
    """Whether a chunk, which is a set of words, is what an expression of FTS5 says."""
    words = {f'"{word}"': str(word in chunk) for word in "abcdefg"}
    for quoted, value in words.items():
        expression = expression.replace(quoted, value)
    return bool(eval(expression.replace("AND", "and").replace("OR", "or") or "False"))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_can_reach_a_score_is_told_by_its_words(seed):
    dice = random.Random(seed)
    words = bounded([(word, dice.randrange(1, 500)) for word in "abcdefg"[: dice.randrange(2, 8)]], 1000)
    score = dice.uniform(0.05, 1.0) * sum(word.most for word in words)
    expression = able_to_reach(words, score)
    for chunk in itertools.product((False, True), repeat=len(words)):
        held = [word for word, there in zip(words, chunk, strict=True) if there]
        if sum(word.most for word in held) >= score:
            assert holds(expression, {word.text for word in held})


def test_what_holds_common_words_alone_is_left_out():
    words = bounded([("a", 10), ("b", 20), ("c", 400)], 1000)
    expression = able_to_reach(words, words[0].most + words[2].most)
    assert expression == '("a" AND ("b" OR "c"))'
    assert not holds(expression, {"c"})
    assert not holds(expression, {"a"})


def test_a_score_above_all_words_is_reached_by_nothing():
    words = bounded([("a", 10), ("b", 20)], 1000)
    assert able_to_reach(words, 1000.0) == ""


def test_a_dear_expression_gives_way_to_a_short_one():
    words = bounded([(word, 300) for word in "abcdefghijklmnopqrstuvwxyz"], 1000)
    assert "AND" not in able_to_reach(words, 4 * words[0].most)


def test_words_that_nothing_holds_are_left_out_and_common_ones_count_for_little():
    rare, common = bounded([("common", 900), ("nowhere", 0), ("rare", 1)], 1000)
    assert (rare.text, common.text) == ("rare", "common")
    assert 0 < common.most < 1e-5 < rare.most


def test_the_guess_falls_with_the_place_and_fits_words_that_are_independent():
    words = bounded([("a", 100), ("b", 100), ("c", 500)], 1000)
    scores = [guessed_score(words, 1000, k) for k in (1, 10, 100, 1000)]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] == pytest.approx(0.56 * (words[0].most + words[1].most), abs=0.1)  # both are in ten of a thousand
    assert scores[3] == 0.0
