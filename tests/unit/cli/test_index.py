import json

import pytest
from typer.testing import CliRunner

from agentinfra.cli.main import commands


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENTINFRA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = tmp_path / "workspace"
    place.mkdir()
    (place / "tea.py").write_text("def brew(cups):\n    return cups * 2\n")
    (place / "logo.png").write_bytes(b"\0\1\2")
    return lambda *words: CliRunner().invoke(commands, [*words, "--workspace", str(place)])


def test_index_tells_what_it_did_and_what_it_left_out(run):
    result = run("index", "--skipped")
    assert result.exit_code == 0
    assert "1 files indexed: 1 anew, 0 gone, 1 left out" in result.stdout
    assert "logo.png: " in result.stdout
    again = json.loads(run("index", "--json").stdout)
    assert (again["files"], again["changed"]) == (1, 0)


def test_search_indexes_first_and_shows_place_and_text(run):
    result = run("search", "brew cups")
    assert result.exit_code == 0
    assert result.stdout.startswith("tea.py:1-2 brew\n    def brew(cups):\n")
    (hit,) = json.loads(run("search", "brew", "-k", "1", "--json").stdout)
    assert (hit["path"], hit["symbol"]) == ("tea.py", "brew")


def test_nothing_found_is_an_exit_code_of_its_own(run):
    result = run("search", "zebra", "--paths", "*.nothing")
    assert (result.exit_code, result.stdout) == (1, "")


def test_the_index_is_forgotten(run, tmp_path):
    def holding():
        return [path.name for path in (tmp_path / "data").rglob("*") if path.is_file() and b"brew" in path.read_bytes()]

    run("index")
    assert holding()
    assert "Forgot" in run("index", "--forget").stdout
    assert not holding()


def test_the_settings_say_what_takes_part_and_what_is_missing_is_told(run, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[index]\nembedder = "words"\n')
    assert json.loads(run("index", "--json").stdout)["vectors"] == 0
    assert run("search", "brew").stderr == ""
    config.write_text('[index]\nembedder = "minilm"\n')
    for result in (run("search", "brew the cups"), run("context", "brew the cups")):
        assert (result.exit_code, "tea.py" in result.stdout) == (0, True)
        assert "agentinfra models pull minilm" in result.stderr
