"""Files of earlier versions go with what is forgotten: the bytes of all files are searched."""

import pytest

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import StoreError
from agentinfra.memory.old_files import remove_old_files
from agentinfra.memory.workspace_memory import WorkspaceMemory
from tests.unit.memory.test_forget import MARKER, holding

ENDS = ("", "-wal", "-shm", "-journal", ".damaged", ".damaged-wal", ".damaged-shm")


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "tea.py").write_text(f"def {MARKER}(cups):\n    return cups\n")
    return folder


async def test_forgetting_an_index_removes_what_earlier_versions_kept_and_nothing_else(root, data):
    own = workspace_folder(root, data)
    own.mkdir(parents=True)
    other = data / "workspaces" / "another"
    other.mkdir()
    kept = [other / "index.db", own / "events.db", own / "index.dbx"]
    for path in [place for end in ENDS for place in (own / f"index.db{end}", data / f"vectors.db{end}")] + kept:
        path.write_bytes(b"\0" * 5000 + MARKER.encode() + b"\0" * 5000)
    memory = WorkspaceMemory.open(root, data=data)
    await memory.index()
    assert len(holding(data)) > 2 * len(ENDS) + len(kept)
    await memory.forget()
    assert holding(data) == sorted(path.name for path in kept)
    await memory.aclose()


def test_where_there_is_nothing_old_nothing_happens(data):
    remove_old_files(data / "workspaces" / "tea", data)
    assert not data.exists()


def test_what_cannot_be_removed_is_told(data):
    (data / "vectors.db").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"vectors\.db cannot be removed.*by hand"):
        remove_old_files(data / "workspaces" / "tea", data)
