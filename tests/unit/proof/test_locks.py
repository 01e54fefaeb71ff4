import json
from pathlib import PurePath

import pytest

from agentinfra.core.errors import InputError, ProofError
from agentinfra.proof.locks import GUARDED_NAMES, TestLock, is_test_file, lock, locked_now, verify


@pytest.fixture
def root(tmp_path):
    for path in ("tests/test_a.py", "tests/data/rows.csv", "tests/conftest.py", "shifts.py", "pyproject.toml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def test_tests_folders_of_them_and_runner_configuration_are_locked(root):
    locked = lock(root, ["tests/test_a.py"])
    assert set(locked.files) == {"tests/test_a.py", "tests/conftest.py"}
    assert set(locked.fixtures) == {"tests/data/rows.csv"}
    assert set(lock(root, ["tests"]).files) == {"tests/test_a.py", "tests/data/rows.csv", "tests/conftest.py"}


def test_nothing_changed_is_no_violation_and_work_on_the_code_is_none(root):
    locked = lock(root, ["tests"])
    (root / "shifts.py").write_text("def minutes(): ...")
    (root / "pyproject.toml").write_text("[project]")
    (root / "new.py").write_text("")
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "conftest.py").write_text("")
    assert verify(root, locked) == ()


def test_changed_removed_and_added_files_are_told(root):
    locked = lock(root, ["tests"])
    (root / "tests/test_a.py").write_text("def test(): pass")
    (root / "tests/data/rows.csv").unlink()
    (root / "tests/test_b.py").write_text("")
    assert verify(root, locked) == (
        "tests/data/rows.csv was removed",
        "tests/test_a.py was changed",
        "tests/test_b.py was added",
    )


@pytest.mark.parametrize("name", [*sorted(GUARDED_NAMES), "deep/down/conftest.py", "_pytest/hooks.py", "site/x.pth"])
def test_what_could_bend_the_runner_may_not_be_added(root, name):
    locked = lock(root, ["tests/test_a.py"])
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("")
    assert verify(root, locked) == (f"{name} was added",)


def test_what_tests_read_beside_them_is_locked_and_may_be_added_to(root):
    locked = lock(root, ["tests/test_a.py"])
    (root / "tests/data/more.csv").write_text("")
    (root / "tests/test_other.py").write_text("")
    assert verify(root, locked) == () and locked_now(root, locked) == locked
    (root / "tests/data/rows.csv").write_text("other")
    assert verify(root, locked) == ("tests/data/rows.csv was changed",)
    assert locked_now(root, locked).sha != locked.sha
    (root / "tests/data/rows.csv").unlink()
    assert verify(root, locked) == ("tests/data/rows.csv was removed",)


def test_what_the_task_claims_is_not_locked_unless_it_bends_the_runner(root):
    locked = lock(root, ["tests/test_a.py"], claimed=["tests/data/rows.csv", "vitest.config.ts", "tests/conftest.py"])
    (root / "tests/data/rows.csv").write_text("other")
    (root / "vitest.config.ts").write_text("export default {}")
    assert verify(root, locked) == ()
    (root / "tests/conftest.py").write_text("other")
    (root / "jest.config.js").write_text("")
    assert verify(root, locked) == ("jest.config.js was added", "tests/conftest.py was changed")


def test_without_a_folder_of_tests_nothing_beside_them_is_locked(root):
    (root / "test_b.py").write_text("")
    assert lock(root, ["test_b.py"]).fixtures == {}


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/test_a.py", True),
        ("pkg/sums_test.py", True),
        ("tests/data.csv", True),
        ("web/app.spec.ts", True),
        ("contest.py", False),
        ("attest/sums.py", False),
    ],
)
def test_test_files_are_known_by_name_and_place(path, is_test):
    assert is_test_file(PurePath(path)) is is_test


def test_a_file_replaced_by_a_link_to_the_same_text_is_a_change(root):
    locked = lock(root, ["tests/test_a.py"])
    (root / "tests/test_a.py").rename(root / "copy.py")
    (root / "tests/test_a.py").symlink_to("../copy.py")
    assert verify(root, locked) == ("tests/test_a.py was changed",)


def test_a_folder_replaced_by_a_link_is_told(root):
    locked = lock(root, ["tests"])
    (root / "tests").rename(root / "copy")
    (root / "tests").symlink_to("copy")
    assert "tests was added" in verify(root, locked) and "tests/test_a.py was removed" in verify(root, locked)


def test_a_file_replaced_by_a_folder_is_told(root):
    locked = lock(root, ["tests/test_a.py"])
    (root / "tests/test_a.py").unlink()
    (root / "tests/test_a.py").mkdir()
    assert verify(root, locked) == ("tests/test_a.py was removed",)


def test_one_hash_stands_for_the_whole_lock(root):
    first = lock(root, ["tests"])
    assert first.sha == lock(root, ["tests"]).sha and len(first.sha) == 64
    (root / "tests/test_a.py").write_text("other")
    assert lock(root, ["tests"]).sha != first.sha


def test_it_survives_json(root):
    locked = lock(root, ["tests"])
    again = TestLock.from_json(json.loads(json.dumps(locked.to_json())))
    assert again == locked and again.sha == locked.sha


@pytest.mark.parametrize(
    "data", [{}, {"paths": [], "files": 5}, {"paths": 5, "files": {}}, {"paths": [], "files": ["x"]}, 5]
)
def test_what_is_no_lock_is_refused(data):
    with pytest.raises(ProofError):
        TestLock.from_json(data)


@pytest.mark.parametrize("path", ["tests/gone.py", "../outside.py", "/etc/passwd"])
def test_only_what_is_in_the_project_can_be_locked(root, path):
    (root.parent / "outside.py").write_text("")
    with pytest.raises(InputError, match="cannot be locked"):
        lock(root, [path])


SETTINGS = (
    "vitest.config.ts",
    "vite.config.js",
    "jest.config.json",
    "playwright.config.mjs",
    "babel.config.cjs",
    ".babelrc",
)


@pytest.mark.parametrize(
    "name", [*SETTINGS, ".babelrc.json", "jest.preset.js", "tsconfig.json", "app/vitest.workspace.ts"]
)
def test_settings_of_the_javascript_runners_may_not_be_added(root, name):
    locked = lock(root, ["tests/test_a.py"])
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("")
    assert verify(root, locked) == (f"{name} was added",)
