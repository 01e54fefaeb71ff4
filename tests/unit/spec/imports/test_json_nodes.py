import json

import pytest

from agentinfra.core.errors import SpecError
from agentinfra.spec.imports.json_nodes import read_json

TEXT = """{
  "a": [1, -2.5e3, "x \\"{[:,]}\\" \\u00e9",
    true, null, {}, []],
  "b":
    {"c": "d"}
}"""


def test_values_are_those_of_json_with_their_lines():
    root = read_json(TEXT, "a.json")
    assert root.plain == json.loads(TEXT)
    assert root.line == 1
    assert [node.line for node in root.fields["a"].items] == [2, 2, 2, 3, 3, 3, 3]
    assert root.fields["b"].fields["c"].line == 5


@pytest.mark.parametrize("text", ["5", '"a"', "null", "[]", " {} ", '{"a": {"a": [[], [{"a": 1}]]}}', "[NaN]"])
def test_any_value_may_stand_alone(text):
    assert str(read_json(text, "a").plain) == str(json.loads(text))


def test_what_is_shown_is_text_or_json_on_one_line():
    items = read_json('["a\\nb", {"ä": [1, null]}, true]', "a").items
    assert [node.shown for node in items] == ["a\nb", '{"ä": [1, null]}', "true"]


def test_what_says_nothing_is_empty():
    items = read_json('[null, "", [], {}, 0, false, " "]', "a").items
    assert [node.is_empty for node in items] == [True] * 4 + [False] * 3


@pytest.mark.parametrize(("part", "wanted"), [("fields", "an object"), ("items", "a list"), ("text", "text")])
def test_another_kind_of_value_is_refused_with_its_line(part, wanted):
    for value, found in (("3", "a number"), ("null", "null"), ("true", "true or false")):
        with pytest.raises(SpecError, match=rf"a\.json:2 .* there is {found} where {wanted} belongs\. Write {wanted}"):
            getattr(read_json(f"\n{value}", "a.json"), part)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n'a': 1}", r"a\.json:2 .*double quotes \(column 1\)\. Correct it, or take a copy that is whole"),
        ('{"a": 1,\n"a": 1}', r"a\.json:2 .*'a' is there twice"),
        ('[\n"\\udc00"]', r"a\.json:2 .*half of a character"),
        ("[" * 200_000 + "]" * 200_000, r"a\.json:1 .*nested too deeply"),
        ("9" * 5_000, r"a\.json:1 .*digits"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text, message):
    with pytest.raises(SpecError, match=message):
        read_json(text, "a.json")


def test_pairs_of_escapes_are_one_character():
    assert read_json('"\\ud83d\\ude00"', "a").text == "😀"
