"""Finding what a person changed: the approved specification, spec.md in the workspace, and what is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from agentinfra.core.errors import InputError, SpecError
from agentinfra.core.interfaces import EventLog
from agentinfra.core.tasks import TaskState
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha, read_front_matter
from agentinfra.workflow.change_request import ChangeRequest
from agentinfra.workflow.run_files import RunFiles
from agentinfra.workflow.run_state import RunState, reduce

SPEC = "spec.md"


async def find_change(log: EventLog, git: GitWorkspace, runs: Path) -> ChangeRequest:
    """Compare spec.md of the workspace with the one that was approved for the run that HEAD's names.

    What was approved is what the event log says, by its hash: a spec.md that merely claims it is refused.

    Args:
        log: Where runs are on record.
        git: The repository.
        runs: Folder of the runs' own folders.

    Raises:
        InputError: There is nothing to change, or its run is not known here.
        SpecError: The edited file cannot be read.
    """
    committed = await git.read_file("HEAD", SPEC) if SPEC in await git.list_files("HEAD") else ""
    run = read_front_matter(committed).get("id", "")
    if not run or run not in log.runs():
        raise InputError(
            "There is no finished run to change here",
            why=f"HEAD's {SPEC} is of run {run}, which is not on record here" if run else f"HEAD holds no {SPEC}",
            next_step='Accept a run first (`agentinfra accept`), or start one with `agentinfra plan "…"`',
        )
    state, files = reduce(log.read(run)), RunFiles(runs / run)
    approved = next((one for one in (committed, await _text(files.spec_path)) if _is_approved(one, state)), "")
    if not approved:
        raise InputError(
            f"What was approved for run {run} is not known any more",
            why="Its text has another hash than the approval on record",
            next_step=f'Start a new run with `agentinfra plan "…"`; {SPEC} may be its idea',
        )
    edited = await _edited(git.root / SPEC, approved)
    earlier = await asyncio.to_thread(_earlier, files)
    return ChangeRequest(run, approved, edited, _done(state, earlier), _tests(state, earlier))


async def _edited(path: Path, approved: str) -> str:
    edited = await _text(path)
    if not edited or body_sha(edited) == body_sha(approved):
        raise InputError(
            f"{path} is {'as it was approved' if edited else 'not there'}",
            next_step=f"Edit {SPEC} (requirements, their examples), then give the command again",
        )
    check_ids(path, edited)
    return edited


def check_ids(path: Path, text: str) -> None:
    """Refuse a specification in which an id stands for several requirements.

    Args:
        path: What is said to be wrong.
        text: What it holds.

    Raises:
        SpecError: An id is there twice, or the text cannot be read.
    """
    times = Counter(one.id for one in parse(text).requirements)
    doubled = [name for name, number in times.items() if number > 1]
    if doubled:
        raise SpecError(
            f"{path} has {', '.join(doubled)} more than once",
            why="It could not be said which of them a task stands for",
            next_step="Give every requirement an id of its own",
        )


def _is_approved(text: str, state: RunState) -> bool:
    return bool(text) and body_sha(text) == state.approved_sha


def _done(state: RunState, earlier: ChangeRequest | None) -> tuple[str, ...]:
    """Tasks that are done and on the branch; those that a run left as they were are done as before."""
    own = {task.id: task.state is TaskState.DONE and not task.undone for task in state.tasks}
    before = [name for name in earlier.done if name not in own] if earlier else []
    return (*before, *(name for name, done in own.items() if done))


def _tests(state: RunState, earlier: ChangeRequest | None) -> dict[str, tuple[str, ...]]:
    """The test files by requirement; those of requirements that a run did not touch are as they were before it."""
    found = {name: tuple(files) for name, files in earlier.tests.items()} if earlier else {}
    for task in state.tasks:
        files = tuple(dict.fromkeys(test.partition("::")[0] for test in task.green))
        found |= dict.fromkeys(task.requirements, files) if files else {}
    return found


def _earlier(files: RunFiles) -> ChangeRequest | None:
    return files.options().change


async def _text(path: Path) -> str:
    try:
        return await asyncio.to_thread(path.read_text, encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read", why=str(error), next_step="Mend or restore it") from error
