import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.memory.embedders import words
from agentinfra.memory.embedders.words import index_words, parts_of, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parseHTTPResponse2", ["parse", "http", "response", "2"]),
        ("get_URL_x", ["get", "url", "x"]),
        ("XMLHttpRequest", ["xml", "http", "request"]),
        ("HTTPServer aB ABC __init__", ["http", "server", "a", "b", "abc", "init"]),
        ("sha256sum", ["sha", "256", "sum"]),
        ("ÜberGroße_naïveTest", ["über", "große", "naïve", "test"]),
        ("ÄÖÜTabelle", ["äöü", "tabelle"]),
        ("имяФайла 変数", ["имя", "файла", "変数"]),
        ("", []),
        ("(){};", []),
    ],
)
def test_identifiers_are_split_at_case_digits_and_underscores(text, words):
    assert split_words(text) == words


def test_the_index_keeps_the_whole_beside_the_parts():
    assert index_words("readLines(path)") == "read lines readlines path"
    assert index_words("max_size") == "max size max_size"


def test_of_data_that_looks_like_an_identifier_only_the_beginning_counts():
    assert parts_of("a" * 10_000) == ("a" * 64,)


def test_more_identifiers_than_are_remembered_are_split_all_the_same():
    for number in range(3):
        many = " ".join(f"oneName{at}" for at in range(number * 40_000, (number + 1) * 40_000))
        index_words(many)
    assert len(words._indexed) <= words._KEPT_IDENTIFIERS
    assert index_words("oneName1 __ x") == "one name 1 onename1 x"


@given(st.text(st.characters(max_codepoint=300)))
def test_identifiers_are_the_same_in_ascii_and_in_any_other_text(text):
    beyond = index_words(f"{text} é").split()[:-1]
    assert index_words(text).split() == beyond
