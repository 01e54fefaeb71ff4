"""The best by words, found without scoring all: the very same as with it."""

import random

import pytest

from agentinfra.memory import store_words, word_bounds
from agentinfra.memory.database import open_database
from agentinfra.memory.store_words import Filter, merge_words, search_words

WORDS = [f"word{number}" for number in range(60)]
QUESTIONS = ["word0 word3 word40", "word1 word2 word30 word50 word59", "word0 word1", " ".join(WORDS[::3]), "word58"]
PLAIN = """
SELECT rowid, -bm25(words, 3.0, 1.0, 1.0) AS score FROM words WHERE words MATCH ?
ORDER BY score DESC, rowid LIMIT ?
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Two thousand chunks whose words are as unevenly spread as words are."""
    connection = open_database(tmp_path_factory.mktemp("words") / "words.db")
    connection.execute("CREATE TABLE chunks (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(name, path, body, tokenize='porter unicode61')")
    dice = random.Random(3)
    weights = [1 / (place + 1) for place in range(len(WORDS))]
    for number in range(1, 2001):
        name, body = (" ".join(dice.choices(WORDS, weights, k=dice.randrange(1, most))) for most in (3, 30))
        connection.execute("INSERT INTO words (rowid, name, path, body) VALUES (?, ?, 'p', ?)", (number, name, body))
        connection.execute("INSERT INTO chunks VALUES (?)", (number,))
    yield connection
    connection.close()


def plainly(connection, question, k):
    words = [part for word in question.split() for part in ("word", word[4:], word)]
    match = " OR ".join(f'"{word}"' for word in [*dict.fromkeys(words)][:32])
    return list(connection.execute(PLAIN, (match, k)))


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("k", [1, 10, 100, 5000])
def test_the_best_are_the_same_as_those_of_scoring_all(index, question, k):
    assert search_words(index, question, k, Filter()) == plainly(index, question, k)


@pytest.mark.parametrize("guess", [0.0, 0.1, 1.0, 3.0, 100.0])
def test_a_wrong_guess_costs_time_alone(index, question_scores, monkeypatch, guess):
    monkeypatch.setattr(word_bounds, "_GUESSED", guess)
    assert {each: search_words(index, each, 20, Filter()) for each in QUESTIONS} == question_scores


@pytest.fixture
def question_scores(index):
    return {question: plainly(index, question, 20) for question in QUESTIONS}


def test_few_chunks_are_scored(index, monkeypatch):
    conditions = []

    def seen(*arguments):
        conditions.append(arguments[4])
        return scored(*arguments)

    scored = store_words._scored
    monkeypatch.setattr(store_words, "_scored", seen)
    search_words(index, "word0 word1 word2 word50 word59", 10, Filter())
    (expression,) = conditions[0]
    assert len(conditions) == 1
    assert index.execute("SELECT count(*) FROM words WHERE words MATCH ?", (expression,)).fetchone()[0] < 500


def test_merging_changes_no_answer(index, question_scores):
    merge_words(index)
    assert index.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone() == (1,)
    assert {each: search_words(index, each, 20, Filter()) for each in QUESTIONS} == question_scores
