"""Tiny cases of the idea benchmark, a model with a script, and a command in the place of ``agentinfra``."""

import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))

from idea_cases import load_cases  # noqa: E402

LEVELS_TEST = """
    import importlib, os, sys
    sys.path.insert(0, os.getcwd())
    import pytest

    @pytest.fixture
    def levels():
        return importlib.import_module("levels")

    @pytest.mark.parametrize("first, second, mean", [(0, 2, 1), (4, 4, 4)])
    def test_mix(levels, first, second, mean):
        assert levels.mix(first, second) == mean

    def test_negative(levels):
        with pytest.raises(ValueError):
            levels.mix(-1, 1)
"""
ECHO_TEST = """
    import http.client, http.server, os, pathlib, sqlite3, subprocess, sys, threading

    ROOT = os.getcwd()

    def test_a_server_on_this_machine():
        sys.path.insert(0, ROOT)
        import echo
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), echo.Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
        connection.request("GET", "/word")
        assert connection.getresponse().read() == b"/word"
        server.shutdown()

    def test_a_process_and_a_database(tmp_path):
        file = tmp_path / "x.db"
        command = [sys.executable, "-m", "echo", str(file)]
        subprocess.run(command, check=True, timeout=15, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT})
        assert sqlite3.connect(file).execute("select name from words").fetchall() == [("hello",)]
"""


@pytest.fixture
def cases_folder(tmp_path):
    """A folder with two cases: a module of one function, and a server with a command line."""
    write_case(tmp_path / "cases" / "01-levels", 1, "Write `levels.py` with mix(first, second).", LEVELS_TEST)
    write_case(tmp_path / "cases" / "02-echo", 3, "Write `echo.py`: a server and a database.", ECHO_TEST)
    return tmp_path / "cases"


@pytest.fixture
def command(tmp_path):
    """A command that does what ``agentinfra plan`` does, as far as it is seen from outside."""
    path = tmp_path / "bin" / "agentinfra"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("agentinfra_double.py").read_text())
    path.chmod(0o755)
    return path


@pytest.fixture
def levels_case(cases_folder):
    return load_cases(cases_folder, ["01"])[0]


def write_case(folder, step, idea, test):
    folder.mkdir(parents=True)
    (folder / "idea.md").write_text(f"---\nstep: {step}\n---\n{idea}\n")
    (folder / "acceptance_test.py").write_text(textwrap.dedent(test))
