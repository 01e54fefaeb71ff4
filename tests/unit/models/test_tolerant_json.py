import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.models.tolerant_json import loads_tolerant

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Here it is: {"a": 1,} as you asked', {"a": 1}),
        ("```json\n[1, 2,]\n```", [1, 2]),
        ('```json\n{"a": 1}', {"a": 1}),
        ('As [you] said {"a": 2}', {"a": 2}),
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        ('{"t": [{"n": 1}, {"n": 2', {"t": [{"n": 1}]}),
        ('{"t": [{"n": 1}, {"n": {"deep": [1, 2]', {"t": [{"n": 1}]}),
        ('{"t": [1, 22', {"t": [1]}),
        ('{"t": {"x": [1, 2], "y": "ab', {"t": {"x": [1, 2]}}),
        ('{"t": ["a", "b\\', {"t": ["a"]}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b"', {"a": 1}),
        ('{"a": tr', {}),
        ('{"a": [{"n": 1}', {"a": [{"n": 1}]}),
    ],
)
def test_readable_replies(text, expected):
    assert loads_tolerant(text) == expected


@pytest.mark.parametrize("text", ["", "I cannot do that.", '{"a" 1}', "{1: 2}", "{a: 1}", "[" * 100_000])
def test_unreadable_replies(text):
    with pytest.raises(ValueError):
        loads_tolerant(text)


@given(VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_what_is_whole_is_read_as_it_stands(value):
    assert loads_tolerant("So: " + json.dumps(value)) == value


@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=2), max_size=4), st.data())
def test_a_cut_array_keeps_its_complete_items(items, data):
    text = json.dumps({"items": items})
    cut = text[: data.draw(st.integers(min_value=len('{"items": ['), max_value=len(text)))]
    complete = [item for end, item in enumerate(items, 1) if len(json.dumps({"items": items[:end]})) - 2 <= len(cut)]
    assert loads_tolerant(cut) == {"items": complete}
