import os
import stat

import numpy as np
import pytest

from agentinfra.core.errors import StoreError
from agentinfra.memory import store_vectors
from agentinfra.memory.chunk import Chunk, Definition, ParsedFile, Reference
from agentinfra.memory.database import open_database
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory

STAMP = FileStamp(1, 2, "aa")


def chunk(symbol, text, start=1, kind="function"):
    return Chunk(start, start + text.count("\n"), kind, symbol, text)


BREW = chunk("Kettle.brewTea", "def brewTea(self):\n    boil the water", 3)
WASH = chunk("wash", "def wash(cup):\n    return clean(cup)", 8)
PARSED = ParsedFile(
    "python",
    (BREW, WASH),
    (Definition("Kettle.brewTea", "method", 3, "def brewTea(self)"),),
    (Reference("clean", "call", 9),),
)


@pytest.fixture
def store(tmp_path):
    opened = MemoryStore.open(tmp_path / "index.db")
    with opened.transaction():
        opened.put_file("src/tea.py", STAMP, PARSED)
    yield opened
    opened.close()


def ids(found):
    return [number for number, _ in found]


def symbols(store, found):
    held = store.chunks(ids(found))
    return [held[number].chunk.symbol for number in ids(found)]


@pytest.mark.parametrize("query", ["brew", "brew tea", "brewTea", "BOILING water", '"boil* OR (', "Kettle"])
def test_words_are_found_whatever_their_form(store, query):
    assert symbols(store, store.search_text(query, 5))[:1] == ["Kettle.brewTea"]


@pytest.mark.parametrize("query", ["", "   ", "zebra", '"', "AND"])
def test_what_is_not_there_is_not_found(store, query):
    assert store.search_text(query, 5) == []


def test_the_name_counts_more_than_the_body(store):
    store.put_file("b.py", STAMP, ParsedFile("python", (chunk("other", "brew brew brew of many words and more"),)))
    assert symbols(store, store.search_text("brew", 5)) == ["Kettle.brewTea", "other"]


def test_filters_hold_for_words_and_vectors(store):
    store.put_file("doc.md", STAMP, ParsedFile("markdown", (chunk("Tea", "brew it", kind="section"),)))
    store.put_vectors("m", [BREW.hash, WASH.hash], np.eye(2, 16, dtype=np.float32))
    assert symbols(store, store.search_text("brew", 5, paths="src/*")) == ["Kettle.brewTea"]
    assert symbols(store, store.search_text("brew", 5, kinds=["section", "class"])) == ["Tea"]
    assert store.search_text("brew", 5, kinds=["sect"]) == []
    vector = np.eye(2, 16, dtype=np.float32)[1]
    assert symbols(store, store.search_vector("m", vector, 1)) == ["wash"]
    assert store.search_vector("m", vector, 5, paths="doc*") == []
    assert len(store.search_vector("m", vector, 5, kinds=["function"])) == 2


def test_a_filter_does_not_search_the_words_again_for_each_chunk(store):
    asked = []
    store._connection.exec_trace = lambda _, sql, bound: asked.append((sql, bound)) or True
    store.search_text("brew", 5, paths="src/*", kinds=["function"])
    store._connection.exec_trace = None
    ((sql, bound),) = [each for each in asked if "bm25" in each[0]]
    plan = [row[-1] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {sql}", bound)]
    assert plan[0] == "SCAN words VIRTUAL TABLE INDEX 0:M3"  # 0:=M3 where each chunk is asked for


def test_bits_and_whole_vectors_give_the_same_order(store, monkeypatch):
    random = np.random.default_rng(5)
    many = tuple(chunk(f"f{number}", f"text {number}", number + 1) for number in range(60))
    store.put_file("many.py", STAMP, ParsedFile("python", many))
    vectors = random.normal(size=(60, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store.put_vectors("m", [one.hash for one in many], vectors)
    query = vectors[7]
    found = store.search_vector("m", query, 5)
    assert symbols(store, found) == [f"f{at}" for at in np.argsort(-(vectors @ query))[:5]]
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)
    monkeypatch.setattr(store_vectors, "has_vectors", lambda _: False)  # as where sqlite-vec cannot be loaded
    plain = store_vectors.StoreVectors(store._connection)
    assert plain.search("m", query, 5, store_vectors.Filter()) == found


def test_vectors_of_texts_that_are_gone_are_kept_up_to_a_bound(store, monkeypatch):
    monkeypatch.setattr(store_vectors, "KEPT_LEAST", 3)
    texts = [chunk(f"f{number}", f"text {number}") for number in range(9)]
    hashes = [one.hash for one in texts]
    for one in texts:
        store.put_file("gone.py", STAMP, ParsedFile("python", (one,)))
        store.put_vectors("m", [one.hash], np.ones((1, 16), dtype=np.float32))
    store.put_vectors("m", [BREW.hash, WASH.hash], np.eye(2, 16, dtype=np.float32))
    assert len(store.vectors("m", hashes)) == 9
    assert store.drop_unused_vectors() == 2  # of eleven, two for each of three chunks and three more are kept
    assert set(store.vectors("m", hashes)) == set(hashes[2:])
    assert store.drop_unused_vectors() == 0
    monkeypatch.setattr(store_vectors, "KEPT_LEAST", -100)
    store.drop_unused_vectors()
    assert set(store.vectors("m", [*hashes, BREW.hash])) == {hashes[-1], BREW.hash}  # what is in use stays
    assert store.missing_vectors("m") == []


async def test_an_index_of_changed_files_drops_them(tmp_path, monkeypatch):
    monkeypatch.setattr(store_vectors, "KEPT_LEAST", 0)
    root = tmp_path / "workspace"
    root.mkdir()
    memory = WorkspaceMemory.open(root, data=tmp_path / "data")
    try:
        for number in range(6):
            (root / "one.py").write_text(f"def f{number}():\n    return {number}\n")
            await memory.index()
        held = await memory._store.run(
            lambda store: store._connection.execute("SELECT count(*) FROM vectors").fetchone()
        )
        assert held == (2,)
    finally:
        await memory.aclose()


def test_an_edit_keeps_the_numbers_and_vectors_of_what_it_left(store):
    store.put_vectors("m", [BREW.hash, WASH.hash], np.eye(2, 16, dtype=np.float32))
    before = {one.chunk.symbol: one.id for one in store.file_chunks("src/tea.py")}
    moved = Chunk(20, 21, "function", "wash", WASH.text)
    new = chunk("pour", "def pour(): pass", 30)
    assert store.put_file("src/tea.py", STAMP, ParsedFile("python", (moved, new))) == 1
    after = {one.chunk.symbol: one for one in store.file_chunks("src/tea.py")}
    assert set(after) == {"wash", "pour"}
    assert (after["wash"].id, after["wash"].chunk.start) == (before["wash"], 20)
    assert store.missing_vectors("m") == [new.hash]
    assert store.search_text("boil", 5) == []
    assert ids(store.search_vector("m", np.eye(2, 16, dtype=np.float32)[0], 9)) == [before["wash"]]
    # what comes back is found at once: its vector was kept
    store.put_file("src/tea.py", STAMP, PARSED)
    assert symbols(store, store.search_vector("m", np.eye(2, 16, dtype=np.float32)[0], 1)) == ["Kettle.brewTea"]


def test_names_are_known_with_their_places(store):
    assert [path for path, _ in store.definitions("brewTea")] == ["src/tea.py"]
    assert store.definitions("Kettle.brewTea") == store.definitions(path="src/tea.py")
    assert store.definitions("Kettle") == []
    assert store.references("clean") == [("src/tea.py", Reference("clean", "call", 9))]
    assert store.references(path="other.py") == []


def test_the_chunk_of_a_line(store):
    assert store.chunk_at("src/tea.py", 4).chunk == BREW
    assert store.chunk_at("src/tea.py", 1) is None


def test_files_that_go_take_everything_along(store):
    store.remove_files(["src/tea.py", "never.py"])
    assert (store.stamps(), store.search_text("brew", 5), store.definitions(), store.references()) == ({}, [], [], [])


def test_words_of_many_files_are_written_down_once_a_transaction(store):
    with store.transaction():
        for number in range(20):
            store.put_file(f"{number}.py", STAMP, ParsedFile("python", (chunk(f"made{number}", f"word{number}"),)))
    runs = "SELECT count(DISTINCT segid) FROM words_idx"
    assert store._rows(runs) == [(2,)]  # with that of the fixture
    store.merge_words()
    assert store._rows(runs) == [(1,)]
    assert symbols(store, store.search_text("word7", 5))[:1] == ["made7"]


def test_stamps_of_a_folder_are_those_of_what_is_in_it(store):
    names = ["a", "a/b", "a/b/c.py", "a/\udcff", "a0", "a-", "a.py", "b/a"]
    for name in names:
        store.put_skipped(name, STAMP, "of no use")
    assert set(store.stamps_at(["a"])) == {"a", "a/b", "a/b/c.py", "a/\udcff"}
    assert store.stamps_at(["src/tea.py", "nothing"]) == {"src/tea.py": STAMP}
    assert (store.count_files(), len(store.stamps())) == (1, len(names) + 1)


def test_a_file_that_is_left_out_is_known_and_not_found(store):
    store.put_skipped("src/tea.py", STAMP, "generated")
    assert store.skipped() == {"src/tea.py": "generated"}
    assert store.search_text("brew", 5) == []


def test_any_bytes_make_a_name(store):
    name = os.fsdecode(b"caf\xe9\xff.py")
    store.put_file(name, STAMP, ParsedFile("python", (chunk("x", "unheard of"),)))
    assert name in store.stamps()
    assert store.file_chunks(name)[0].path == name


def test_what_is_forgotten_leaves_no_byte(store, tmp_path):
    secret = "zqxjkvbp"
    store.put_file("s.py", STAMP, ParsedFile("python", (chunk(secret, f"def {secret}(): pass"),)))
    store.put_vectors("m", [chunk(secret, f"def {secret}(): pass").hash], np.ones((1, 16), dtype=np.float32))
    assert any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())
    store.forget()
    store.close()
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())
    assert MemoryStore.open(tmp_path / "index.db").stamps() == {}


def test_a_transaction_that_fails_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.remove_files(["src/tea.py"])
        raise ZeroDivisionError
    assert "src/tea.py" in store.stamps()


def test_a_reader_beside_a_writer(store, tmp_path):
    reader = MemoryStore.open(tmp_path / "index.db", read_only=True)
    with store.transaction():
        store.remove_files(["src/tea.py"])
        assert "src/tea.py" in reader.stamps()
    assert reader.stamps() == {}
    reader.close()


def test_the_file_is_the_users_alone(store, tmp_path):
    assert stat.S_IMODE((tmp_path / "index.db").stat().st_mode) == 0o600


def test_no_database_and_a_newer_one_are_refused(tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, " * 100)
    with pytest.raises(StoreError, match="is damaged"):
        MemoryStore.open(broken)
    newer = tmp_path / "newer.db"
    connection = open_database(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="version 99"):
        MemoryStore.open(newer)
