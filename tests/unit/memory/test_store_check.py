import numpy as np
import pytest

from agentinfra.core.errors import DamagedStore


@pytest.fixture
def store(index_of):
    opened = index_of(
        {"tea.py": "def brew(cups):\n    return cups\n", "README.md": "# Kitchen\n\nWash the cups.\n"}
    ).store
    opened.check()
    return opened


@pytest.mark.parametrize(
    ("spoiling", "why"),
    [
        ("UPDATE chunks SET text = text || ' '", "another text"),
        ("UPDATE chunks SET symbol = 'brewing' WHERE symbol = 'brew'", "another text"),
        ("UPDATE chunks SET file = 99", "chunks without a file"),
        ("DELETE FROM words WHERE rowid = (SELECT min(id) FROM chunks)", "chunks without words"),
        ("DELETE FROM chunks WHERE id = (SELECT min(id) FROM chunks)", "words without a chunk"),
        ("UPDATE definitions SET file = 99", "definitions without a file"),
        ("INSERT INTO uses VALUES (99, 'x', 'call', 1)", "uses without a file"),
        ("DELETE FROM models", "vectors without a model"),
        ("UPDATE vectors SET vector = zeroblob(16)", "vectors of another length"),
        ("UPDATE vectors SET vector = zeroblob(length(vector))", "vectors with other numbers"),
    ],
)
def test_what_is_not_as_it_was_written_is_found(store, spoiling, why):
    store._connection.execute(spoiling)
    with pytest.raises(DamagedStore, match=why):
        store.check()


def test_vectors_of_several_models_are_whole_together(store):
    hashes = store.hashes()
    store.put_vectors("short", hashes, np.full((len(hashes), 4), 0.5, np.float32))
    store.check()
