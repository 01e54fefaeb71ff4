"""Who among tasks that were merged together made tests fail; pure, the test runs come in as a function.

The rules, in this order:

1. A test of the branch itself, or of nobody, counts against those who break it.
2. A test that fails with its own task alone on the branch counts against that task.
3. A test that one other task breaks counts against that one: a task's tests stand for what was asked.
4. A test that several others break, each by itself, counts against the task that it belongs to: it asks for something
   that has no place beside the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

Fails = Callable[[tuple[str, ...], frozenset[str]], Awaitable[frozenset[str]]]
MAX_BREAKERS = 1


async def find_guilty(
    tasks: Sequence[str], owners: Mapping[str, str | None], fails: Fails
) -> dict[str, frozenset[str]]:
    """Find the tasks without which the failing tests would pass.

    Args:
        tasks: The tasks that were merged together, in the order of merging.
        owners: The tests that fail with all of them and do not fail without any; each with the one of them that it
            belongs to, or None.
        fails: Says which of some tests fail on the branch with only some of the tasks on it, in the given order. A test
            whose own task is missing does not fail.

    Returns:
        The guilty tasks with the tests that speak against them: at least one, where a test fails. What no smaller set
        of tasks shows is held against the task with which it showed.
    """
    if not owners:
        return {}
    if len(tasks) == 1:
        return {tasks[0]: frozenset(owners)}
    search = _Search(tuple(tasks), owners, fails)
    await search.run()
    return search.guilty


class _Search:
    def __init__(self, tasks: tuple[str, ...], owners: Mapping[str, str | None], fails: Fails) -> None:
        self._tasks = tasks
        self._owners = owners
        self._fails = fails
        self.guilty: dict[str, frozenset[str]] = {}

    async def run(self) -> None:
        await self._search_breakers((), frozenset(test for test, owner in self._owners.items() if owner is None))
        self._tasks = tuple(task for task in self._tasks if task not in self.guilty)
        tests = frozenset(test for test, owner in self._owners.items() if owner in self._tasks)
        if self.guilty and tests:
            tests = await self._fails(self._tasks, tests)
        together = tuple(task for task in self._tasks if any(self._owners[test] == task for test in tests))
        # Those to whom the tests belong come first: what passes with them alone was broken by one of the others.
        amiss = await self._fails(together, tests) if tests else tests
        await self._search_breakers(together, tests - amiss)
        for owner in together:
            await self._judge_alone(owner, frozenset(test for test in amiss if self._owners[test] == owner))

    async def _judge_alone(self, owner: str, tests: frozenset[str]) -> None:
        alone = await self._fails((owner,), tests) if tests else tests
        if alone:
            self._blame(owner, alone)
        await self._search_breakers((owner,), tests - alone)

    async def _search_breakers(self, start: tuple[str, ...], tests: frozenset[str]) -> None:
        """Blame those of the other tasks that break the tests, which pass with the tasks of ``start`` alone."""
        others: tuple[str, ...] = tuple(task for task in self._tasks if task not in start)
        crowded = await self._crowded(start, others, frozenset(test for test in tests if self._owners[test]))
        found: dict[str, list[str]] = {test: [] for test in tests - crowded}
        pending: frozenset[str] = tests - crowded
        while pending and others:
            firsts: dict[str, str] = await self._first(start, others, pending)
            for test, breaker in firsts.items():
                found[test].append(breaker)
            others = tuple(task for task in others if task not in firsts.values())
            open_still = frozenset(test for test in pending if len(found[test]) <= MAX_BREAKERS)
            pending = await self._fails((*start, *others), open_still) if open_still else open_still
        for test in tests:
            self._blame_for(test, found.get(test))

    async def _crowded(self, start: tuple[str, ...], others: Sequence[str], tests: frozenset[str]) -> frozenset[str]:
        """The tests that fail beside each of so many separate groups of the others that each must hold a breaker."""
        count = MAX_BREAKERS + 1
        if len(others) < count:
            return frozenset()
        for number in range(count):
            tests = await self._fails((*start, *others[number::count]), tests) if tests else tests
        return tests

    async def _first(self, start: tuple[str, ...], others: Sequence[str], tests: frozenset[str]) -> dict[str, str]:
        """For each test the first of the others with which it fails, by halves; all of them fail with all others."""
        if not tests or not others:
            return {}
        if len(others) == 1:
            return dict.fromkeys(tests, others[0])
        half = len(others) // 2
        early = await self._fails((*start, *others[:half]), tests)
        before = await self._first(start, others[:half], early)
        return {**before, **await self._first((*start, *others[:half]), others[half:], tests - early)}

    def _blame_for(self, test: str, breakers: Sequence[str] | None) -> None:
        owner = self._owners[test]
        crowd = breakers is None or len(breakers) > MAX_BREAKERS
        for task in [owner] if crowd and owner is not None else breakers or ():
            self._blame(task, frozenset([test]))

    def _blame(self, task: str, tests: frozenset[str]) -> None:
        self.guilty[task] = self.guilty.get(task, frozenset()) | tests
