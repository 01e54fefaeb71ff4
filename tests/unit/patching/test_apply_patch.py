"""Patches on trees on disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from agentinfra.core.errors import PatchError
from agentinfra.patching.apply_patch import apply_patch
from agentinfra.patching.draft import FileResult, PlacedHunk
from agentinfra.patching.gate import STAGING
from agentinfra.patching.patch import Step
from agentinfra.patching.read_patch import read_patch

ROOT = Path(__file__).resolve().parents[3]
FILES = {"a.txt": b"one\r\ntwo\r\n", "src/b.txt": b"b\n", "src/c.txt": b"c"}
PATCH = """\
*** Begin Patch
*** Update File: a.txt
@@
 one
-two
+2
*** Update File: src/b.txt
*** Move to: lib/b.txt
@@
-b
+B
*** Delete File: src/c.txt
*** Add File: new.txt
+new
*** End Patch
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def test_a_patch_is_applied_and_says_how(root: Path) -> None:
    result = await apply_patch(root, read_patch(PATCH))
    assert contents(root) == {"a.txt": b"one\r\n2\r\n", "lib/b.txt": b"B\n", "new.txt": b"new\n"}
    assert not (root / "src").exists()
    assert result.files == (
        FileResult("a.txt", "changed", (PlacedHunk(1, Step.LINE_ENDS),)),
        FileResult("lib/b.txt", "moved", (PlacedHunk(1, Step.EXACT),), moved_from="src/b.txt"),
        FileResult("src/c.txt", "deleted"),
        FileResult("new.txt", "created"),
    )


async def test_a_dry_run_says_the_same_and_writes_nothing(root: Path) -> None:
    dry = await apply_patch(root, read_patch(PATCH), dry_run=True)
    assert contents(root) == FILES
    assert dry.dry_run
    assert dry.files == (await apply_patch(root, read_patch(PATCH))).files


async def test_one_change_that_does_not_fit_refuses_all_and_every_fault_is_told(root: Path) -> None:
    text = PATCH.replace("-two", "-tow").replace("src/c.txt", "lib/a.txt")
    with pytest.raises(PatchError) as caught:
        await apply_patch(root, read_patch(text))
    assert contents(root) == FILES
    assert caught.value.what == "2 of 4 changes do not fit, so none was made; the other 2 fit as they are"
    assert "a.txt, line 4 of the patch: not in the file: 'tow'; nearest is\n  1| one\n  2| two" in caught.value.why
    assert "lib/a.txt, line 12 of the patch: the file is not there" in caught.value.why
    assert "did you mean a.txt?" in caught.value.why
    assert "line 4: Copy lines 1 to 2 of the file" in caught.value.next_step


async def test_what_stands_already_is_told_apart(root: Path) -> None:
    await apply_patch(root, read_patch(PATCH))
    after = contents(root)
    with pytest.raises(PatchError) as caught:
        await apply_patch(root, read_patch(PATCH))
    assert contents(root) == after
    assert "a.txt, line 4 of the patch: what it searches for is not in the file, but its result stands already" in str(
        caught.value
    )
    assert "new.txt, line 13 of the patch: it makes a file that stands already, just as sent" in str(caught.value)


@pytest.mark.parametrize("path", ["../x", "/etc/x", ".git/config", ".vscode/settings.json", f"{STAGING}/journal.json"])
@pytest.mark.parametrize("verb", ["Add", "Delete", "Update"])
async def test_every_path_passes_the_gate(root: Path, path: str, verb: str) -> None:
    body = {"Add": "+x\n", "Delete": "", "Update": "@@\n-x\n+y\n"}[verb]
    with pytest.raises(PatchError, match="refused"):
        await apply_patch(root, read_patch(f"*** Begin Patch\n*** {verb} File: {path}\n{body}*** End Patch\n"))
    assert contents(root) == FILES


async def test_a_move_passes_the_gate_at_both_ends(root: Path) -> None:
    (root / "link").symlink_to(root / "src")
    for target in ("../x", ".github/workflows/x.yml", "link/x"):
        text = f"*** Begin Patch\n*** Update File: a.txt\n*** Move to: {target}\n*** End Patch\n"
        with pytest.raises(PatchError, match="refused"):
            await apply_patch(root, read_patch(text))
    assert {**contents(root), **FILES} == contents(root)
    assert (root / "a.txt").exists()


async def test_a_file_that_is_no_text_is_refused(root: Path) -> None:
    (root / "a.txt").write_bytes(b"one\xff\ntwo\n")
    with pytest.raises(PatchError, match="no UTF-8 text"):
        await apply_patch(root, read_patch(PATCH))


async def test_a_move_onto_a_file_is_refused(root: Path) -> None:
    text = "*** Begin Patch\n*** Update File: a.txt\n*** Move to: src/b.txt\n*** End Patch\n"
    with pytest.raises(PatchError, match="cannot move there"):
        await apply_patch(root, read_patch(text))
    assert contents(root) == FILES


async def test_a_deletion_by_diff_must_show_the_whole_file(root: Path) -> None:
    text = "--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"
    with pytest.raises(PatchError, match="holds more than the patch shows"):
        await apply_patch(root, read_patch(text))
    await apply_patch(root, read_patch(text.replace("-1 ", "-1,2 ") + "-two\n"))
    assert "a.txt" not in contents(root)


async def test_two_hunks_for_the_same_lines_are_refused(root: Path) -> None:
    text = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+1\n@@ -1 +1 @@\n-one\n+I\n"
    with pytest.raises(PatchError, match="another hunk of the patch changes"):
        await apply_patch(root, read_patch(text))


async def test_a_hundred_files_of_a_hundred_lines_pass(tmp_path: Path) -> None:
    text = "".join(f"f{n}.txt\n```\n" + "line\n" * 100 + "```\n" for n in range(100))
    await apply_patch(tmp_path, read_patch(text))
    assert len(contents(tmp_path)) == 100


def test_random_cases_and_kills_leave_no_tree_half_patched() -> None:
    command = [sys.executable, "benchmarks/patch_soak.py", "--cases", "60", "--kills", "120", "--seed", "1000000"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "old tree" in result.stdout
    assert "new tree" in result.stdout
