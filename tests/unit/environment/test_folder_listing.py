from __future__ import annotations

from pathlib import Path

from agentinfra.environment.folder_listing import NOT_LISTED, list_files


def test_the_projects_own_files_are_listed_in_order(tmp_path: Path) -> None:
    for path in ("b.py", "a/c.py", "a.py", ".hidden/d", *(f"sub/{name}/x" for name in NOT_LISTED)):
        (tmp_path / "root" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / path).write_text("")
    (tmp_path / "root" / "loop").symlink_to(tmp_path)
    (tmp_path / "root" / "link.py").symlink_to("a.py")
    assert list_files(tmp_path / "root") == (".hidden/d", "a.py", "a/c.py", "b.py")


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert list_files(tmp_path / "none") == ()
