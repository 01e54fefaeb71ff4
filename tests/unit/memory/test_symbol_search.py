"""What is found for the letters that somebody types."""

from __future__ import annotations

import pytest

from agentinfra.memory.chunk import Chunk, Definition, ParsedFile
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.symbol_search import find_symbols

SYMBOLS = ("Kettle", "Kettle.fill", "refill", "fill", "f_i_l_l", "filling", "Fall", "brew%", "brew_")


@pytest.fixture
def store(tmp_path):
    store = MemoryStore.open(tmp_path / "memory.db")
    chunk = Chunk(1, 2, "function", "x", "x")
    defined = tuple(Definition(symbol, "function", line, "") for line, symbol in enumerate(SYMBOLS, 1))
    with store.transaction():
        store.put_file("tea.py", FileStamp(1, 1, "b"), ParsedFile("python", (chunk,), defined, ()))
    yield store
    store.close()


def found(store: MemoryStore, query: str, most: int = 50) -> list[str]:
    return [one.symbol for _, one in find_symbols(store, query, most)]


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ("fill", ["fill", "Kettle.fill", "filling", "refill", "f_i_l_l"]),
        ("FILL", ["fill", "Kettle.fill", "filling", "refill", "f_i_l_l"]),
        ("kettle.fill", ["Kettle.fill"]),
        ("kf", ["Kettle.fill"]),
        ("brew_", ["brew_"]),
        ("brew%", ["brew%"]),
        (" fa ll ", ["Fall"]),
        ("!", []),
        ("nothing", []),
    ],
)
def test_the_best_come_first(store, query, symbols):
    assert found(store, query) == symbols


def test_without_letters_all_fit_up_to_the_most(store):
    assert set(found(store, "")) == set(SYMBOLS)
    assert len(found(store, "", 3)) == 3


def test_a_long_query_is_harmless(store):
    assert found(store, "%_" * 100_000) == []
