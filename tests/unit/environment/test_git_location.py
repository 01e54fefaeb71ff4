from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_location import locate

from .conftest import UserRepo

SOMEBODY = 65534


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
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


def test_a_read_only_repository_is_refused(shared: Path, home: Path) -> None:
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


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to somebody else")
def test_a_repository_of_another_user_is_refused(shared: Path) -> None:
    UserRepo(shared).git("init", "-q")
    os.chown(shared / ".git", 12345, 12345)
    with ordinary_user(), pytest.raises(WorkspaceError, match=r"another user.*12345"):
        locate(shared, init=False)
    assert locate(shared, init=False).work_tree == shared
