"""The best by words, found without scoring all: those that scoring all finds."""

import json
import random

import pytest

from agentinfra.memory import store_words
from agentinfra.memory.database import open_database, transaction
from agentinfra.memory.store_words import Filter, StoreWords, merge_words

WORDS = [f"word{number}" for number in range(60)]
QUESTIONS = ["word0 word3 word40", "word1 word2 word30 word50 word59", "word0 word1", " ".join(WORDS[::3]), "word58"]
PLAIN = """
SELECT rowid, -bm25(words, 3.0, 1.0, 1.0) AS score FROM words WHERE words MATCH ?
ORDER BY score DESC, rowid LIMIT ?
"""


def new_index(path):
    """Two thousand chunks whose words are as unevenly spread as words are."""
    connection = open_database(path)
    connection.execute("CREATE TABLE chunks (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(name, path, body, tokenize='porter unicode61')")
    dice = random.Random(3)
    weights = [1 / (place + 1) for place in range(len(WORDS))]
    for number in range(1, 2001):
        name, body = (" ".join(dice.choices(WORDS, weights, k=dice.randrange(1, most))) for most in (3, 30))
        connection.execute("INSERT INTO words (rowid, name, path, body) VALUES (?, ?, 'p', ?)", (number, name, body))
        connection.execute("INSERT INTO chunks VALUES (?)", (number,))
    return connection


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    connection = new_index(tmp_path_factory.mktemp("words") / "words.db")
    yield connection
    connection.close()


@pytest.fixture
def words(index):
    return StoreWords(index)


def count(connection, word):
    return connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (f'"{word}"',)).fetchone()[0]


def plainly(connection, question, k):
    parts = [part for word in question.split() for part in ("word", word[4:], word)]
    counts = {word: count(connection, word) for word in [*dict.fromkeys(parts)][:32]}
    telling = [word for word, chunks in counts.items() if chunks <= 1000]
    enough = max((counts[word] for word in telling), default=0) >= k
    match = " OR ".join(f'"{word}"' for word in (telling if enough else counts))
    return list(connection.execute(PLAIN, (match, k)))


def searched(words, k=20):
    return {question: words.search(question, k, Filter()) for question in QUESTIONS}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("k", [1, 10, 100, 5000])
def test_the_best_are_the_same_as_those_of_scoring_all(index, words, question, k):
    assert words.search(question, k, Filter()) == plainly(index, question, k)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_best_are_found_among_the_promising_ones(index, words, monkeypatch, question):
    monkeypatch.setattr(store_words, "SCORED", 500)
    assert words.search(question, 10, Filter()) == plainly(index, question, 10)


def test_few_chunks_are_scored(words, monkeypatch):
    monkeypatch.setattr(store_words, "SCORED", 30)
    monkeypatch.setattr(store_words, "SCORED_SHARE", 0.0)
    among = []
    monkeypatch.setattr(words, "_scored", lambda *arguments: among.append(arguments[3]) or [])
    words.search("word0 word1 word2 word50 word59", 10, Filter())
    assert 30 <= len(json.loads(among[0][0])) < 200


def test_more_chunks_are_scored_in_a_larger_index(words, monkeypatch):
    monkeypatch.setattr(store_words, "SCORED", 30)
    monkeypatch.setattr(store_words, "SCORED_SHARE", 0.1)
    among = []
    monkeypatch.setattr(words, "_scored", lambda *arguments: among.append(arguments[3]) or [])
    words.search("word0 word1 word2 word50 word59", 10, Filter())
    assert len(json.loads(among[0][0])) >= 200


def test_a_word_that_all_chunks_hold_is_not_read_beside_others(words, monkeypatch):
    asked = []
    monkeypatch.setattr(words, "_scored", lambda *arguments: asked.append(arguments[0]) or [])
    words.search("p word58 word59", 10, Filter())
    words.search("p", 10, Filter())
    assert "p" not in asked[0]
    assert "58" in asked[0]
    assert asked[1] == ["p"]


def test_merging_changes_no_answer(index, words):
    before = searched(words)
    merge_words(index)
    assert index.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone() == (1,)
    assert searched(words) == before


def test_a_change_of_this_connection_or_another_is_seen(tmp_path):
    index, other = new_index(tmp_path / "words.db"), open_database(tmp_path / "words.db")
    words = StoreWords(index)
    for connection, number in ((index, 3001), (other, 3002)):
        assert number not in dict(words.search("word1 word2 word3", 5, Filter()))
        with transaction(connection):
            connection.execute("INSERT INTO words (rowid, name) VALUES (?, 'word1 word2 word3')", (number,))
            connection.execute("INSERT INTO chunks VALUES (?)", (number,))
        assert number in dict(words.search("word1 word2 word3", 5, Filter()))
    other.close()
    index.close()


def test_what_is_rolled_back_is_not_remembered(tmp_path):
    index = new_index(tmp_path / "words.db")
    words = StoreWords(index)
    before = searched(words)
    with pytest.raises(KeyboardInterrupt), transaction(index):
        index.execute("DELETE FROM words WHERE rowid < 1500")
        assert searched(words) != before
        raise KeyboardInterrupt
    assert searched(words) == before
    index.close()


def test_few_ids_are_held(words, monkeypatch):
    monkeypatch.setattr(store_words, "_HELD_IDS", 1000)
    before = searched(words)
    assert sum(map(len, words._held.values())) <= 1000
    assert searched(words) == before
