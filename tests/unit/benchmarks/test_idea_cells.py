"""Keeping cells in a file, and choosing those that belong together."""

import json
import subprocess

import pytest
from idea_cells import CellFile, comparable, kind_of, version

from agentinfra.core.errors import InputError
from tests.unit.benchmarks.cells import cell


def test_cells_are_kept_as_they_come(tmp_path):
    file = tmp_path / "results" / "small.json"
    first, second = cell(seed=1), cell(seed=2, side="one-call", note="cut")
    CellFile(file).add(first)
    CellFile(file).add(second)
    assert CellFile(file).cells == [first, second]
    assert [path.name for path in file.parent.iterdir()] == ["small.json"]


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "notes.json"
    for text in ("{", "[]", '{"cells": [{"case": "x"}]}'):
        file.write_text(text)
        with pytest.raises(InputError, match="holds no results"):
            CellFile(file)
        assert file.read_text() == text


def test_a_write_that_fails_loses_nothing(tmp_path):
    file = tmp_path / "small.json"
    store = CellFile(file)
    store.add(cell(seed=1))
    with pytest.raises(TypeError):
        store.add(cell(seed=2, settings={"what": object()}))
    assert len(CellFile(file).cells) == 1


def test_the_newest_of_a_case_side_and_seed_counts():
    cells = [cell(passed=1), cell(passed=7), cell(seed=2), cell(side="one-call")]
    assert [one.passed for one in comparable(cells)] == [7, 5, 5]


def test_cells_of_an_older_product_count_only_on_demand():
    cells = [cell(seed=1, source="old", commit="c0"), cell(side="one-call", source="old"), cell(seed=2)]
    assert [(one.side, one.seed) for one in comparable(cells)] == [("one-call", 1), ("agentinfra", 2)]
    assert len(comparable(cells, any_commit=True)) == 3


def test_cells_with_other_settings_or_of_another_model_do_not_count():
    other = cell(settings={"minutes": 5.0})
    assert comparable([other, cell(seed=2)], any_commit=True) == [cell(seed=2)]
    assert comparable([cell(model="x:y"), cell(seed=2)], "x:y") == [cell(model="x:y")]
    assert comparable([cell(model="x:y"), cell(seed=2)]) == [cell(seed=2)]
    assert comparable([], "x:y") == []


def test_the_order_of_settings_does_not_matter():
    assert kind_of("s", "m", {"a": 1, "b": 2}) == kind_of("s", "m", {"b": 2, "a": 1})


@pytest.fixture
def project(tmp_path):
    (tmp_path / "agentinfra").mkdir()
    (tmp_path / "agentinfra" / "one.py").write_text("a = 1\n")
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    return tmp_path


def git(folder, *arguments):
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(("git", "-C", str(folder), *who, *arguments), check=True, capture_output=True)


def test_a_changed_package_is_another_product(project):
    clean = version(project)
    assert len(clean.commit) == 12 and not clean.dirty
    (project / "agentinfra" / "one.py").write_text("a = 2\n")
    changed = version(project)
    assert changed.dirty and changed.commit == clean.commit and changed.source != clean.source
    git(project, "commit", "-qam", "y")
    assert not version(project).dirty and version(project).source == changed.source


def test_what_is_no_part_of_the_package_does_not_make_another_product(project):
    clean = version(project)
    (project / "README.md").write_text("x")
    (project / "agentinfra" / "__pycache__").mkdir()
    (project / "agentinfra" / "__pycache__" / "one.pyc").write_text("x")
    assert version(project) == clean


def test_a_moved_file_makes_another_product(project):
    clean = version(project)
    (project / "agentinfra" / "one.py").rename(project / "agentinfra" / "two.py")
    assert version(project).source != clean.source


def test_a_copy_without_git_says_so(tmp_path):
    (tmp_path / "agentinfra").mkdir()
    assert version(tmp_path).commit == "unknown"


def test_the_file_is_plain_json(tmp_path):
    file = tmp_path / "small.json"
    CellFile(file).add(cell())
    data = json.loads(file.read_text())
    assert data["schema"] == 1 and data["cells"][0]["settings"] == {"minutes": 15.0}
