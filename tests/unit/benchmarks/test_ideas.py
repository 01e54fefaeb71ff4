"""The whole benchmark: real processes, the real sandbox, and a model with a script."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import ideas
import pytest
from idea_one_call import OneCallSide
from idea_product import AgentInfraSide

from agentinfra.core.errors import ModelUnavailable
from agentinfra.models.scripted_model import ScriptedModel
from tests.unit.benchmarks.cells import cell
from tests.unit.benchmarks.processes import processes, survivors

HALF = "### levels.py\n```python\ndef mix(first, second):\n    return (first + second) / 2\n```\n"
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import ideas
from idea_product import AgentInfraSide
side = lambda options: [AgentInfraSide(Path(sys.argv[2]), options.model, minutes=options.minutes)]
sys.exit(ideas.main(sys.argv[3:], side))
"""


@pytest.fixture
def bench(tmp_path, cases_folder, command, capsys):
    """Runs the benchmark on the first case and returns its exit code and what it printed."""

    class Bench:
        out = tmp_path / "small.json"
        replies = [HALF] * 9
        asked = 0

        def sides(self, options):
            def model():
                self.asked += 1
                return ScriptedModel([self.replies[self.asked - 1]])

            product = AgentInfraSide(command, options.model, minutes=options.minutes)
            return product, OneCallSide(model, minutes=options.minutes)

        def run(self, *more):
            given = ["--ideas", str(cases_folder), "--out", str(self.out), "--only", "01", "--model", "x:y", *more]
            code = ideas.main(given, self.sides)
            printed = capsys.readouterr()
            return code, printed.out + printed.err

        def cells(self):
            return json.loads(self.out.read_text())["cells"]

    return Bench()


def test_both_sides_are_measured_stored_and_compared(bench):
    code, printed = bench.run("--seeds", "1")
    assert code == 0
    product, one_call = bench.cells()
    assert (product["side"], product["passed"], product["total"], product["seed"]) == ("agentinfra", 3, 3, 1)
    assert (one_call["side"], one_call["passed"], one_call["total"], one_call["tries"]) == ("one-call", 2, 3, 1)
    assert (product["tries"], product["tasks"], product["done"], product["input_tokens"]) == (4, 2, 1, 300)
    assert product["settings"] == {"minutes": 15.0} and len(product["source"]) == len(product["commit"]) == 12
    assert "[2/2] 01-levels, seed 1, one-call: 2/3 tests in 0 s" in printed
    assert "× 1.50" in printed


def test_a_second_run_measures_only_what_is_missing(bench):
    bench.run("--seeds", "1", "--baseline-only")
    code, printed = bench.run("--seeds", "2")
    assert code == 0 and "3 cells to measure" in printed
    assert [(one["side"], one["seed"]) for one in bench.cells()] == [
        ("one-call", 1),
        ("agentinfra", 1),
        ("agentinfra", 2),
        ("one-call", 2),
    ]
    assert "to measure" not in bench.run("--seeds", "2")[1]


class Stored:
    """A store that holds the given cells."""

    def __init__(self, *cells):
        self.cells = cells


@pytest.fixture
def missing(cases_folder, command, levels_case):
    """Names of what is missing beside the one stored cell, for some further options."""

    def find(*more, side="agentinfra"):
        options = ideas.parse(["--ideas", str(cases_folder), "--only", "01", "--seeds", "1", "--model", "x:y", *more])
        sides = {
            "agentinfra": AgentInfraSide(command, options.model, minutes=options.minutes),
            "one-call": OneCallSide(lambda: ScriptedModel([]), minutes=options.minutes),
        }
        settings = {**sides[side].settings, "minutes": 15.0}
        stored = cell(side=side, model="x:y", case_digest=levels_case.digest, settings=settings)
        found = ideas.missing(options, Stored(stored), [sides[side]], ideas.Version("s1", "c9", False))
        return [slot.name for slot in found]

    return find


@pytest.mark.parametrize("side", ["agentinfra", "one-call"])
@pytest.mark.parametrize(
    ("change", "seeds"),
    [(["--minutes", "15"], []), (["--minutes", "3"], [1]), (["--model", "x:z"], [1]), (["--seeds", "3"], [2, 3])],
)
def test_a_cell_is_missing_where_settings_model_or_seed_differ(missing, side, change, seeds):
    assert missing(*change, side=side) == [f"01-levels, seed {seed}, {side}" for seed in seeds]


def test_the_other_side_is_not_missing_where_one_is_wanted(missing):
    assert missing("--baseline-only", "--seeds", "3") == []


def test_a_changed_case_is_missing(missing, cases_folder):
    idea = cases_folder / "01-levels" / "idea.md"
    idea.write_text(idea.read_text() + "More.\n")
    assert missing(side="one-call") == ["01-levels, seed 1, one-call"]


def test_cells_of_another_product_are_missing_unless_any_commit_counts(levels_case, command):
    product = AgentInfraSide(command, "x:y", minutes=15.0)
    stored = Stored(cell(model="x:y", case_digest=levels_case.digest, settings=product.settings))
    folder = str(levels_case.test.parent.parent)

    def find(*more):
        options = ideas.parse(["--ideas", folder, "--only", "01", "--seeds", "1", "--model", "x:y", *more])
        return list(ideas.missing(options, stored, [product], ideas.Version("s2", "c1", False)))

    assert len(find()) == 1 and find("--any-commit") == []


def test_a_model_that_cannot_be_reached_ends_it_and_keeps_what_is_measured(bench):
    bench.replies = [HALF, ModelUnavailable("No server", next_step="Start it")]
    code, printed = bench.run("--seeds", "3", "--baseline-only")
    assert code == 1 and "No server. Start it." in printed
    assert [one["seed"] for one in bench.cells()] == [1]
    bench.replies = [HALF] * 9
    assert bench.run("--seeds", "3", "--baseline-only")[0] == 0
    assert [one["seed"] for one in bench.cells()] == [1, 2, 3]


def test_what_was_built_is_kept_on_demand(bench, tmp_path):
    bench.run("--seeds", "1", "--keep", str(tmp_path / "kept"))
    kept = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert kept == ["01-levels-agentinfra-1", "01-levels-one-call-1"]
    assert (tmp_path / "kept" / kept[0] / "events.jsonl").exists()
    assert (tmp_path / "kept" / kept[1] / "reply.md").read_text() == HALF


def test_nothing_else_is_left_behind(bench, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    bench.run("--seeds", "1")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_table_of_what_is_stored_needs_no_cases(bench, capsys):
    bench.run("--seeds", "1")
    assert ideas.main(["--markdown", "--out", str(bench.out), "--model", "x:y"]) == 0
    assert "| 01-levels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--ideas (or AGENTINFRA_IDEAS) is needed"),
        (["--ideas", ".", "--seeds", "0"], "--seeds"),
        (["--ideas", ".", "--minutes", "nan"], "--minutes"),
        (["--ideas", ".", "--minutes", "-1"], "--minutes"),
        (["--ideas", ".", "--baseline-only", "--product-only"], "not allowed with"),
    ],
)
def test_a_wrong_command_line_is_refused(arguments, said, capsys, monkeypatch):
    monkeypatch.delenv("AGENTINFRA_IDEAS", raising=False)
    with pytest.raises(SystemExit) as ended:
        ideas.parse(arguments)
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_the_folder_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("AGENTINFRA_IDEAS", "/some/where")
    options = ideas.parse(["--only", "01, 05,"])
    assert options.ideas == Path("/some/where") and options.only == ("01", "05")
    assert options.out.name == "local-qwen2.5-coder-1.5b.json"


def test_ctrl_c_keeps_what_is_finished_and_ends_the_run(bench, cases_folder, command, tmp_path):
    bench.run("--seeds", "1", "--product-only")
    (cases_folder / "01-levels" / "idea.md").write_text("---\nstep: 1\n---\nwithout end\n")
    arguments = ["--ideas", str(cases_folder), "--out", str(bench.out), "--only", "01", "--model", "x:y"]
    keep = tmp_path / "kept"
    folder = keep / "01-levels-agentinfra-1"
    program = [sys.executable, "-c", PROGRAM, str(Path(ideas.__file__).parent), str(command), *arguments]
    with subprocess.Popen([*program, "--keep", str(keep)], stderr=subprocess.PIPE, text=True) as running:
        wait_until(lambda: processes(folder))
        running.send_signal(signal.SIGINT)
        complaint = running.communicate(timeout=30)[1]
    assert running.returncode == 130 and "the same command goes on" in complaint
    assert len(bench.cells()) == 1
    assert survivors(folder) == []


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "The run did not begin"
        time.sleep(0.05)


def test_a_package_that_changes_meanwhile_is_not_mixed():
    start = ideas.Version("s1", "c1", False)
    ideas.require_same(start, ideas.Version("s1", "c2", True))
    with pytest.raises(ideas.InputError, match="changed while it was measured"):
        ideas.require_same(start, ideas.Version("s2", "c1", True))


def test_the_rest_is_estimated_from_what_is_measured(levels_case, command):
    product = AgentInfraSide(command, "x:y", minutes=1)
    slots = [ideas.Slot(levels_case, product, seed) for seed in (1, 2)]
    assert ideas.remaining(slots, [cell(seconds=30.0), cell(seconds=90.0)]) == "; about 2:00 to go"
    assert ideas.remaining(slots, [cell(side="one-call")]) == "; 2 to go"
    assert ideas.remaining([], []) == ""
