"""The benchmark of the index's speed with a few hundred chunks; what it measures is the product's own search."""

import numpy as np
import pytest

from agentinfra.memory.store import MemoryStore
from benchmarks.memory_store import LARGE, USUAL, Searched, Times, main, reached
from benchmarks.memory_store_corpus import fill
from benchmarks.memory_store_scans import OURS, Scan, scans


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "memory.db"
    return path, fill(path, 400, 8, seed=7)


def test_it_runs_and_prints_its_tables(capsys):
    main(["--chunks", "300", "--questions", "7"])
    told = capsys.readouterr().out
    assert "300 chunks, 7 questions" in told
    assert told.count("| words, meaning, name |") == 2
    assert f"| {OURS} |" in told


def test_a_seed_makes_the_same_chunks_and_questions(filled, tmp_path):
    path, questions = filled
    assert fill(tmp_path / "again.db", 400, 8, seed=7) == questions
    texts = []
    for each in (path, tmp_path / "again.db"):
        store = MemoryStore.open(each)
        texts.append([(one.path, one.chunk) for name in store.stamps() for one in store.file_chunks(name)])
        store.close()
    assert texts[0] == texts[1]
    assert len(texts[0]) == 400


def test_all_ways_to_scan_are_held_against_the_exact_answer(filled):
    found = scans(*filled)
    recalls = {each.name: each.recall for each in found.scans}
    assert recalls["floats held, numpy"] == recalls["sqlite-vec, floats"] == 1.0
    assert recalls["its bit scan alone"] < recalls[OURS]
    assert found.floor == pytest.approx(400 * 256 * 4 / found.rate / 1e6)


@pytest.mark.parametrize(
    ("chunks", "milliseconds", "scan", "megabytes", "good"),
    [
        (USUAL, 14.0, 2.9, 149.0, True),
        (USUAL, 16.0, 2.9, 149.0, False),
        (USUAL, 14.0, 3.1, 149.0, False),
        (USUAL, 14.0, 2.9, 160.0, False),
        (LARGE, 59.0, 2.9, 149.0, True),
        (LARGE, 61.0, 2.9, 149.0, False),
    ],
)
def test_each_goal_can_be_missed(chunks, milliseconds, scan, megabytes, good):
    times = Times([milliseconds], [milliseconds])
    searched = Searched(times, times, 40.0, megabytes)
    assert reached(chunks, Scan(OURS, scan, scan, 0.9, 2.0), 1.0, searched) is good
    assert np.isclose(float(str(times).split(" | ")[0]), milliseconds)
