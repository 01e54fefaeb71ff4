"""The benchmark of indexing with a handful of files and without semble; what it measures is the product's own index."""

from dataclasses import replace

import pytest

from benchmarks.indexing import Measured, goals, main, report
from benchmarks.indexing_measures import Cold, Edited, cold, floor, make_tree

COLD = Cold(cpu=1.0, wall=1.0, files=10, chunks=100, megabytes=100.0)
EDITED = Edited([60.0], [80.0], [20.0], 3, 1.5, 90.0)


def measured(words=0.29, static=0.59, **others):
    shares = {"words": words, "static": static, "semble": 1.0}
    told = {name: [replace(COLD, cpu=share), replace(COLD, cpu=9.0)] for name, share in shares.items()}
    return Measured(**{"floors": [0.1], "cold": told, "restarts": [0.05, 0.2], "edited": EDITED, **others})


def test_it_runs_and_prints_its_tables(capsys):
    counts = ("--files", "12", "--rounds", "1", "--edits", "3", "--rewrites", "20", "--minilm-files", "0")
    main([*counts, "--no-semble"])
    told = capsys.readouterr().out
    assert "12 files of Python" in told
    assert "| parsing alone |" in told
    assert "| words |" in told
    assert "| static |" in told
    assert "indexed 1 times" in told
    assert "semble: not asked for" in told


def test_a_seed_chooses_the_same_files_and_all_are_indexed(tmp_path):
    sizes = [make_tree(tmp_path / name, 8, seed) for name, seed in (("one", 1), ("again", 1), ("other", 2))]
    names = [
        {str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("*.py")}
        for name in ("one", "again", "other")
    ]
    assert (names[0], sizes[0]) == (names[1], sizes[1])
    assert names[0] != names[2]
    made = cold(tmp_path / "one", tmp_path / "data", "words")
    assert 0 < made.files <= 8
    assert made.chunks > 0
    assert made.megabytes > 10
    assert floor(tmp_path / "one") < made.cpu


def test_all_goals_can_be_reached():
    assert report(measured()) == 0
    assert len(goals(measured())) == 6


@pytest.mark.parametrize(
    "worse",
    [
        {"words": 0.31},
        {"static": 0.61},
        {"restarts": [0.11]},
        {"minilm": replace(COLD, megabytes=301.0)},
        {"edited": replace(EDITED, found=[101.0])},
        {"edited": replace(EDITED, passes=11)},
    ],
)
def test_each_goal_can_be_missed(worse, capsys):
    assert report(measured(**worse)) == 1
    assert capsys.readouterr().out.count("MISSED") == 1
