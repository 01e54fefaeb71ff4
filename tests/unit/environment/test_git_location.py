from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import git  # noqa: F401  (loads from files that another user may not be able to read)
import pytest

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_location import locate

from .conftest import UserRepo

SOMEBODY = 65534


@pytest.fixture
def shared(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own; it is also their home."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setenv("HOME", str(folder))
    yield folder
    shutil.rmtree(folder)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Lose root's power to write everywhere, which no permission bits stop."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(SOMEBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_repository_is_refused(shared: Path) -> None:
    repo = UserRepo(shared)
    repo.git("init", "-q")
    (shared / ".git").chmod(0o555)
    with ordinary_user(), pytest.raises(WorkspaceError, match=r"cannot be written to\. Permission denied"):
        locate(shared, init=False)
    (shared / ".git").chmod(0o755)


def test_a_read_only_folder_cannot_become_a_repository(shared: Path) -> None:
    shared.chmod(0o555)
    with ordinary_user(), pytest.raises(WorkspaceError, match="cannot be written to"):
        locate(shared, init=True)
    with ordinary_user(), pytest.raises(WorkspaceError, match="cannot be written to"):
        locate(shared / "new", init=True)


def test_a_repository_of_another_user_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    UserRepo(shared).git("init", "-q")
    assert locate(shared, init=False).work_tree == shared
    if os.getuid() == 0:
        os.chown(shared / ".git", 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    with ordinary_user(), pytest.raises(WorkspaceError, match="repository of another user"):
        locate(shared, init=False)
