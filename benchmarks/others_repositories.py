"""Features planned and built in repositories that someone else wrote: two small libraries, as they are on the index.

    .venv/bin/python benchmarks/others_repositories.py             # with the embedded model
    .venv/bin/python benchmarks/others_repositories.py --script    # with replies written by hand: a script, no model

Each is unpacked, put into a repository of its own, and gets its feature with ``agentinfra plan``, as a user would ask
for it. What a model does not manage stands in the table as that; the exit code is 1 only where the machinery failed:
where files outside of the tasks' claims changed, a test that passed before does not any more, or a script is not done.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idea_product import read_events
from others_features import FEATURES, PROVIDER, Feature

from agentinfra.core.errors import AgentInfraError, EngineError
from agentinfra.core.tasks import TaskState
from agentinfra.models.catalog import DEFAULT_MODEL
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox
from agentinfra.workflow.run_state import RunState

COMMAND = Path(sys.executable).with_name("agentinfra")
MINUTES = 15.0
GRACE_SECONDS = 120.0
OWN_FILES = frozenset({"spec.md", "tasks.md", "pytest.ini"})
_LEFT_OUT = ("__pycache__", ".egg-info")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a feature.

    Attributes:
        package: Name and version.
        model: What answered, as the run's own record names it.
        done: How many tasks are done.
        tasks: How many there were.
        blocked: The reasons of those that are not done.
        before: Tests that passed before, of how many.
        after: Those on the run's branch.
        seconds: How long it took.
        outside: Files that were changed and that no task claimed.
        read: What of the repository was read first: its instructions and conventions.
    """

    package: str
    model: str
    done: int
    tasks: int
    blocked: tuple[str, ...]
    before: tuple[int, int]
    after: tuple[int, int]
    seconds: float
    outside: tuple[str, ...]
    read: str

    @property
    def is_sound(self) -> bool:
        """Whether the machinery held: nothing outside of the claims changed, and no more tests fail than before."""
        return not self.outside and self.after[1] - self.after[0] <= self.before[1] - self.before[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the features and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--script", action="store_true", help="answer with replies written by hand instead of a model")
    parser.add_argument("--model", default=f"local:{DEFAULT_MODEL}", help="provider:name")
    parser.add_argument("--only", choices=[one.name for one in FEATURES], help="one of the repositories")
    parser.add_argument("--keep", type=Path, help="folder to leave what was built in")
    options = parser.parse_args(arguments)
    wanted = [one for one in FEATURES if options.only in (None, one.name)]
    folder = options.keep or Path(tempfile.mkdtemp(prefix="agentinfra-others-"))
    try:
        results = [
            asyncio.run(build(one, folder / one.name, f"{PROVIDER}:{one.name}" if options.script else options.model))
            for one in wanted
        ]
    except AgentInfraError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(results, scripted=options.script))
    complete = all(one.done == one.tasks > 0 for one in results)
    return 0 if all(one.is_sound for one in results) and (complete or not options.script) else 1


def fetch(feature: Feature, folder: Path) -> Path:
    """Download the package's sources with pip and commit them to a new repository.

    Raises:
        EngineError: There is no such source archive, or it holds something else.
    """
    folder.mkdir(parents=True)
    wanted = (f"{feature.name}=={feature.version}", "--no-deps", "--no-binary", ":all:")
    command = (sys.executable, "-m", "pip", "download", "--quiet", "-d", str(folder / "download"), *wanted)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = list((folder / "download").glob("*.tar.gz"))
    if len(archives) != 1:
        raise EngineError(f"{feature.name} {feature.version} could not be fetched", why=done.stderr[-500:])
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    workspace = folder / f"{feature.name}-{feature.version}"
    for path in [one for one in workspace.rglob("*") if one.name.endswith(_LEFT_OUT)]:
        shutil.rmtree(path, ignore_errors=True)
    commit(workspace)
    return workspace


def commit(workspace: Path) -> None:
    """Make a folder a repository with everything in it on ``main``."""
    _git(workspace, "init", "--quiet", "-b", "main")
    _git(workspace, "add", "--all")
    _git(workspace, "commit", "--quiet", "-m", "The sources as they are published")


async def build(feature: Feature, folder: Path, model: str, obtain: Callable[[Feature, Path], Path] = fetch) -> Result:
    """Have a feature built in the package's own sources, and see what became of both.

    Args:
        feature: What is asked for.
        folder: A new folder for everything about it.
        model: ``provider:name``.
        obtain: Makes a repository of the package's sources in the folder, with all of them on its branch ``main``.

    Raises:
        EngineError: The package could not be fetched, or the run ended before its first event.
    """
    workspace = await asyncio.to_thread(obtain, feature, folder)
    runner = PytestRunner(await choose_sandbox(allow_unsandboxed=False))
    before = await runner.run(workspace)
    started = time.monotonic()
    state = await asyncio.to_thread(plan, feature, folder, workspace, model)
    seconds = time.monotonic() - started
    branch = str(state.info["branch"])
    _git(workspace, "checkout", "--quiet", branch)
    after = await runner.run(workspace)
    return Result(
        package=f"{feature.name} {feature.version}",
        model=str(state.info["model"]),
        done=sum(task.state is TaskState.DONE for task in state.tasks),
        tasks=len(state.tasks),
        blocked=tuple(f"{one.id}: {one.reason}" for one in state.tasks if one.state is not TaskState.DONE),
        before=(before.passed, len(before.tests)),
        after=(after.passed, len(after.tests)),
        seconds=seconds,
        outside=outside(state, _git(workspace, "diff", "--name-only", "main", branch).splitlines()),
        read=what_was_read(state),
    )


def plan(feature: Feature, folder: Path, workspace: Path, model: str) -> RunState:
    """Run ``agentinfra plan`` to its end.

    Raises:
        EngineError: It ended before its first event.
    """
    own = ("--yes", "--json", "--seed", "1", "--budget-minutes", f"{MINUTES:g}")
    command = (str(COMMAND), "plan", feature.idea, "--workspace", str(workspace), "--model", model, *own)
    environment = {
        **os.environ,
        **script_environment(folder),
        "AGENTINFRA_DATA_DIR": str(folder / "data"),
        "AGENTINFRA_CONFIG": str(folder / "config.toml"),
    }
    with (folder / "events.jsonl").open("wb") as events, (folder / "stderr.txt").open("wb") as complaints:
        limit = MINUTES * 60 + GRACE_SECONDS
        subprocess.run(command, env=environment, stdout=events, stderr=complaints, timeout=limit, check=False)
    state = read_events(folder / "events.jsonl")
    if not state.run:
        raise EngineError("agentinfra plan did not begin", why=(folder / "stderr.txt").read_text("utf-8")[-1_000:])
    return state


def script_environment(folder: Path) -> Mapping[str, str]:
    """What makes the scripts a provider of models: an installed package as far as Python can see."""
    package = folder / "script-provider" / "script_provider-1.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: script-provider\nVersion: 1\n", "utf-8")
    entry = f"[agentinfra.models]\n{PROVIDER} = others_features:model\n"
    (package / "entry_points.txt").write_text(entry, "utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(package.parent), str(Path(__file__).resolve().parent)))}


def outside(state: RunState, changed: Sequence[str]) -> tuple[str, ...]:
    """The changed files that are neither claimed by a task, nor its tests, nor the run's own documents."""
    claimed = {path for task in state.tasks for path in task.files}
    tests = {test.partition("::")[0] for task in state.tasks for test in (*task.red, *task.green)}
    return tuple(path for path in changed if path not in claimed | tests | OWN_FILES)


def what_was_read(state: RunState) -> str:
    """What the run's record says of the repository's instructions and conventions."""
    guidance: Mapping[str, Any] = state.info.get("guidance") or {"instructions": [], "conventions": []}
    paths = [str(one["path"]) for one in guidance["instructions"]]
    return f"{', '.join(paths) or 'no instructions'}; {len(guidance['conventions'])} conventions"


def table(results: Sequence[Result], *, scripted: bool) -> str:
    """The results as Markdown, with what they come from."""
    head = (
        "Answered by a script: replies written by hand. This shows the machinery, not what a model can do."
        if scripted
        else f"Answered by {', '.join(dict.fromkeys(one.model for one in results))}."
    )
    rows = [
        "| repository | answered by | tasks done | tests before | tests after | time | changed outside the claims |",
        "|--|--|--|--|--|--|--|",
        *(_row(one) for one in results),
    ]
    notes = [f"{one.package}: read first: {one.read}" for one in results]
    blocked = [f"{one.package}: not done: {reason}" for one in results for reason in one.blocked]
    return "\n".join([head, "", *rows, "", *notes, *blocked])


def _row(one: Result) -> str:
    tests = [f"{passed} of {total}" for passed, total in (one.before, one.after)]
    done, changed = f"{one.done} of {one.tasks}", ", ".join(one.outside) or "none"
    return f"| {one.package} | {one.model} | {done} | {tests[0]} | {tests[1]} | {one.seconds:.0f} s | {changed} |"


def _git(workspace: Path, *arguments: str) -> str:
    """What git prints, with no user's or system's settings."""
    plain = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    own = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-C", str(workspace))
    return subprocess.run(("git", *own, *arguments), env=plain, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
