"""``agentinfra context`` on a real index, memory and log; only the run is written by hand."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agentinfra.app import App
from agentinfra.cli.main import commands
from agentinfra.core.errors import ConfigError, InputError
from agentinfra.core.events import EventDraft
from agentinfra.core.token_estimate import text_tokens
from agentinfra.workflow.unattended import Unattended
from tests.unit.run_events import RUN, RunEvents, task

SPEC = """---
id: 261122-hikes
status: draft
approved:
---
# Day hikes

## Requirements

### FR-1 · Walking time

How long a hike takes, from its length and the metres up.

File: `pace.py`

Acceptance:

- `walking_time(8, 400)` returns `2.8`

### FR-2 · Time as text

Minutes as people write them.
"""
FILES = {
    "pace.py": "from metres import climb\n\n\ndef walking_time(length, up):\n    return length / 4 + climb(up)\n",
    "metres.py": "def climb(up):\n    '''Hours that metres up take.'''\n    return up / 500\n",
    "web/clock.py": "def hours_of_a_hike(start, end):\n    return end - start\n",
}
Run = Callable[..., Result]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENTINFRA_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text('[index]\nembedder = "static"\n')
    folder = tmp_path / "hikes"
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def run(workspace: Path) -> Run:
    return lambda *words: CliRunner().invoke(commands, [*words, "--workspace", str(workspace)])


@pytest.fixture
def planned(workspace: Path) -> None:
    app = App(workspace, Unattended())
    told = RunEvents().begin().planned(task("T-1", "Walking time", "FR-1"), task("T-2", "Text", "FR-2"))
    for event in told.events:
        app.log.append(RUN, EventDraft(event.kind, event.data, event.agent))
    folder = app.folder / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "spec.md").write_text(SPEC)
    asyncio.run(app.aclose())


@pytest.mark.usefixtures("planned")
def test_a_task_gets_its_part_of_the_specification_its_files_and_what_they_use(run: Run) -> None:
    run("memory", "add", "A hike is measured in kilometres.", "--kind", "rule", "--subject", "walking time")
    answer = json.loads(run("context", "T-1", "--tokens", "2000", "--json").stdout)
    found = {piece["source"]: piece for piece in answer["pieces"]}
    kinds = {source: piece["kind"] for source, piece in found.items()}
    assert (kinds["spec.md:10-18"], kinds["pace.py:1-5"], kinds["memory"]) == ("spec", "file", "lessons")
    assert (kinds["metres.py:1-3"], kinds["web/clock.py:1-2"]) == ("used", "similar")
    assert found["metres.py:1-3"]["reasons"] == ["climb is used by pace.py"]
    assert found["spec.md:10-18"]["text"].splitlines()[0] == "### FR-1 · Walking time"
    assert "kilometres" in found["memory"]["text"]
    assert "FR-2" not in str(found)
    assert 0 < answer["tokens"] <= 2000


def test_a_question_gets_code_that_fits_and_what_it_uses_within_the_tokens(run: Run) -> None:
    result = run("context", "how long does walking take", "--tokens", "120")
    assert result.exit_code == 0
    assert "=== similar pace.py:1-5 (fits the question) ===\nfrom metres import climb\n" in result.stdout
    assert text_tokens(result.stdout) <= 120
    assert len(run("context", "how long does walking take").stdout) > len(result.stdout)


@pytest.mark.usefixtures("planned")
def test_the_index_is_brought_up_to_date_first(run: Run, workspace: Path) -> None:
    run("context", "T-1")
    (workspace / "pace.py").write_text("def walking_time(length, up):\n    return 'as long as it takes'\n")
    assert "as long as it takes" in run("context", "T-1").stdout


def test_what_a_terminal_would_act_on_is_not_printed(run: Run, workspace: Path) -> None:
    (workspace / "red.py").write_text("def alarm():\n    return '\x1b[31mred\x07'\n")
    shown = run("context", "alarm").stdout
    assert "return '" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


@pytest.mark.usefixtures("planned")
def test_an_unknown_task_is_told_with_those_that_are_known(run: Run) -> None:
    error = run("context", "T-9").exception
    assert isinstance(error, InputError)
    assert (error.what, error.why) == (f"T-9 is no task of run {RUN}", "Its tasks are T-1, T-2")


def test_a_task_without_a_run_says_how_to_start_one(run: Run) -> None:
    error = run("context", "T-1").exception
    assert isinstance(error, InputError)
    assert "no run" in error.what
    assert "agentinfra plan" in error.next_step


def test_a_run_goes_with_a_task_alone(run: Run) -> None:
    assert isinstance(run("context", "how", "--run", RUN).exception, InputError)


def test_where_nothing_is_indexed_it_says_what_to_do(run: Run, workspace: Path) -> None:
    for name in FILES:
        (workspace / name).unlink()
    error = run("context", "how long").exception
    assert isinstance(error, InputError)
    assert "agentinfra index" in error.next_step


def test_what_fits_into_too_few_tokens_is_nothing(run: Run) -> None:
    result = run("context", "how long", "--tokens", "3")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Nothing fits into 3 tokens" in result.stderr


@pytest.mark.usefixtures("planned")
def test_a_specification_that_is_no_text_is_told(run: Run, tmp_path: Path) -> None:
    (spec,) = (tmp_path / "data").rglob("spec.md")
    spec.write_bytes(b"\xff\xfe\xff")
    error = run("context", "T-1").exception
    assert isinstance(error, InputError)
    assert "spec.md cannot be read" in error.what


def test_a_setting_that_is_unknown_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[index]\nembedder = "oracle"\n')
    assert isinstance(run("context", "how long").exception, ConfigError)
