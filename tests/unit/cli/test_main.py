import io
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentinfra import __version__
from agentinfra.cli.main import commands, report_error
from agentinfra.core.errors import InputError

COMMAND = Path(sys.executable).with_name("agentinfra")
HEAVY = {"openai", "anthropic", "dbos", "xllamacpp", "git", "playwright", "sqlite_vec", "watchdog", "pydantic", "pygls"}
VERBS = ("plan", "resume", "replay", "status", "report", "proof", "patch", "accept", "reject", "undo", "stop", "models")


def agentinfra(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False)


def test_the_version_is_printed() -> None:
    result = agentinfra("--version")
    assert (result.returncode, result.stdout) == (0, f"agentinfra {__version__}\n")


def test_help_needs_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from agentinfra.cli.main import main\n"
        "sys.argv = ['agentinfra', '--help']\n"
        "try:\n    main()\n"
        "finally:\n    print('LOADED', *sys.modules, file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    loaded = set(result.stderr.split("LOADED", 1)[1].split())
    assert "agentinfra.cli.main" in loaded
    assert not loaded & HEAVY
    assert "agentinfra.app" not in loaded


def test_help_names_every_verb_and_the_exit_codes() -> None:
    result = CliRunner().invoke(commands, ["--help"])
    assert result.exit_code == 0
    assert all(verb in result.output for verb in VERBS)
    assert "130" in result.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(commands, [verb, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_an_error_is_told_on_standard_error_without_a_traceback() -> None:
    result = agentinfra("plan", "")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "✗ The idea is empty\n" in result.stderr
    assert "next: Say in a sentence" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("wrong", [["bogus"], ["plan", "--budget-minutes", "soon"], ["undo"], ["report", "--nope"]])
def test_wrong_usage_is_refused(wrong: list[str]) -> None:
    assert CliRunner().invoke(commands, wrong).exit_code == 2


def test_an_error_tells_what_why_and_next_and_nothing_a_terminal_obeys() -> None:
    stream = io.StringIO()
    error = InputError("There is no \x1b[31mfile[/b]", why="It was [bold]moved", next_step="Pass another\u202e")
    assert report_error(error, stream) == 2
    assert stream.getvalue() == "✗ There is no file[/b]\n  why:  It was [bold]moved\n  next: Pass another\n"


def test_an_unexpected_error_is_short_and_its_traceback_kept(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from agentinfra.cli import main\n"
        "def fail():\n    raise KeyError('surprise')\n"
        "main.commands = fail\n"
        "sys.exit(main.main())\n"
    )
    environment = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert result.returncode == 1
    assert "Something unexpected happened: 'surprise'" in result.stderr
    assert "Traceback" not in result.stderr
    (kept,) = tmp_path.iterdir()
    assert str(kept) in result.stderr
    assert "in fail" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_terminal_without_unicode_shows_an_error_all_the_same() -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [COMMAND, "plan", ""], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert result.returncode == 2
    assert "The idea is empty" in result.stderr
