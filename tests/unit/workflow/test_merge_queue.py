"""The merge queue on a real repository with real test runs in the sandbox."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_objects import MergeResult
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.report import TestReport
from agentinfra.security.sandbox.detect import choose_sandbox
from agentinfra.workflow.merge_queue import MergeQueue, Outcome, conflict_outcome, describe_failures, ready
from agentinfra.workflow.merge_trees import Ticket

RUN = "r1"
DATE = "2026-01-02T03:04:05"
BASE = {
    "core.py": "def double(number):\n    return 2 * number\n\n\ndef half(number):\n    return number // 2\n",
    "names.txt": "first\n",
    "limit.py": "LIMIT = 10\n",
    "tests/test_core.py": "from core import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
}


@pytest.fixture(autouse=True)
def own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(("git", *own, *words), cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Desk:
    """A repository with a run's branch and a queue; does tasks and hands them in."""

    def __init__(self, folder: Path, runner: PytestRunner, base: Mapping[str, str] = BASE) -> None:
        self.root = folder / "work"
        self.root.mkdir()
        git(self.root, "init", "-q", "-b", "main")
        write(self.root, base)
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", "Begin")
        self.workspace = GitWorkspace.open(self.root, scratch=folder / "scratch")
        self.runner = runner
        self.queue = MergeQueue(self.workspace, runner, RUN, DATE)

    async def begin(self) -> Desk:
        await self.workspace.start_branch(RUN)
        return self

    async def do(self, number: int, files: Mapping[str, str], start: str = "main", **about: tuple[str, ...]) -> Ticket:
        """Do a task with a test of its own: the module ``m<n>``, and these files."""
        name, test = f"T-{number}", f"tests/test_m{number}.py"
        own = {
            f"m{number}.py": f"VALUE = {number}\n",
            test: f"import m{number}\n\n\ndef test_m():\n    assert m{number}.VALUE == {number}\n",
        }
        root = await self.workspace.task_worktree(f"{RUN}-{name}", start)
        write(root, {**own, **files})
        trailers = {"AgentInfra-Task": name}
        sha = await self.workspace.commit_worktree(f"{RUN}-{name}", f"Do {name}", trailers, DATE)
        await self.workspace.remove_worktree(f"{RUN}-{name}")
        assert sha is not None
        return Ticket(name, sha, number, tests=(f"{test}::test_m",), **about)

    async def hand_in(self, *tickets: Ticket) -> dict[str, Outcome]:
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(*(self.queue.submit(ticket) for ticket in tickets))
        return {ticket.task: outcome for ticket, outcome in zip(tickets, outcomes, strict=True)}

    async def is_green(self) -> bool:
        root = await self.workspace.task_worktree(f"{RUN}-look", await self.workspace.tip(RUN))
        return (await self.runner.run(root)).all_passed

    def show(self, path: str) -> str:
        return git(self.root, "show", f"agentinfra/{RUN}:{path}")


def write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await Desk(tmp_path, PytestRunner(await choose_sandbox(allow_unsandboxed=False))).begin()


async def test_tasks_that_fit_are_merged_together_by_one_test_run(desk: Desk) -> None:
    tickets = [await desk.do(number, {}) for number in range(6)]
    outcomes = await desk.hand_in(*reversed(tickets))
    assert (desk.queue.whole_runs, desk.queue.partial_runs) == (1, 0)
    log = await desk.workspace.log(RUN)
    assert [commit.subject for commit in log] == [f"Do T-{number}" for number in range(6)]
    assert {one.trailers["AgentInfra-Task"]: one.sha for one in log} == {n: o.commit for n, o in outcomes.items()}
    together = tuple(f"T-{number}" for number in range(6))
    assert {(one.together, dict(one.triage).__len__()) for one in outcomes.values()} == {(together, 0)}
    assert {TestReport.from_json(one.report or {}).passed for one in outcomes.values()} == {7}
    assert await desk.is_green()


async def test_the_same_tasks_give_the_same_commits_whoever_comes_first(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = await Desk(tmp_path / "other", desk.runner).begin()
    for one, order in ((desk, [0, 1, 2]), (other, [2, 0, 1])):
        await one.hand_in(*[await one.do(number, {}) for number in order])
    mine, theirs = [await one.workspace.log(RUN) for one in (desk, other)]
    assert [commit.subject for commit in mine] == [commit.subject for commit in theirs]


async def test_who_breaks_the_base_goes_back_and_the_rest_is_merged(desk: Desk) -> None:
    worse = {"core.py": BASE["core.py"].replace("2 * number", "3 * number")}
    tickets = [await desk.do(number, worse if number == 2 else {}) for number in range(5)]
    outcomes = await desk.hand_in(*tickets)
    assert {task for task, outcome in outcomes.items() if not outcome.commit} == {"T-2"}
    assert "tests/test_core.py::test_double" in outcomes["T-2"].reason
    assert "assert 6 == 4" in outcomes["T-2"].evidence
    assert outcomes["T-2"].triage == {"tests/test_core.py::test_double": "new"}
    assert set(await desk.workspace.merged_tasks(RUN)) == {"T-0", "T-1", "T-3", "T-4"}
    assert await desk.is_green()


async def test_a_task_that_removes_what_anothers_tests_rest_on_goes_back(desk: Desk) -> None:
    uses = {"tests/test_m1.py": "import core\n\n\ndef test_m():\n    assert core.half(4) == 2\n"}
    gone = {"core.py": BASE["core.py"].partition("\n\n\ndef half")[0] + "\n"}
    outcomes = await desk.hand_in(await desk.do(0, gone), await desk.do(1, uses), await desk.do(2, {}))
    assert [bool(one.commit) for one in outcomes.values()] == [False, True, True]
    assert await desk.is_green()


async def test_a_task_whose_locked_test_is_overwritten_is_not_the_guilty_one(desk: Desk) -> None:
    first = await desk.do(0, {})
    await desk.hand_in(first)
    empty = {"tests/test_m0.py": "def test_other():\n    pass\n"}
    outcomes = await desk.hand_in(await desk.do(1, empty, f"agentinfra/{RUN}"), await desk.do(2, {}))
    assert [bool(one.commit) for one in outcomes.values()] == [False, True]
    assert "gone" in outcomes["T-1"].evidence
    assert "test_m" in desk.show("tests/test_m0.py")


async def test_what_failed_before_is_held_against_nobody(tmp_path: Path, desk: Desk) -> None:
    (tmp_path / "sick").mkdir()
    old = "def test_old():\n    assert False\n"
    sick = await Desk(tmp_path / "sick", desk.runner, {**BASE, "tests/test_old.py": old}).begin()
    outcomes = await sick.hand_in(await sick.do(0, {}), await sick.do(1, {}))
    assert all(one.commit for one in outcomes.values())
    assert outcomes["T-1"].triage == {"tests/test_old.py::test_old": "pre-existing"}


async def test_a_task_that_ends_the_whole_run_is_found(desk: Desk) -> None:
    ends = {"core.py": "import os\n\n\ndef double(number):\n    os._exit(0)\n"}
    outcomes = await desk.hand_in(*[await desk.do(number, ends if number == 1 else {}) for number in range(3)])
    assert [bool(one.commit) for one in outcomes.values()] == [True, False, True]


async def test_lines_added_at_the_same_place_are_merged_without_asking_anybody(desk: Desk) -> None:
    tickets = [await desk.do(number, {"names.txt": f"first\nname {number}\n"}) for number in range(4)]
    outcomes = await desk.hand_in(*tickets)
    assert all(one.commit for one in outcomes.values())
    assert desk.show("names.txt") == "first\nname 0\nname 1\nname 2\nname 3"
    assert desk.queue.whole_runs == 1


async def test_a_conflict_is_shown_and_what_is_done_again_on_top_is_merged(desk: Desk) -> None:
    tickets = [await desk.do(number, {"limit.py": f"LIMIT = {number}\n"}) for number in (1, 2)]
    outcomes = await desk.hand_in(*tickets)
    assert outcomes["T-1"].commit
    assert outcomes["T-2"].reason == "It conflicts in limit.py"
    shown = outcomes["T-2"].evidence
    assert "<<<<<<< on the branch\nLIMIT = 1\n=======\nLIMIT = 2\n>>>>>>> yours" in shown
    again = await desk.do(2, {"limit.py": "LIMIT = 1 + 2\n"}, f"agentinfra/{RUN}")
    assert (await desk.hand_in(again))["T-2"].commit
    assert desk.show("limit.py") == "LIMIT = 1 + 2"


async def test_of_tasks_that_conflict_with_each_other_each_is_done_again_once(desk: Desk) -> None:
    returns: list[str] = []

    async def carry(number: int, ticket: Ticket) -> None:
        while not (await desk.queue.submit(ticket)).commit:
            returns.append(ticket.task)
            limit = desk.show("limit.py")
            await asyncio.sleep(0.3)  # as long as others need to be merged
            ticket = await desk.do(number, {"limit.py": f"{limit} + {number}\n"}, f"agentinfra/{RUN}")

    tickets = {number: await desk.do(number, {"limit.py": f"LIMIT = 10 + {number}\n"}) for number in range(1, 5)}
    async with asyncio.timeout(60):
        await asyncio.gather(*(carry(number, ticket) for number, ticket in tickets.items()))
    assert sorted(returns) == ["T-2", "T-3", "T-4"]
    assert sorted(desk.show("limit.py").removeprefix("LIMIT = 10 + ").split(" + ")) == ["1", "2", "3", "4"]


async def test_who_waits_for_a_task_that_nobody_does_again_is_told_in_time(desk: Desk) -> None:
    tickets = [await desk.do(number, {"limit.py": f"LIMIT = {number}\n"}) for number in range(1, 4)]
    waiting = [asyncio.create_task(desk.queue.submit(one)) for one in tickets]
    async with asyncio.timeout(60):
        assert (await waiting[0]).commit
        assert (await waiting[1]).reason == "It conflicts in limit.py"
        assert not waiting[2].done()
        desk.queue.abandon("T-2")
        assert (await waiting[2]).reason == "It conflicts in limit.py"


async def test_a_task_that_conflicts_with_a_guilty_one_only_is_merged(desk: Desk) -> None:
    worse = {"core.py": BASE["core.py"].replace("2 * number", "3 * number")}
    better = {"core.py": BASE["core.py"].replace("2 * number", "number + number")}
    outcomes = await desk.hand_in(await desk.do(0, worse), await desk.do(1, better))
    assert [bool(one.commit) for one in outcomes.values()] == [False, True]
    assert "number + number" in desk.show("core.py")


async def test_tasks_wait_for_those_that_they_need(desk: Desk) -> None:
    needed = await desk.do(5, {})
    outcomes = await desk.hand_in(await desk.do(1, {}, needs=("T-5",)), needed)
    assert all(one.commit for one in outcomes.values())
    assert [commit.subject for commit in await desk.workspace.log(RUN)] == ["Do T-5", "Do T-1"]


async def test_after_a_crash_a_task_on_the_branch_is_not_merged_again(desk: Desk) -> None:
    tickets = [await desk.do(number, {}) for number in range(2)]
    before = await desk.hand_in(*tickets)
    tip = await desk.workspace.tip(RUN)
    desk.queue = MergeQueue(desk.workspace, desk.runner, RUN, DATE)
    again = await desk.hand_in(tickets[1], await desk.do(7, {}))
    assert again["T-1"].commit == before["T-1"].commit
    assert TestReport.from_json(again["T-1"].report or {}).all_passed
    assert (await desk.workspace.log(RUN))[-2].sha == tip
    assert again["T-7"].commit == await desk.workspace.tip(RUN)


async def test_what_is_guilty_comes_after_the_others_when_it_comes_again(desk: Desk) -> None:
    worse = {"core.py": BASE["core.py"].replace("2 * number", "3 * number")}
    bad = await desk.do(0, worse)
    await desk.hand_in(bad, await desk.do(1, {}))
    before = desk.queue.partial_runs
    outcomes = await desk.hand_in(bad, await desk.do(2, {}))
    assert [bool(one.commit) for one in outcomes.values()] == [False, True]
    assert desk.queue.partial_runs == before + 1  # by itself there is nobody else to look for


async def test_a_commit_of_the_user_on_the_branch_stays_and_the_tree_on_top_of_it_is_tested(desk: Desk) -> None:
    ticket = await desk.do(0, {})

    class Meddling(PytestRunner):
        """Has the user commit to the branch while tests run."""

        meddled = False

        async def run(self, *args: object, **options: object) -> TestReport:
            if not Meddling.meddled:
                Meddling.meddled = True
                await desk.workspace.commit_files(RUN, {"mine.txt": "mine\n"}, "By hand", {})
            return await super().run(*args, **options)  # type: ignore[arg-type]

    desk.queue = MergeQueue(desk.workspace, Meddling(desk.runner.sandbox), RUN, DATE)
    assert (await desk.hand_in(ticket))["T-0"].commit == await desk.workspace.tip(RUN)
    assert desk.show("mine.txt") == "mine"
    assert desk.queue.whole_runs == 2


async def test_a_repository_in_the_way_is_told_to_everybody_and_nothing_is_lost(desk: Desk) -> None:
    tickets = [await desk.do(number, {}) for number in range(2)]
    git(desk.root, "checkout", "-q", f"agentinfra/{RUN}")
    async with asyncio.timeout(60):
        failed = await asyncio.gather(*(desk.queue.submit(one) for one in tickets), return_exceptions=True)
    assert [type(one) for one in failed] == [WorkspaceError, WorkspaceError]
    git(desk.root, "checkout", "-q", "main")
    assert all(one.commit for one in (await desk.hand_in(*tickets)).values())


@pytest.mark.parametrize("stopped", [0, 1], ids=["the one who works for all", "one who waits"])
async def test_when_one_is_stopped_the_others_go_on(desk: Desk, stopped: int) -> None:
    tickets = [await desk.do(number, {}) for number in range(3)]
    tasks = [asyncio.create_task(desk.queue.submit(one)) for one in tickets]
    await asyncio.sleep(0.1)
    tasks[stopped].cancel()
    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes.pop(stopped), asyncio.CancelledError)
    assert all(isinstance(one, Outcome) and one.commit for one in outcomes)


def test_an_outcome_survives_the_record() -> None:
    outcome = Outcome("abc", "why", "shown", None, {"a": "new"}, ("T-1", "T-2"))
    assert Outcome.from_json(outcome.to_json()) == outcome


def test_a_long_conflict_is_cut_and_a_file_that_is_no_text_is_only_named() -> None:
    long = "<<<<<<< a\n" + "x\n" * 100 + "=======\ny\n>>>>>>> b\n"
    outcome = conflict_outcome(MergeResult(None, ("a.txt", "b.bin"), {"a.txt": f"before\n{long}after\n"}))
    assert outcome.reason == "It conflicts in a.txt, b.bin"
    assert len(outcome.evidence.splitlines()) < 50
    assert "before" not in outcome.evidence


def test_only_some_of_many_failures_are_told() -> None:
    reason, evidence = describe_failures({f"t{number}": "m" * 1000 for number in range(9)})
    assert reason.endswith("t4 and 4 more")
    assert len(evidence) < 4000


@st.composite
def tickets(draw: st.DrawFn) -> list[Ticket]:
    count = draw(st.integers(1, 12))
    return [
        Ticket(
            f"T-{number}",
            "",
            number,
            tuple(f"T-{other}" for other in draw(st.sets(st.integers(0, number), max_size=3)) if other < number),
        )
        for number in draw(st.permutations(range(count)))
    ]


@given(tickets())
def test_taken_round_by_round_every_task_comes_once_and_after_those_it_needs(waiting: list[Ticket]) -> None:
    merged: list[str] = []
    left = {ticket.task: ticket for ticket in waiting}
    while left:
        batch = ready(left.values())
        assert batch
        assert batch == sorted(batch, key=lambda ticket: ticket.place)
        for ticket in batch:
            assert {needed for needed in ticket.needs if needed in left}.isdisjoint(left)
            del left[ticket.task]
            merged.append(ticket.task)
        assert all(set(ticket.needs) <= set(merged) for ticket in batch)
    assert sorted(merged) == sorted(ticket.task for ticket in waiting)


def test_a_circle_does_not_wait_for_ever() -> None:
    assert len(ready([Ticket("T-1", "", 1, ("T-2",)), Ticket("T-2", "", 2, ("T-1",))])) == 2
