"""A few kills and damages of the soak; the benchmark itself does a hundred."""

from agentinfra.memory.database import open_database
from benchmarks.index_soak import run_damages, run_files, run_kills
from benchmarks.index_soak_workspace import faults


def test_an_index_outlives_kills_and_equals_one_made_in_peace(tmp_path):
    soak = run_kills(tmp_path, 4, 60, seed=3)
    assert soak.wrong == []
    assert soak.stages.total() == 4
    assert soak.stages["learnt"] + soak.stages["indexed"] + soak.stages["begun"] > 0  # not all came too late


def test_an_index_and_its_lessons_outlive_damage(tmp_path):
    soak = run_damages(tmp_path, 6, 20, seed=3)
    assert soak.wrong == []
    assert soak.stages["noticed"] > 0


def test_a_fault_would_be_seen(tmp_path):
    assert run_damages(tmp_path, 1, 5, seed=1).wrong == []
    (path,) = tmp_path.glob("data/workspaces/*/memory.db")
    connection = open_database(path)
    connection.execute("DELETE FROM words WHERE rowid = (SELECT min(id) FROM chunks)")
    connection.close()
    assert faults(path) == ["chunks without words"]


def test_many_small_files_are_measured(tmp_path):
    assert run_files(tmp_path, 50, pause=0).startswith("50 files: first: ")
