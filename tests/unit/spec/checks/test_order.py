"""The order of tasks at the sizes that people will not write by hand: named, without recursion, without waiting."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest

from agentinfra.spec.checks.finding import Diagnostic, Documents
from agentinfra.spec.checks.order import task_order
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_source import read_tasks

SPEC = read_spec("# T\n")
LIMIT_SECONDS = 5.0  # far above what it takes, far below what anything but linear would


def found(tasks: Iterable[tuple[int, str, Iterable[int]]]) -> list[Diagnostic]:
    """Check tasks given by number, file and the numbers that they depend on."""
    lines = ["# Tasks\n"]
    for number, file, needed in tasks:
        lines.append(f"- [ ] T-{number} · A\n  - Files: `{file}`")
        lines.append(f"  - Depends on: {', '.join(f'T-{one}' for one in needed)}")
    source = read_tasks("\n".join(lines) + "\n")
    begin = time.process_time()
    findings = list(task_order(Documents(SPEC, source)))
    assert time.process_time() - begin < LIMIT_SECONDS
    return findings


def test_a_chain_of_ten_thousand_that_all_claim_one_file():
    chain = [(number, "a.py", [number - 1] if number > 1 else []) for number in range(1, 10_001)]
    assert found(chain) == []
    assert found(reversed(chain)) == []


def test_a_chain_of_ten_thousand_whose_ends_claim_one_file():
    ends = {1: "a.py", 10_000: "a.py"}
    chain = [(number, ends.get(number, f"{number}.py"), [number - 1]) for number in range(1, 10_001)]
    assert found(chain) == []
    broken = [one for one in chain if one[0] != 5_000]
    assert [one.code for one in found(broken)] == ["unordered-claims"]


def test_a_ring_of_a_thousand_is_named_once_and_whole():
    (ring,) = found((number, f"{number}.py", [number % 1_000 + 1]) for number in range(1, 1_001))
    assert ring.code == "dependency-cycle"
    assert ring.message.startswith("Tasks depend on each other in a circle: T-1 → T-2 → T-3")
    assert ring.message.endswith("… (988 more) → T-1")
    assert [one.message for one in ring.related] == [
        f"T-{number} depends on T-{number % 1_000 + 1}" for number in range(2, 1_001)
    ]


def test_every_circle_is_named():
    circles = [(number, f"{number}.py", [number + 1 if number % 2 else number - 1]) for number in range(1, 401)]
    assert len(found(circles)) == 200


def test_two_thousand_tasks_that_claim_one_file_without_any_order():
    findings = found((number, "a.py", []) for number in range(1, 2_001))
    assert len(findings) == 1_999
    assert findings[0].message == "T-2 and T-1 both claim a.py, and neither depends on the other"


def test_claims_between_two_arms_of_a_graph():
    arms = [(1, "a.py", []), (2, "b.py", [1]), (3, "b.py", [1]), (4, "a.py", [2, 3]), (5, "b.py", [4])]
    assert [(one.subject, one.related[0].message) for one in found(arms)] == [("T-3", "T-2 claims it here")]


def test_tasks_of_one_circle_are_told_of_the_circle_alone():
    assert [one.code for one in found([(1, "a.py", [2]), (2, "a.py", [1])])] == ["dependency-cycle"]


@pytest.mark.parametrize("file", ["./a.py", "x/../a.py", "x//a.py"])
def test_one_file_by_two_paths(file: str):
    first = "x/a.py" if "//" in file else "a.py"
    assert [one.code for one in found([(1, first, []), (2, file, [])])] == ["unordered-claims"]


def test_of_the_same_id_the_first_is_meant():
    assert found([(1, "a.py", []), (2, "b.py", [1]), (1, "c.py", [2])]) == []


def test_a_task_that_is_given_twice_counts_once_in_a_circle():
    once = [(1, "a.py", [2]), (2, "b.py", [1])]
    (alone,) = found(once)
    (twice,) = found([once[0], (1, "c.py", []), once[1]])
    assert twice.message == alone.message
    assert "T-1 → T-2 → T-1" in twice.message
