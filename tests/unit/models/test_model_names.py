import pytest

from agentinfra.core.errors import ConfigError
from agentinfra.models.model_names import ALIASES_VARIABLE, ModelNames, parse_aliases


@pytest.mark.parametrize("text", ["x", "=y", "x=", "a=b,c"])
def test_unreadable_aliases_are_refused(text):
    with pytest.raises(ConfigError, match="is not name=model") as caught:
        parse_aliases(text)
    assert ALIASES_VARIABLE in caught.value.what


def test_aliases_are_pairs_and_none_are_none():
    assert parse_aliases(" a = b|c , d=e:f") == {"a": "b|c", "d": "e:f"}
    assert parse_aliases(" , ") == {}


def test_aliases_lead_on_to_the_last():
    assert ModelNames({"a": "b", "b": "c:d"}, {}).resolve("a") == "c:d"


@pytest.mark.parametrize(
    ("aliases", "told"),
    [
        ({"a": "b", "b": "a"}, "a → b → a"),
        ({"a": "a|b"}, r"a\|b → a → a\|b"),
        ({"a": "b|c", "c": "a"}, r"b\|c → c → b\|c"),
    ],
)
def test_aliases_in_a_circle_are_named(aliases, told):
    with pytest.raises(ConfigError, match=f"in a circle: {told}"):
        ModelNames(aliases, {}).chain("a")


@pytest.mark.parametrize(
    ("name", "chain"),
    [
        ("m:1", ("m:1",)),
        ("m:1|m:2 | m:3", ("m:1", "m:2", "m:3")),
        ("m:1|m:2|m:1", ("m:1", "m:2")),
        ("fast", ("m:1",)),
        ("both", ("m:1", "m:2")),
        ("both|m:9", ("m:1", "m:2", "m:9")),
        ("m:4", ("m:4", "m:1", "m:5")),
        ("m:5", ("m:5", "m:4", "m:1")),
        ("named", ("m:6", "m:1", "m:2")),
        ("m:9|m:4", ("m:9", "m:4", "m:1", "m:5")),
    ],
)
def test_a_chain_is_what_is_named_with_what_stands_behind_it_each_once(name, chain):
    aliases = {"fast": "m:1", "both": "fast|m:2", "named": "m:6"}
    fallbacks = {"m:4": ["fast", "m:5"], "m:5": ["m:4"], "named": ["both"]}
    assert ModelNames(aliases, fallbacks).chain(name) == chain


@pytest.mark.parametrize("name", ["|", "m:1|", "m:1||m:2", " |m:1"])
def test_a_chain_with_an_empty_part_is_refused(name):
    with pytest.raises(ConfigError, match=r"is no chain of models\. A part of it is empty"):
        ModelNames({}, {}).chain(name)
