"""Unsaved text of editors, found in the place of files."""

import pytest

from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.workspace_memory import WorkspaceMemory

TEA = "def brew(cups):\n    return cups * 2\n"
UNSAVED = "def steep(leaves):\n    return leaves + 1\n"


@pytest.fixture
async def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "tea.py").write_text(TEA)
    (folder / ".gitignore").write_text("secret.py\n")
    return folder


@pytest.fixture
async def memory(root, tmp_path):
    opened = WorkspaceMemory.open(root, data=tmp_path / "data")
    await opened.index()
    yield opened
    await opened.aclose()


async def symbols(memory, query):
    return {hit.symbol for hit in await memory.search(query, kinds=["function"])}


async def test_unsaved_text_is_found_and_the_file_is_not_until_it_is_dropped(memory):
    assert await memory.index_buffer("tea.py", UNSAVED)
    assert await symbols(memory, "steep brew") == {"steep"}
    assert (await memory.search("leaves", 1))[0].why.keys() >= {"words", StaticEmbedder().name}  # by meaning, too
    await memory.index()
    assert await symbols(memory, "steep brew") == {"steep"}
    await memory.drop_buffer("tea.py")
    assert await symbols(memory, "steep brew") == {"brew"}


async def test_what_another_indexer_wrote_is_replaced_at_the_next_look(memory, root, tmp_path):
    await memory.index_buffer("tea.py", UNSAVED)
    other = WorkspaceMemory.open(root, data=tmp_path / "data")
    await other.index()
    assert await symbols(memory, "steep brew") == {"brew"}
    await other.aclose()
    await memory.index()
    assert await symbols(memory, "steep brew") == {"steep"}


async def test_a_saved_file_counts_again(memory, root):
    await memory.index_buffer("tea.py", UNSAVED)
    (root / "tea.py").write_text(UNSAVED)
    await memory.index()
    (root / "tea.py").write_text(TEA)
    await memory.index()
    assert await symbols(memory, "steep brew") == {"brew"}


async def test_text_of_a_file_that_is_not_there_yet(memory):
    assert await memory.index_buffer("new/pot.py", UNSAVED)
    await memory.index()
    assert (await memory.search("steep", 1))[0].path == "new/pot.py"
    await memory.drop_buffer("new/pot.py")
    assert "steep" not in await symbols(memory, "steep")


async def test_unsaved_text_is_forgotten_with_the_process_that_held_it(memory, root, tmp_path):
    await memory.index_buffer("tea.py", UNSAVED)
    await memory.index_buffer("new.py", UNSAVED)
    await memory.aclose()
    later = WorkspaceMemory.open(root, data=tmp_path / "data")
    await later.index()
    assert await symbols(later, "steep brew") == {"brew"}
    await later.aclose()


@pytest.mark.parametrize("path", ["secret.py", "../tea.py", "/tea.py", "node_modules/x.js", "", "a//b.py", ".git/x"])
async def test_what_no_file_of_the_workspace_would_be_is_not_taken(memory, path):
    assert not await memory.index_buffer(path, UNSAVED)
    assert "steep" not in await symbols(memory, "steep")


async def test_unfit_text_is_left_out_as_a_file_would_be(memory):
    assert await memory.index_buffer("tea.py", "\0\1\2" + UNSAVED)
    assert (await memory.skipped())["tea.py"] == "binary"
    assert await memory.index_buffer("tea.py", "x = 1\n" * 200_000)
    assert "larger than" in (await memory.skipped())["tea.py"]
    await memory.drop_buffer("tea.py")
    assert await symbols(memory, "brew") == {"brew"}


async def test_a_lone_surrogate_breaks_nothing(memory):
    assert await memory.index_buffer("tea.py", UNSAVED + "# \ud800\n")
