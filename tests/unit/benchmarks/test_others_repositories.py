"""The benchmark over repositories of others: its scripts, its table, and a whole run, all without a network."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from others_features import FEATURES, Feature, model
from others_repositories import Result, build, commit, outside, table, what_was_read

from agentinfra.core.errors import ConfigError
from agentinfra.core.messages import ChatRequest, user
from agentinfra.workflow.run_state import RunState, TaskView

INFLECTION = FEATURES[0]
LIBRARY = '''import re


def camelize(term: str) -> str:
    """Camelize."""
    return re.sub('_(.)', lambda found: found[1].upper(), term)


def dasherize(term: str) -> str:
    """Dasherize."""
    return term.replace('_', '-')


def upper(term: str) -> str:
    """Upper."""
    if term:
        return term.upper()
    return ''
'''
TEST = "import inflection\n\n\ndef test_dashes():\n    assert inflection.dasherize('a_b') == 'a-b'\n"
SOUND = Result("inflection 0.5.1", "script:inflection", 2, 2, (), (5, 6), (7, 8), 12.3, (), "AGENTS.md; 3 conventions")


def library(feature: Feature, folder: Path) -> Path:
    """A library of the feature's name, as small as it can be."""
    workspace = folder / "workspace"
    (workspace / feature.name).mkdir(parents=True)
    (workspace / feature.name / "__init__.py").write_text(LIBRARY)
    (workspace / f"test_{feature.name}.py").write_text(TEST)
    (workspace / "AGENTS.md").write_text("Say please.\n")
    commit(workspace)
    return workspace


def test_a_feature_is_built_by_its_script_in_place(tmp_path: Path) -> None:
    result = asyncio.run(build(INFLECTION, tmp_path / "run", "script:inflection", library))
    assert (result.done, result.tasks, result.blocked, result.outside) == (2, 2, (), ())
    assert (result.before, result.after) == ((1, 1), (5, 5))
    assert result.model == "script:inflection"
    assert result.read.startswith("AGENTS.md; ")
    assert result.is_sound


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.name)
async def test_a_script_answers_whatever_it_is_asked(feature: Feature) -> None:
    script = model(feature.name)
    assert script.name == f"script:{feature.name}"
    for purpose in ("questions", "plan", "examples FR-1", "tests T-1"):
        assert (await script.complete(ChatRequest((user("?"),), purpose=purpose))).text.startswith("{")
    for _, signature, _ in feature.plan:
        reply = await script.complete(ChatRequest((user(f"Write `{signature}` for the file"),), purpose="code T-1"))
        assert f"def {signature.partition('(')[0]}(" in reply.text


def test_there_is_no_script_for_what_is_no_feature() -> None:
    with pytest.raises(ConfigError, match="no script"):
        model("else")


def test_what_no_task_claims_is_outside() -> None:
    task = TaskView("T-1", files=("a.py",), red=("tests/test_a.py::test_a",))
    changed = ["a.py", "b.py", "spec.md", "tasks.md", "tests/test_a.py", "tests/test_b.py"]
    assert outside(RunState(tasks=(task,)), changed) == ("b.py", "tests/test_b.py")


def test_the_machinery_fails_where_something_else_changed_or_tests_broke() -> None:
    assert SOUND.is_sound
    assert not replace(SOUND, outside=("b.py",)).is_sound
    assert not replace(SOUND, after=(6, 8)).is_sound
    assert replace(SOUND, done=0).is_sound  # what a model does not manage is no fault of the machinery


def test_the_table_says_what_answered_and_what_is_not_done() -> None:
    scripted = table([SOUND], scripted=True)
    assert scripted.startswith("Answered by a script: replies written by hand.")
    assert "| inflection 0.5.1 | script:inflection | 2 of 2 | 5 of 6 | 7 of 8 | 12 s | none |" in scripted
    told = table([replace(SOUND, model="local:small", done=1, blocked=("T-2: wrong",))], scripted=False)
    assert told.startswith("Answered by local:small.")
    assert told.endswith("inflection 0.5.1: not done: T-2: wrong")


def test_what_was_read_is_told() -> None:
    assert what_was_read(RunState()) == "no instructions; 0 conventions"
