"""The code of docs/reference/models-routing.md runs, and what stands there is so."""

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

from agentinfra.core.config import ModelSettings
from agentinfra.models.local_model import LOCAL_TIMEOUTS
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.model_stack import manager_from
from agentinfra.models.retry import RetryPolicy
from agentinfra.models.timeouts import Timeouts

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "models-routing.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_pages_program_prints_what_the_page_says(capsys, monkeypatch):
    monkeypatch.delenv("AGENTINFRA_MODEL_ALIASES", raising=False)
    (program,), (printed,) = blocks("python"), blocks("text")
    exec(compile(program, "models-routing.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_the_pages_settings_are_settings(monkeypatch):
    monkeypatch.delenv("AGENTINFRA_MODEL_ALIASES", raising=False)
    settings = ModelSettings.model_validate(tomllib.loads(blocks("toml")[0])["models"])
    manager = manager_from(settings)
    assert isinstance(manager, ModelManager)
    assert settings.default is not None
    chain = manager.get_model(settings.default)
    assert [member.name for member in chain._members] == [
        "openai:gpt-5",
        "anthropic:claude-sonnet-5-5",
        "local:qwen2.5-coder-1.5b",
    ]


def test_the_pages_tables_hold_the_defaults():
    rows = {
        cells[0].strip(" `"): cells[1:]
        for cells in (line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("|"))
    }
    for name, value in asdict(RetryPolicy()).items():
        assert rows[name][0].split()[0] == f"{value:g}"
    local = asdict(LOCAL_TIMEOUTS)
    for name, value in asdict(Timeouts()).items():
        assert [float(cell.split()[0].replace(",", "")) for cell in rows[name][:2]] == [value, local[name]]
