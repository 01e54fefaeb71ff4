import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.models.partial_json import PartialJson, parse_partial


def names_to(inner):
    return st.dictionaries(st.text(max_size=5), inner, max_size=3)


scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.text(max_size=8))
nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | names_to(inner), max_leaves=4)
values = names_to(nested)


def is_beginning(early, late):
    """Whether the early value may grow into the late one."""
    if isinstance(early, str) and isinstance(late, str):
        return late.startswith(early)
    if isinstance(early, dict) and isinstance(late, dict):
        return all(name in late and is_beginning(one, late[name]) for name, one in early.items())
    if isinstance(early, list) and isinstance(late, list):
        return len(early) <= len(late) and all(map(is_beginning, early, late))
    return early == late or isinstance(early, int | float)


@settings(deadline=None)
@given(values, st.booleans(), st.data())
def test_every_beginning_is_a_beginning_of_the_value(value, ascii_only, data):
    text = json.dumps(value, ensure_ascii=ascii_only)
    cut = data.draw(st.integers(1, len(text)))
    assert is_beginning(parse_partial(text[:cut]), value)


@settings(deadline=None)
@given(values, st.integers(1, 7))
def test_fed_in_pieces_it_ends_at_the_value(value, size):
    text, growing = json.dumps(value), PartialJson()
    seen = [growing.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert seen[-1] == value
    assert growing.text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "x\\', {"a": "x"}),
        ('{"a": "x\\u00', {"a": "x"}),
        ('{"a": "x\\ud83d', {"a": "x"}),
        ('{"a": "\\ud83d\\ude00', {"a": "😀"}),
        ('{"a": tru', {}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": [1, {"b": "c', {"a": [1, {"b": "c"}]}),
        ("{", {}),
    ],
)
def test_half_escapes_words_and_names_are_not_there_yet(text, value):
    assert parse_partial(text) == value


def test_before_the_first_value_and_after_nonsense_there_is_the_last_readable_one():
    growing = PartialJson()
    assert growing.feed("") is None
    assert growing.feed('{"a": 1, ') == {"a": 1}
    assert growing.feed("oops") == {"a": 1}
    with pytest.raises(ValueError, match="expected"):
        parse_partial("oops")


def test_looking_after_each_piece_stays_linear():
    def seconds(count):
        growing, start = PartialJson(), time.process_time()
        growing.feed('{"a": "')
        for _ in range(count):
            growing.feed("0123456789")
        return time.process_time() - start

    seconds(1_000)
    small, large = seconds(10_000), seconds(80_000)
    # Reading anew each time would take 64 times as long.
    assert large < 25 * small
