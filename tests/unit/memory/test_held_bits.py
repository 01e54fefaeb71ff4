"""The bits as sqlite-vec keeps them, scanned here."""

import numpy as np
import pytest

from agentinfra.memory.chunk import Chunk, ParsedFile
from agentinfra.memory.database import open_database
from agentinfra.memory.held_bits import bits_of, read_bits
from agentinfra.memory.store import FileStamp, MemoryStore


@pytest.fixture
def table(tmp_path):
    def make(vectors):
        connection = open_database(tmp_path / f"{len(opened)}.db")
        opened.append(connection)
        connection.execute(f"CREATE VIRTUAL TABLE bits USING vec0(bits bit[{-(-vectors.shape[1] // 8) * 8}])")
        for number, vector in enumerate(vectors, 1):
            connection.execute("INSERT INTO bits (rowid, bits) VALUES (?, vec_bit(?))", (number, bits_of(vector)))
        return connection

    opened = []
    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def store(tmp_path):
    opened = MemoryStore.open(tmp_path / "index.db")
    yield opened
    opened.close()


def put(store, number, vector):
    chunk = Chunk(1, 1, "function", f"f{number}", f"text {number}")
    store.put_file(f"{number}.py", FileStamp(1, 1), ParsedFile("python", (chunk,)))
    store.put_vectors("m", [chunk.hash], np.array([vector], np.float32) / np.linalg.norm(vector))


def found(store, vector):
    held = store.search_vector("m", np.array(vector, np.float32), 9)
    return [store.chunks([number])[number].chunk.symbol for number, _ in held]


@pytest.mark.parametrize("dimensions", [8, 16, 100, 256])
def test_the_nearest_are_those_of_sqlite_vec(table, dimensions):
    random = np.random.default_rng(1)
    vectors = random.normal(size=(1500, dimensions)).astype(np.float32)  # more than a block of sqlite-vec holds
    connection = table(vectors)
    for number in (1, 700, 1024, 1025, 1500):
        connection.execute("DELETE FROM bits WHERE rowid = ?", (number,))
    held = read_bits(connection, "bits")
    sql = "SELECT rowid, distance FROM bits WHERE bits MATCH vec_bit(?) AND k = 20"
    for vector in vectors[:10]:
        theirs = {number: int(apart) for number, apart in connection.execute(sql, (bits_of(vector),))}
        ours = [int(np.sum((vectors[number - 1] > 0) != (vector > 0))) for number in held.nearest(vector, 20)]
        assert ours == sorted(theirs.values())
    assert sorted(held.nearest(vectors[0], 5000)) == sorted(set(range(1, 1501)) - {1, 700, 1024, 1025, 1500})


def test_the_nearest_among_some(table):
    random = np.random.default_rng(2)
    vectors = random.normal(size=(300, 64)).astype(np.float32)
    held = read_bits(table(vectors), "bits")
    some = {5, 17, 250, 999}
    found = held.among(some).nearest(vectors[16], 10)
    assert found[0] == 17
    assert set(found) == {5, 17, 250}
    assert held.among([]).nearest(vectors[16], 10) == []


def test_an_empty_table_has_no_nearest(table):
    held = read_bits(table(np.empty((0, 16), np.float32)), "bits")
    assert held.nearest(np.ones(16, np.float32), 5) == []


def test_what_this_and_other_connections_write_is_found_at_once(store, tmp_path):
    put(store, 1, [1, 1, -1, -1, 1, 1, 1, 1])
    assert found(store, [1] * 8) == ["f1"]
    put(store, 2, [1] * 8)
    assert found(store, [1] * 8) == ["f2", "f1"]
    other = MemoryStore.open(tmp_path / "index.db")
    put(other, 3, [1, 1, 1, 1, 1, 1, 1, -1])
    assert found(store, [1] * 8) == ["f2", "f3", "f1"]
    other.remove_files(["2.py"])
    other.close()
    assert found(store, [1] * 8) == ["f3", "f1"]
    store.forget()
    assert found(store, [1] * 8) == []


def test_what_is_rolled_back_is_not_held(store):
    put(store, 1, [1, 1, 1, 1, 1, 1, 1, -1])
    with pytest.raises(ZeroDivisionError), store.transaction():
        put(store, 2, [1] * 8)
        assert found(store, [1] * 8) == ["f2", "f1"]
        raise ZeroDivisionError
    put(store, 3, [1, 1, 1, 1, 1, 1, -1, -1])
    assert found(store, [1] * 8) == ["f1", "f3"]
