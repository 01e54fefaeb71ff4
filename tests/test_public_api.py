"""The library's public face: its names, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import agentinfra

HEAVY = {
    *("anthropic", "apsw", "dbos", "git", "httpx", "lsprotocol", "openai", "platformdirs", "playwright", "pydantic"),
    *("pygls", "pytest", "rich", "sqlalchemy", "sqlite_vec", "typer", "watchdog", "xllamacpp"),
}
# What a person who only builds an agent hierarchy loads; classes of every layer, no SDK.
LIGHT = ("PlannerAgent", "EngineerAgent", "MicroAgent", "QAAgent", "ModelManager", "ScriptedModel", "O1Model")


def loaded_by(code):
    """Names of all modules in a fresh interpreter that ran the code."""
    command = [sys.executable, "-P", "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split())


def test_importing_the_library_loads_nothing_heavy_and_no_layer():
    loaded = loaded_by("import agentinfra")
    assert {name for name in loaded if name.startswith("agentinfra")} == {"agentinfra"}
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("name", LIGHT)
def test_a_name_loads_without_sdk_and_engine(name):
    loaded = loaded_by(f"from agentinfra import {name}")
    assert "agentinfra.core.errors" in loaded
    assert loaded & {"anthropic", "dbos", "git", "openai", "pygls", "xllamacpp"} == set()


def test_there_are_few_public_names_and_all_of_them_load():
    assert len(agentinfra.__all__) <= 30
    assert sorted(set(agentinfra.__all__)) == agentinfra.__all__
    assert all(getattr(agentinfra, name) for name in agentinfra.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        agentinfra.Nothing  # noqa: B018


def test_type_checkers_see_the_names_that_load():
    tree = ast.parse(Path(agentinfra.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module for node in ast.walk(block) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    loaded = {name: getattr(agentinfra, name).__module__ for name in agentinfra.__all__ if name != "__version__"}
    assert seen == loaded


def test_the_version_is_the_one_of_the_package():
    text = (Path(agentinfra.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{agentinfra.__version__}"' in text
