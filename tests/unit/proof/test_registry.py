import json

import pytest

from agentinfra.core.errors import InputError
from agentinfra.proof.registry import RUNNERS, detect, runner_for
from agentinfra.proof.runner import TestRunner
from agentinfra.security.sandbox.unsandboxed import Unsandboxed

UNITTEST = "import unittest\nclass T(unittest.TestCase): pass\n"


def package(test="", **installed):
    return json.dumps({"scripts": {"test": test}, "devDependencies": installed})


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({}, ()),
        ({"tests/test_a.py": "def test_a(): pass"}, ("pytest",)),
        ({"tests/test_a.py": UNITTEST}, ("unittest",)),
        ({"a_test.py": "from unittest import TestCase"}, ("unittest",)),
        ({"tests/test_a.py": UNITTEST, "tests/test_b.py": "def test_a(): pass"}, ("pytest",)),
        ({"tests/test_a.py": UNITTEST, "pyproject.toml": "[tool.pytest.ini_options]"}, ("pytest",)),
        ({"tests/test_a.py": UNITTEST, "conftest.py": ""}, ("pytest",)),
        ({"node_modules/x/test_a.py": "", ".venv/test_a.py": ""}, ()),
        ({"package.json": package("node --test")}, ("node",)),
        ({"package.json": package("node --import ./x.js --test tests")}, ("node",)),
        ({"package.json": package(vitest="4")}, ("vitest",)),
        ({"a.test.mjs": "import test from 'node:test'"}, ("node",)),
        ({"package.json": package(vitest="4"), "a.test.mjs": "import { test } from 'vitest'"}, ("vitest",)),
        ({"package.json": package("jest --ci", vitest="4")}, ("jest", "vitest")),
        ({"package.json": package("playwright test", vitest="4")}, ("playwright", "vitest")),
        ({"package.json": package("vitest run", **{"@playwright/test": "1"})}, ("vitest", "playwright")),
        ({"package.json": package("vitest run"), "test_a.py": "def test_a(): pass"}, ("pytest", "vitest")),
        ({"package.json": '{"scripts": 7, "devDependencies": []}'}, ()),
        ({"package.json": "nonsense"}, ()),
        ({"package.json": "[]"}, ()),
    ],
)
def test_the_files_speak_for_runners(make_project, files, names):
    root = make_project(files)
    assert detect(root) == names
    assert runner_for(root, Unsandboxed()).name == (names[0] if names else "pytest")


def test_a_runner_can_be_named_and_keeps_its_sandbox(tmp_path):
    sandbox = Unsandboxed()
    for name in RUNNERS:
        runner: TestRunner = runner_for(tmp_path, sandbox, name=name)
        assert (runner.name, runner.sandbox) == (name, sandbox)
    assert runner_for(tmp_path, sandbox, command=["x", "{report}"]).name == "junit"
    with pytest.raises(InputError, match="no test runner nose") as caught:
        runner_for(tmp_path, sandbox, name="nose")
    assert "vitest" in caught.value.next_step
