"""Providers that installed packages bring, each in an interpreter that has the package."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
from agentinfra.core.errors import InputError
from agentinfra.models.scripted_model import ScriptedModel

print("loaded")


def factory(name):
    if name == "unknown":
        raise InputError("There is no such model", next_step="Choose another")
    if name == "broken":
        raise KeyError(name)
    return ScriptedModel([f"{name} says hi"], name=f"acme:{name}") if name != "none" else name


no_factory = 5
"""
PROGRAM = """
import asyncio, json, sys
from agentinfra.core.errors import AgentInfraError
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.rate_limit import RateLimiter

manager = ModelManager(limiters={"acme": RateLimiter(concurrency=1)}, env={})
print("made")
try:
    model = manager.get_model(sys.argv[1])
    told = type(model).__name__, model.name, asyncio.run(model.complete(ChatRequest((user("Hi"),)))).text
except AgentInfraError as error:
    told = type(error).__name__, str(error)
print(json.dumps(told))
"""


@pytest.fixture
def ask(tmp_path):
    """Installs packages with these entry points, asks for a model, and returns what was printed."""

    def run(model, *packages):
        (tmp_path / "acme_models.py").write_text(CODE)
        (tmp_path / "acme_broken.py").write_text("import a_package_that_is_not_there\n")
        for number, entries in enumerate(packages):
            meta = tmp_path / f"acme_{number}-1.0.dist-info"
            meta.mkdir()
            (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{number}\nVersion: 1.0\n")
            lines = "".join(f"{name} = {target}\n" for name, target in entries.items())
            (meta / "entry_points.txt").write_text(f"[agentinfra.models]\n{lines}")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, model],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        *printed, told = done.stdout.splitlines()
        return printed, json.loads(told)

    return run


def test_a_package_brings_a_provider_that_is_loaded_when_it_is_asked_for(ask):
    printed, told = ask("acme:one", {"acme": "acme_models:factory"})
    assert printed == ["made", "loaded"]
    assert told == ["RetryingModel", "acme:one", "one says hi"]


@pytest.mark.parametrize(
    ("model", "target", "why"),
    [
        ("acme:one", "acme_broken:factory", "ModuleNotFoundError: No module named 'a_package_that_is_not_there'"),
        ("acme:one", "acme_models:missing", "AttributeError: module 'acme_models' has no attribute 'missing'"),
        ("acme:one", "acme_models:no_factory", "acme_models:no_factory cannot be called"),
        ("acme:broken", "acme_models:factory", "KeyError: 'broken'"),
        ("acme:none", "acme_models:factory", "Its str has no name, profile, complete, aclose"),
    ],
)
def test_a_broken_package_is_named_with_what_is_wrong(ask, model, target, why):
    _, (kind, text) = ask(model, {"acme": target})
    assert kind == "ConfigError"
    assert text.startswith(f"The provider acme: of the package acme-0 cannot be used. {why}. Correct, ")


def test_its_own_errors_are_passed_on(ask):
    _, told = ask("acme:unknown", {"acme": "acme_models:factory"})
    assert told == ["InputError", "There is no such model. Choose another."]


def test_two_packages_with_the_same_name_are_both_named(ask):
    _, (kind, text) = ask("acme:one", {"acme": "acme_models:factory"}, {"acme": "acme_broken:factory"})
    assert kind == "ConfigError"
    for name in ("acme-0", "acme-1", "Several packages bring the same name"):
        assert name in text


def test_a_package_cannot_take_the_place_of_what_is_built_in(ask):
    printed, (kind, text) = ask("openai:gpt-5", {"acme": "acme_models:factory", "openai": "acme_models:factory"})
    assert printed == ["made"]
    assert kind == "ModelUnavailable"
    assert "OPENAI_API_KEY is not set" in text


def test_a_misspelt_provider_is_guessed_among_those_of_packages(ask):
    printed, (_, text) = ask("acmee:one", {"acme": "acme_models:factory"})
    assert printed == ["made"]
    assert "Did you mean acme?" in text
