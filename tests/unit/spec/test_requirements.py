import pytest

from agentinfra.spec.requirements import AREAS, STATUSES, Ground


@pytest.mark.parametrize("ground", list(Ground))
def test_only_a_guess_is_not_firm(ground: Ground):
    assert ground.is_firm is (ground.value != "guessed")


def test_the_words_of_the_document():
    assert AREAS == ("backend", "frontend")
    assert STATUSES == ("draft", "approved", "building", "done")
