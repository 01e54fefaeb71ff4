"""The comparison with other frameworks: what is measured is the job, and the goals can be missed."""

import subprocess
import sys

import pytest

from benchmarks import frameworks

FLOOR = {"import": 0.05, "ready": 0.05, "construct": 1e-4, "run": 5e-6, "memory": 4000.0, "flat": 0.0}
FLOOR |= {"many-50": 80_000.0, "many-1000": 80_000.0}
GOOD = {**FLOOR, "import": 0.1, "run": 4e-5, "many-50": 20_000.0, "many-1000": 20_000.0}
RIVAL = {**FLOOR, "many-1000": 1_000.0}


@pytest.mark.parametrize("module", [frameworks.FLOOR, frameworks.OURS])
@pytest.mark.parametrize("kind", ["ready", "run", "many-50"])
def test_a_contestant_does_the_job_and_is_measured(module, kind):
    assert frameworks.measure(sys.executable, kind, module) > 0


def test_a_contestant_that_does_not_run_the_tool_is_told(tmp_path):
    lazy = tmp_path / "lazy.py"
    lazy.write_text("import task\n\nmake = object\n\n\nasync def run(agent):\n    return task.ANSWER\n")
    code = f"import sys; sys.path[:0] = [{str(frameworks.HERE)!r}, {str(tmp_path)!r}]; import measure; "
    command = [sys.executable, "-c", code + "measure.main('run', 'lazy')"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "did not do the job" in done.stderr


def test_all_goals_met(capsys):
    figures = {frameworks.FLOOR: FLOOR, frameworks.OURS: GOOD, "rival": RIVAL}
    assert frameworks.show_goals(figures) == 0
    assert "MISSED" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("worse", "told"),
    [
        ({"run": 6e-5}, "one-tool run, times the plain loop: 12.00 (goal ≤ 10) MISSED"),
        ({"import": 0.2}, "import, times the plain loop's: 4.00 (goal ≤ 2.5) MISSED"),
        ({"many-1000": 7_000.0}, "the best rival's rate: 7.00 (goal ≥ 8) MISSED"),
        ({"memory": 6_000.0}, "kB an agent: 6.00 (goal ≤ 5) MISSED"),
        ({"flat": 3e6}, "MB grown over 10,000 runs: 3.00 (goal ≤ 2) MISSED"),
    ],
)
def test_a_missed_goal_is_told(worse, told, capsys):
    figures = {frameworks.FLOOR: FLOOR, frameworks.OURS: {**GOOD, **worse}, "rival": RIVAL}
    assert frameworks.show_goals(figures) == 1
    assert told in capsys.readouterr().out


def test_the_table_shows_ratios_to_the_floor_losses_included():
    line = frameworks.table({frameworks.FLOOR: FLOOR, "rival": RIVAL}).splitlines()[-1]
    assert line.startswith("| rival | 50.0 (1.0) |")
    assert "1,000 (80.0)" in line
