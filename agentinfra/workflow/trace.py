"""Puts the trace together: from commit trailers, blame, the specification, and the engine's records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentinfra.core.errors import SpecError
from agentinfra.core.interfaces import EventLog
from agentinfra.environment.git_objects import RUN_TRAILER, TASK_TRAILER, CommitInfo
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.spec.document import parse
from agentinfra.spec.trace import Link, Trace, places
from agentinfra.workflow.proofs import TaskProof, proofs

REQUIREMENT_TRAILER = "AgentInfra-Requirement"
SPEC = "spec.md"
_OFF_RECORD = "its run is not on record here"


@dataclass(frozen=True, slots=True)
class _Record:
    """What the event log says of a task."""

    tests: tuple[str, ...]
    why: str


async def trace(git: GitWorkspace, log: EventLog, ref: str = "HEAD") -> Trace:
    """Trace a commit's history: which requirement is behind which task, test, commit and line.

    Args:
        git: The repository.
        log: Where the runs are on record; without one, links are not proven.
        ref: The commit, such as HEAD after a run was accepted, or a run's branch.

    Raises:
        WorkspaceError: There is no such commit.
        SpecError: Its spec.md cannot be read.
    """
    commits = await git.history(ref)
    files = await git.list_files(ref)
    written = {path for commit in commits for path in commit.files if path in files}
    blamed = {path: await git.blame(ref, path) for path in sorted(written)}
    titles = await _titles(git, ref) if SPEC in files else {}
    records = await asyncio.to_thread(_records, log, {commit.trailers.get(RUN_TRAILER, "") for commit in commits})
    links = [link for commit in _telling(commits, blamed) for link in _links(commit, titles, blamed, records)]
    linked = {link.requirement for link in links}
    bare = [Link(name, title, why="no task of it is in this history") for name, title in titles.items()]
    order = {name: place for place, name in enumerate(titles)}
    every = [*links, *(link for link in bare if link.requirement not in linked)]
    return Trace(tuple(sorted(every, key=lambda link: order.get(link.requirement, len(order)))), blamed)


def _telling(commits: Sequence[CommitInfo], blamed: Mapping[str, Sequence[str]]) -> list[CommitInfo]:
    """The commits of tasks that still say something: the newest of each task, and those of which lines stand."""
    newest = {commit.trailers[TASK_TRAILER]: commit.sha for commit in commits}
    standing = {sha for lines in blamed.values() for sha in lines}
    return [one for one in commits if one.sha in standing or newest[one.trailers[TASK_TRAILER]] == one.sha]


def _links(
    commit: CommitInfo,
    titles: Mapping[str, str],
    blamed: Mapping[str, Sequence[str]],
    records: Mapping[tuple[str, str], _Record],
) -> list[Link]:
    task, run = commit.trailers[TASK_TRAILER], commit.trailers.get(RUN_TRAILER, "")
    record = records.get((run, task), _Record((), _OFF_RECORD))
    stands = tuple(place for path in commit.files for place in places(path, blamed.get(path, ()), commit.sha))
    names = [name.strip() for name in commit.trailers.get(REQUIREMENT_TRAILER, "").split(",") if name.strip()]
    return [
        Link(name, titles.get(name, ""), task, run, commit.sha, record.tests, not record.why, stands, record.why)
        for name in names
    ]


async def _titles(git: GitWorkspace, ref: str) -> dict[str, str]:
    try:
        spec = parse(await git.read_file(ref, SPEC))
    except SpecError as error:
        error.next_step = error.next_step or f"Correct {SPEC}"
        raise
    return {one.id: one.title or one.id for one in spec.requirements}


def _records(log: EventLog, runs: set[str]) -> dict[tuple[str, str], _Record]:
    known = set(log.runs())
    return {(run, one.task.id): _record(one) for run in runs & known for one in proofs(log.read(run))}


def _record(proof: TaskProof) -> _Record:
    green = {test.id for test in proof.green.tests if test.outcome == "passed"} if proof.green else set[str]()
    red = [test.id for test in proof.red.failing] if proof.red else []
    if proof.undone:
        return _Record((), "it was undone")
    why = "; ".join(proof.problems) if proof.is_done else f"it is {proof.task.state.value}"
    return _Record(tuple(test for test in red if test in green), why)
