"""Run one idea from start to end into a new git repository, and leave it on the branch with the result.

Reads its settings from the environment, where any text is safe: IDEA (the idea; the example's without one), OUT
(the folder of the result) and MODEL (``provider:name``).
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
AGENTINFRA = str(ROOT / ".venv" / "bin" / "agentinfra")
OVER = (0, 1)  # exit codes of a run that came to its end, with everything done or not
EXAMPLE = ROOT / "examples" / "demo_idea.md"


def main() -> int:
    """Make the repository, run the idea, check the branch out; the exit code is that of the run."""
    signal.signal(signal.SIGINT, wait_for_the_run)
    model = os.environ.get("MODEL") or "local:qwen2.5-coder-1.5b"
    out = free_folder(Path(os.environ.get("OUT") or "demo").expanduser().resolve())
    if model.startswith("local:") and not fetch(model.removeprefix("local:")):
        return 1
    # A repository of its own, also inside another one: the run must never find the outer checkout.
    call("git", "init", "--quiet", "--initial-branch=main", str(out))
    code = run_idea(os.environ.get("IDEA", ""), out, model)
    if code in OVER:
        show(out)
    else:
        # Checking the branch out now would stand in the way of the resume.
        print(
            f"\nThe run is not over. It goes on with:\n  {near(Path(AGENTINFRA))} resume --workspace {near(out)} --yes"
        )
    return code


def wait_for_the_run(_signal: int, _frame: FrameType | None) -> None:
    """Leave Ctrl-C to the run, which gets it too and stops cleanly."""


def free_folder(wanted: Path) -> Path:
    """The folder itself if nothing of the user's lies there; otherwise the first of name-2, name-3, … that is free."""
    numbered = (wanted.with_name(f"{wanted.name}-{number}") for number in itertools.count(2))
    return next(folder for folder in itertools.chain([wanted], numbered) if is_free(folder))


def is_free(folder: Path) -> bool:
    """Whether the folder is new, empty, or a repository without files and commits."""
    if not folder.exists():
        return True
    if not folder.is_dir() or {path.name for path in folder.iterdir()} - {".git"}:
        return False
    return not list_branches(folder)


def run_idea(idea: str, out: Path, model: str) -> int:
    """Plan and build; the idea travels as a file, so that no text can be taken for an option."""
    with tempfile.TemporaryDirectory() as folder:
        file = EXAMPLE
        if idea.strip():
            file = Path(folder, "idea.md")
            file.write_text(idea, encoding="utf-8")
        settings = ["--idea-file", str(file), "--workspace", str(out), "--model", model]
        return call(AGENTINFRA, "plan", *settings, "--yes")


def show(out: Path) -> None:
    """Check the run's branch out and say where everything is."""
    branches = list_branches(out, "refs/heads/agentinfra/")
    if not branches:
        print(f"\nThe run left no branch in {out}.")
        return
    call("git", "-C", str(out), "checkout", "--quiet", branches[0])
    place = near(out)
    print(f"\nThe result is in {place}, on branch {branches[0]}: spec.md, tasks.md, code and tests.")
    print(f"  git -C {place} log        one commit a task, with its requirement, agent and model")
    print(f"  {near(Path(AGENTINFRA))} report --workspace {place}")


def near(path: Path) -> str:
    """The path as one types it here: relative where it lies below the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def fetch(name: str) -> bool:
    """Have the model's file on this machine; its path, which the command prints, is of no interest here."""
    return subprocess.run((AGENTINFRA, "models", "pull", name), stdout=subprocess.DEVNULL, check=False).returncode == 0


def list_branches(folder: Path, prefix: str = "refs/heads/") -> list[str]:
    """The branches of a repository, newest first; none where there is no repository."""
    if not (folder / ".git").exists():
        return []
    command = ["git", "-C", str(folder), "for-each-ref", "--sort=-creatordate", "--format=%(refname:short)", prefix]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def call(*command: str) -> int:
    """Run a command in the foreground and return its exit code."""
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
