"""The runner of the suites: what it counts, and what it does not let pass."""

import sys
import time
from pathlib import Path

import pytest

PASSING = "def test_passes():\n    assert True\n"
FAILING = "def test_fails():\n    assert False\n"
SKIPPED = "import pytest\n\n@pytest.mark.skip\ndef test_skipped():\n    assert True\n"
BROKEN = "import no_such_module\n"


@pytest.fixture
def suites(checkout):
    """A checkout with an environment whose commands are the real pytest and tools that only succeed."""
    commands = checkout.root / ".venv" / "bin"
    commands.mkdir(parents=True)
    (commands / "pytest").symlink_to(Path(sys.executable).with_name("pytest"))
    for name in ("ruff", "pyright", "lint-imports"):
        checkout.write(f".venv/bin/{name}", "#!/bin/sh\nexit 0\n", executable=True)
    checkout.write("tests/unit/test_unit.py", PASSING)
    checkout.write("tests/server/test_server.py", PASSING)
    return checkout


def row(output, suite):
    return next(line.split() for line in output.splitlines() if line.startswith(suite + " "))


def test_passing_suites_are_counted_against_their_shares(suites):
    code, output = suites.script("run_suites.py", "unit", "server")
    assert code == 0
    assert output.splitlines()[-1] == "2 passed, 0 failed"
    assert row(output, "unit")[2:] == ["340", "1", "0"]
    assert row(output, "server")[2:] == ["310", "1", "0"]
    assert row(output, "total")[2:] == ["650"]


@pytest.mark.parametrize(
    ("source", "problem", "closing"),
    [
        (FAILING, "1 failed", "2 passed, 1 failed"),
        (SKIPPED, "1 skipped: a test that does not run proves nothing", "2 passed, 1 failed"),
        (BROKEN, "1 failed", "2 passed, 1 failed"),
    ],
    ids=["failing", "skipped", "broken"],
)
def test_what_is_not_good_enough_fails_the_whole_and_the_rest_still_runs(suites, source, problem, closing):
    suites.write("tests/unit/test_more.py", source)
    code, output = suites.script("run_suites.py", "unit", "server")
    assert code == 1
    assert problem in " ".join(row(output, "unit"))
    assert row(output, "server")[3] == "1"
    assert output.splitlines()[-1] == closing


def test_a_suite_without_tests_fails(suites):
    (suites.root / "tests" / "server" / "test_server.py").unlink()
    code, output = suites.script("run_suites.py", "server")
    assert code == 1
    assert "ran no test" in output
    assert output.splitlines()[-1] == "0 passed, 1 failed"


def test_a_failed_check_is_named_and_the_other_checks_still_run(suites):
    suites.write(".venv/bin/ruff", "#!/bin/sh\nexit 1\n", executable=True)
    suites.write(".venv/bin/lint-imports", "#!/bin/sh\necho layers kept\n", executable=True)
    code, output = suites.script("run_suites.py", "check", "unit")
    assert code == 1
    assert row(output, "check")[3:] == ["2", "failed:", "ruff,", "ruff"]
    assert "layers kept" in output
    assert output.splitlines()[-1] == "1 passed, 2 failed"


def test_after_a_failed_setup_nothing_runs(suites):
    suites.write("scripts/setup.py", "raise SystemExit(1)")
    code, output = suites.script("run_suites.py")
    assert code == 1
    assert "== check" not in output


@pytest.mark.parametrize(
    ("code", "closing"), [(0, "1 passed, 0 failed"), (1, "0 passed, 1 failed")], ids=["prepared", "not prepared"]
)
def test_what_a_suite_needs_is_brought_before_its_tests_run(suites, code, closing):
    suites.write("scripts/setup.py", f"import pathlib, sys\npathlib.Path(sys.argv[1]).touch()\nsys.exit({code})\n")
    suites.write(".venv/bin/agentinfra", "#!/bin/sh\nexit 0\n", executable=True)
    suites.write("tests/vscode/test_editor.py", "def test_ready():\n    open('--vscode').close()\n")
    ended, output = suites.script("run_suites.py", "vscode")
    assert (ended, output.splitlines()[-1]) == (code, closing)


def test_a_suite_that_hangs_is_ended_with_its_children(suites):
    path = suites.root / "scripts" / "run_suites.py"
    path.write_text(path.read_text().replace('Suite("conformance", 60', 'Suite("conformance", 2'))
    alive = suites.root / "alive"
    child = f"import time, pathlib\nwhile True: pathlib.Path({str(alive)!r}).touch(); time.sleep(0.05)"
    hanging = f"import subprocess, sys\n\ndef test_hangs():\n    subprocess.run([sys.executable, '-c', {child!r}])\n"
    suites.write("tests/conformance/test_hanging.py", hanging)

    code, output = suites.script("run_suites.py", "conformance")

    assert code == 1
    assert "Stopped: it took too long." in output
    assert "over its share" in " ".join(row(output, "conformance"))
    alive.unlink()
    time.sleep(0.3)
    assert not alive.exists()


def test_an_unknown_suite_is_refused_with_the_known_ones(suites):
    code, output = suites.script("run_suites.py", "units")
    assert code == 2
    assert output == "No suite units; there are setup, check, unit, conformance, server, e2e, model, live, vscode\n"


def test_the_shares_fill_twenty_minutes(suites):
    shares = "sum(one.share for one in run_suites.suites() if not one.on_request)"
    show = f"import sys; sys.path.insert(0, 'scripts'); import run_suites; print({shares})"
    code, output = suites.run(sys.executable, "-c", show)
    assert (code, int(output)) == (0, 20 * 60)
