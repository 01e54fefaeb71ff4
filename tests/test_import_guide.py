"""What docs/how-to/import-a-specification.md shows is what happens, with the format of its example installed."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "how-to" / "import-a-specification.md"
SOURCES = Path(__file__).parent / "unit" / "spec" / "imports" / "sources"
FILES = {"python": "todo_files.py", "todo": "tea.todo", "toml": "pyproject.toml"}


@pytest.fixture
def blocks() -> list[tuple[str, str]]:
    return re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def import_spec(folder: Path, source: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from agentinfra.cli.main import main; raise SystemExit(main())",
            "spec",
            "import",
            source,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_the_guides_format_is_found_and_imports_what_the_guide_says(
    tmp_path: Path, blocks: list[tuple[str, str]]
) -> None:
    for kind, text in blocks:
        if kind in FILES:
            (tmp_path / FILES[kind]).write_text(text)
    ((group, formats),) = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["entry-points"].items()
    meta = tmp_path / "todo_files-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: todo-files\nVersion: 1.0\n")
    entries = "".join(f"{name} = {target}\n" for name, target in formats.items())
    (meta / "entry_points.txt").write_text(f"[{group}]\n{entries}")
    shown = next(text for kind, text in reversed(blocks) if kind == "console")
    assert shown == "$ agentinfra spec import tea.todo\n" + import_spec(tmp_path, "tea.todo")
    assert "### FR-1 · Brew green tea in two minutes\n" in (tmp_path / "spec.md").read_text()


def test_what_is_left_out_is_told_as_the_guide_shows(tmp_path: Path, blocks: list[tuple[str, str]]) -> None:
    (tmp_path / "tasks.json").write_bytes((SOURCES / "task_master" / "untagged.json").read_bytes())
    assert import_spec(tmp_path, "tasks.json") == next(text for kind, text in blocks if kind == "text")
