"""A key that does not show itself."""

import copy
import json
import pickle
import traceback

import pytest

from agentinfra.core.errors import InputError
from agentinfra.security.secret import Secret

KEY = "sk-canary-123"


def test_it_gives_the_key_to_who_asks_and_shows_it_to_nobody():
    secret = Secret(KEY)
    assert secret.reveal() == KEY
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr([secret]), repr({"key": secret})):
        assert KEY not in shown


def test_a_traceback_that_prints_locals_does_not_show_it():
    def use(secret):
        raise ValueError("no")

    try:
        use(Secret(KEY))
    except ValueError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(…)" in told
    assert KEY not in told


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, copy.copy])
def test_it_is_not_written_down(write):
    with pytest.raises(InputError, match="cannot be pickled"):
        write(Secret(KEY))
    with pytest.raises(TypeError):
        json.dumps(Secret(KEY))


def test_equal_keys_are_equal_and_an_empty_one_is_none():
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY)}) == 1
    assert not Secret("")
    assert Secret.of(None) is None
    assert Secret.of(KEY) == Secret.of(Secret(KEY)) == Secret(KEY)
