"""CPU time to read and check a large specification: 500 requirements and 2,000 tasks, goal 50 ms.

The readers and the checks are timed apart and together. A chain of 10,000 tasks that all claim one file, a ring of
1,000, and the documents at twice the size show that time grows with the size alone. Medians of CPU time, because a
busy machine would shift the clock; garbage is collected as in any program.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable

from agentinfra.spec.diagnostics import check_documents
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_source import read_tasks

ROUNDS = 15
GOAL_MS = 50.0
REQUIREMENTS, TASKS, CHAIN, RING = 500, 2_000, 10_000, 1_000
_HEAD = "---\nid: run-1\nstatus: draft\n---\n\n# Shop\n\n> A shop.\n\n## Goal\n\nSell things.\n\n## Requirements\n"
_REQUIREMENT = """
### FR-{n} · Price of part {n}

The price of part {n} is worked out from its weight, so that `price_{n}(2)` gives 4.
`list_{n}` holds at most {n} entries.

File: `shop/part_{n}.py`

Interface:

- `price_{n}(weight)`

Acceptance:

- `price_{n}(2)` returns `4` _(stated)_
- `price_{n}(-1)` raises `ValueError` _(guessed)_
- Given a list with {n} entries
  When a part is added
  Then it is refused
"""


def main() -> int:
    """Measure and print; the exit code is 1 when the goal is missed."""
    spec, tasks = specification(REQUIREMENTS), parts(TASKS, REQUIREMENTS)
    print(f"{REQUIREMENTS} requirements ({len(spec) // 1000} kB) and {TASKS} tasks ({len(tasks) // 1000} kB)")
    sources = read_spec(spec), read_tasks(tasks)
    assert check_documents(*sources) == []
    print(f"  read spec.md   {milliseconds(lambda: read_spec(spec)):7.1f} ms")
    print(f"  read tasks.md  {milliseconds(lambda: read_tasks(tasks)):7.1f} ms")
    print(f"  check          {milliseconds(lambda: check_documents(*sources)):7.1f} ms")
    both = checked(spec, tasks)
    print(f"  read and check {both:7.1f} ms (goal {GOAL_MS:.0f})")
    double = checked(specification(2 * REQUIREMENTS), parts(2 * TASKS, 2 * REQUIREMENTS))
    print(f"  twice the size {double:7.1f} ms, {double / both:.1f} times as long")
    for name, order in (("chain", chain(CHAIN)), ("ring", ring(RING))):
        print(f"A {name} of {len(order)} tasks, all of one file: {checked(_HEAD, claims(order)):.1f} ms")
    return 0 if both <= GOAL_MS else 1


def milliseconds(work: Callable[[], object]) -> float:
    """The median CPU time of some rounds."""
    times: list[float] = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times) * 1000


def checked(spec: str, tasks: str) -> float:
    """The time to read and check two documents, in milliseconds."""
    return milliseconds(lambda: check_documents(read_spec(spec), read_tasks(tasks)))


def specification(number: int) -> str:
    """A sound specification with so many requirements."""
    return _HEAD + "".join(_REQUIREMENT.format(n=n) for n in range(1, number + 1))


def parts(number: int, requirements: int) -> str:
    """So many tasks for so many requirements; those of one file depend on each other."""
    lines = ["# Tasks\n"]
    for task in range(1, number + 1):
        of = (task - 1) % requirements + 1
        lines.append(f"- [ ] T-{task} · Part {task} _(pending)_\n  - Requirements: FR-{of}")
        lines.append(f"  - Files: `shop/part_{of}.py`\n  - Symbols: `price_{task}(weight)`")
        lines += [f"  - Depends on: T-{task - requirements}"] if task > requirements else []
        lines.append("  - Engineer: BackendEngineer")
    return "\n".join(lines) + "\n"


def claims(order: Iterable[tuple[int, int]]) -> str:
    """Tasks that claim one file, each with the number of the one that it depends on."""
    lines = [
        f"- [ ] T-{task} · A\n  - Requirements: FR-1\n  - Files: `a.py`\n  - Depends on: T-{needed}"
        for task, needed in order
    ]
    return "\n".join(["# Tasks\n", *lines, ""])


def chain(number: int) -> list[tuple[int, int]]:
    """Tasks that each depend on the next one, so that the first can only be done last."""
    return [(task, task + 1) for task in range(1, number)] + [(number, number + 1)]


def ring(number: int) -> list[tuple[int, int]]:
    """Tasks that each depend on the next one, and the last one on the first."""
    return [(task, task % number + 1) for task in range(1, number + 1)]


if __name__ == "__main__":
    sys.exit(main())
