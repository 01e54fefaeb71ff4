"""Which chunks are worth scoring: those whose words tell most."""

import math

import numpy as np
import pytest

from agentinfra.memory.word_bounds import promising, tells, weight


def ids(*numbers):
    return np.array(numbers, np.int32)


def test_a_word_tells_the_more_the_fewer_chunks_hold_it():
    assert weight(1, 1000) > weight(10, 1000) > weight(499, 1000) > 0
    assert weight(10, 1000) == pytest.approx(math.log(990.5 / 10.5))


def test_a_word_of_more_than_half_of_the_chunks_tells_nothing():
    assert tells(499, 1000)
    assert not tells(501, 1000)
    assert not tells(1000, 1000)
    assert weight(1000, 1000) == 1e-6


def test_chunks_with_the_most_telling_words_are_the_promising_ones():
    rare, usual, common = ids(3, 7), ids(2, 3, 5), ids(1, 2, 3, 4, 5, 6, 7, 8)
    assert promising([rare, usual, common], 30, 1).tolist() == [3]
    assert promising([rare, usual, common], 30, 2).tolist() == [3, 7]


def test_several_words_outweigh_one():
    assert promising([ids(1, 2), ids(3, 4, 5), ids(3, 6, 7)], 30, 1).tolist() == [3]


def test_none_is_left_out_that_tells_as_much_as_the_last():
    found = promising([ids(9), ids(1, 2, 3, 4)], 30, 2)
    assert found.tolist() == [1, 2, 3, 4, 9]


@pytest.mark.parametrize("holders", [[], [ids()], [ids(1, 2), ids(2, 3), ids()]])
def test_few_chunks_need_no_choice(holders):
    assert promising(holders, 30, 3) is None
