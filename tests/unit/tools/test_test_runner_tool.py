from __future__ import annotations

from pathlib import Path

import pytest

from agentinfra.core.messages import ToolCall
from agentinfra.proof.unittest_runner import UnittestRunner
from agentinfra.security.sandbox.unsandboxed import Unsandboxed
from agentinfra.tools.registry import ToolRegistry
from agentinfra.tools.test_runner_tool import TestRunnerTool

TESTS = """
def test_right():
    assert 1 + 1 == 2

def test_wrong():
    assert 1 + 1 == 3, "sum"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sum.py").write_text(TESTS)
    return tmp_path


async def run(project: Path, *tests: str) -> str:
    call = ToolCall("1", "run_tests", {"tests": list(tests)})
    return (await ToolRegistry([TestRunnerTool(project, Unsandboxed())]).call(call)).content


async def test_failures_are_told_with_their_message(project: Path) -> None:
    text = await run(project)
    assert text.startswith("1 of 2 tests passed in")
    assert "tests/test_sum.py::test_wrong: failed" in text
    assert "sum" in text


async def test_one_test_can_be_chosen(project: Path) -> None:
    assert (await run(project, "tests/test_sum.py::test_right")).startswith("1 of 1 tests passed")


async def test_no_tests_are_not_a_success(tmp_path: Path) -> None:
    assert await run(tmp_path) == "No tests were found."


async def test_a_run_that_proves_nothing_says_so(project: Path) -> None:
    (project / "tests" / "conftest.py").write_text("import os\nos._exit(0)\n")
    assert (await run(project)).startswith("The run proves nothing: no report")


async def test_the_runner_is_the_one_that_the_files_speak_for(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"test": "node --test"}}')
    (tmp_path / "sum.test.mjs").write_text("import {test} from 'node:test'; test('sum', () => { throw 1 })")
    text = await run(tmp_path)
    assert text.startswith("0 of 1 tests passed") and "sum.test.mjs::sum: failed" in text


async def test_a_runner_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "test_sum.py").write_text("import unittest\n\ndef test_of_pytest(): pass\n")
    tool = TestRunnerTool(tmp_path, Unsandboxed(), UnittestRunner(Unsandboxed()))
    assert await tool.arun() == "No tests were found."
