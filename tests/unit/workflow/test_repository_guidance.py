"""Reading a repository that others wrote."""

import subprocess
from pathlib import Path

import pytest

from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.workflow.repository_guidance import MAX_BYTES, MAX_INSTRUCTIONS, read_guidance
from tests.unit.agents.test_conventions import PLAIN

TASKS = """# Tasks

- [x] T-1 · pack
  - requirements: FR-1
  - files: `shop/stock.py`
"""


@pytest.fixture
def repository(tmp_path: Path):
    folder = tmp_path / "repository"
    git = GitWorkspace.open(folder_of(folder), init=True, scratch=tmp_path / "scratch")

    def commit(**files: str | bytes):
        for name, content in files.items():
            path = folder / name.replace("__", ".").replace("_of_", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(("git", *own, "add", "-A"), cwd=folder, check=True)
        subprocess.run(("git", *own, "commit", "-q", "--allow-empty", "-m", "m"), cwd=folder, check=True)
        return git

    return commit


def folder_of(path: Path) -> Path:
    path.mkdir()
    return path


async def test_instructions_and_conventions_are_found(repository):
    git = repository(
        AGENTS__md="Say please.",
        CLAUDE__md="Be terse.",
        shop_of_AGENTS__md="Stock counts from 1.",
        shop_of_stock__py=PLAIN,
        test_shop__py="def test_it(): ...\n",
        pyproject__toml="[tool.black]\nline-length = 99\n",
    )
    found = await read_guidance(git, "HEAD")
    assert [one.path for one in found.instructions] == ["AGENTS.md", "CLAUDE.md", "shop/AGENTS.md"]
    assert "Lines have at most 99 characters." in found.conventions
    assert "The tests are pytest functions, such as `test_shop.py`." in found.conventions
    assert found.tests == ""
    assert found.unread == ()


async def test_an_empty_repository_says_nothing(repository):
    assert not await read_guidance(repository(), "HEAD")
    found = await read_guidance(repository(README__md="Hikes", pytest__ini="[pytest]\n"), "HEAD")
    assert not found
    assert found.tests == "tests"


async def test_what_we_wrote_ourselves_is_no_custom_of_others(repository):
    own = {"shop_of_stock__py": PLAIN, "shop_of___init____py": "", "test_x__py": "def test_x(): ..."}
    assert (await read_guidance(repository(**own), "HEAD")).conventions
    found = await read_guidance(repository(spec__md="# Shop\n", tasks__md=TASKS), "HEAD")
    assert not found
    assert found.tests == "tests"


async def test_tasks_of_another_tool_are_no_record_of_ours(repository):
    files = {"shop_of_stock__py": PLAIN, "spec__md": "", "tasks__md": "- [ ] buy milk\n"}
    assert (await read_guidance(repository(**files), "HEAD")).conventions


async def test_a_file_that_is_no_text_or_too_large_is_named_and_stops_nothing(repository):
    git = repository(
        AGENTS__md=b"\xff\xfe\x00bad", CLAUDE__md="x" * (MAX_BYTES + 1), CONTRIBUTING__md="Fine.", a__py=b"\xff" * 9
    )
    found = await read_guidance(git, "HEAD")
    assert [one.path for one in found.instructions] == ["CONTRIBUTING.md"]
    assert [path for path, _ in found.unread] == ["AGENTS.md", "CLAUDE.md"]
    assert "1,000,001 bytes" in dict(found.unread)["CLAUDE.md"]


async def test_of_a_large_file_the_beginning_is_kept(repository):
    found = await read_guidance(repository(AGENTS__md="Begin.\n" + "y" * 900_000), "HEAD")
    (one,) = found.instructions
    assert one.cut
    assert one.text.startswith("Begin.\n")
    assert len(one.text) <= 8_000


async def test_no_link_is_followed(repository, tmp_path: Path):
    (tmp_path / "secret.md").write_text("TOP SECRET")
    (tmp_path / "repository" / "AGENTS.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "repository" / "CLAUDE.md").symlink_to("/etc/passwd")
    found = await read_guidance(repository(CONTRIBUTING__md="Fine."), "HEAD")
    assert [one.path for one in found.instructions] == ["CONTRIBUTING.md"]


async def test_there_is_an_end_to_their_number(repository):
    git = repository(**{f"d{number:02}_of_AGENTS__md": f"rule {number}" for number in range(MAX_INSTRUCTIONS + 2)})
    found = await read_guidance(git, "HEAD")
    assert len(found.instructions) == MAX_INSTRUCTIONS
    assert [path for path, _ in found.unread] == ["d20/AGENTS.md", "d21/AGENTS.md"]
