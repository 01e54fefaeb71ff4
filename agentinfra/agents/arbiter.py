"""Code or test? Judged by agreement between independent candidates, with the grounded examples as anchor.

The method is dual execution agreement (CodeT, arXiv 2207.10397) with two kinds of tests: grounded ones, which hold
whatever the candidates do, and guesses, each of which is one voice among the candidates' own answers.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agentinfra.agents.test_suite import Case, Suite
from agentinfra.patching.names import parse_python
from agentinfra.proof.report import TestReport

PASSED = "passed"
ACTUAL = re.compile(r"(?:AssertionError: )?assert (.+?) (?:==|is) ", re.DOTALL)
_GIVES = "gives "
_UNREAD = "gives something like "  # a value that cannot be read back from the message


@dataclass(frozen=True, slots=True)
class Candidate:
    """An implementation that was tried.

    Attributes:
        files: Whole files as they stood in the worktree.
        written: What the model wrote for each of them.
        report: What the locked tests said.
        attempt: The try that it belongs to, from 1.
    """

    files: Mapping[str, str]
    written: Mapping[str, str]
    report: TestReport
    attempt: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """The arbiter's judgement.

    Attributes:
        winner: The candidate to deliver, or None when the code is wrong.
        drop: Names of guessed cases that fall.
        amend: The result on which candidates agree, by name of the guessed case that had another.
        reason: Why, in a sentence for the record.
    """

    winner: Candidate | None
    drop: tuple[str, ...] = ()
    amend: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = ""


def is_sound(candidate: Candidate, suite: Suite) -> bool:
    """Whether a candidate ran at all and passes every grounded case."""
    answers = _answers(candidate, suite)
    grounded = [answers[case.name] for case in suite.cases if case.example.ground.is_firm]
    ran = any(answer == PASSED or answer.startswith(_GIVES) for answer in answers.values())
    return all(answer == PASSED for answer in grounded) and (bool(grounded) or ran)


def arbitrate(suite: Suite, candidates: Sequence[Candidate]) -> Ruling:
    """Judge code against test after the tries are used up.

    A guess falls where the winner fails it and either more candidates answer like the winner than pass it, or
    grounded examples vouch for the winner and no candidate passes the guess. A winner without any grounded example
    needs a second candidate that answers every case as it does.
    """
    sound = _distinct([candidate for candidate in candidates if is_sound(candidate, suite)])
    if not sound:
        return Ruling(None, reason="No candidate passes the grounded examples: the code is wrong")
    table = [_answers(candidate, suite) for candidate in sound]
    votes = {case.name: Counter(row[case.name] for row in table) for case in suite.cases}
    best = max(range(len(sound)), key=lambda index: (_support(table[index], votes), -index))
    winner, row = sound[best], table[best]
    if not _is_vouched(row, table, suite):
        return Ruling(None, reason="No two candidates agree, and no example is grounded: neither can be trusted")
    failing = [case for case in suite.cases if row[case.name] != PASSED]
    kept = [case.name for case in failing if votes[case.name][PASSED] >= votes[case.name][row[case.name]]]
    if kept:
        return Ruling(None, reason=f"Candidates disagree about {', '.join(kept)}: the code may be wrong")
    amend = {case.name: value for case in failing if (value := _agreed(case, votes, row))}
    drop = tuple(case.name for case in failing if case.name not in amend)
    return Ruling(winner, drop, amend, _explain(failing, votes, row))


def _agreed(case: Case, votes: Mapping[str, Counter[str]], row: Mapping[str, str]) -> str:
    """The result that at least two candidates give and the winner is one of; empty where there is none."""
    answer = row[case.name]
    is_read = answer.startswith(_GIVES) and not answer.startswith(_UNREAD)
    if case.example.expect != "returns" or not is_read or votes[case.name][answer] < 2:
        return ""
    return answer.removeprefix(_GIVES)


def _support(row: Mapping[str, str], votes: Mapping[str, Counter[str]]) -> float:
    # A guess is a voice of its own, so passing it counts a little more than agreeing with one other candidate;
    # failing in the same way is no agreement about a result.
    told = {name: answer for name, answer in row.items() if answer == PASSED or answer.startswith(_GIVES)}
    return sum(votes[name][answer] + (1.1 if answer == PASSED else 0) for name, answer in told.items())


def _is_vouched(row: Mapping[str, str], table: Sequence[Mapping[str, str]], suite: Suite) -> bool:
    if any(case.example.ground.is_firm for case in suite.cases):
        return True
    return sum(other == row for other in table) >= 2


def _explain(failing: Sequence[Case], votes: Mapping[str, Counter[str]], row: Mapping[str, str]) -> str:
    if not failing:
        return "All cases pass"
    told = [
        f"{case.example.call} is not {case.example.value} ({votes[case.name][row[case.name]]} agree)"
        for case in failing
    ]
    return "Guessed cases fall: " + "; ".join(told)


def _answers(candidate: Candidate, suite: Suite) -> dict[str, str]:
    by_name = {outcome.id.rpartition("::")[2]: outcome for outcome in candidate.report.tests}
    answers: dict[str, str] = {}
    for case in suite.cases:
        outcome = by_name.get(case.name)
        if outcome is None:
            answers[case.name] = "did not run"
        else:
            answers[case.name] = PASSED if outcome.outcome == "passed" else _answer(outcome.message)
    return answers


def _answer(message: str) -> str:
    """What a candidate did instead: ``gives 7`` where a value can be read, else ``raises`` and the error's name."""
    first = message.partition("\n")[0]
    actual = ACTUAL.match(message)
    if actual is None:
        return f"raises {first.partition(':')[0]}"
    if "..." in actual.group(1):  # pytest shortens what is long
        return f"{_UNREAD}{first}"
    try:
        return f"{_GIVES}{ast.literal_eval(actual.group(1))!r}"
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return f"{_UNREAD}{first}"


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    unique: dict[str, Candidate] = {}
    for candidate in candidates:
        key = "\n".join(f"{path}\n{_canonical(text)}" for path, text in sorted(candidate.files.items()))
        unique.setdefault(key, candidate)
    return list(unique.values())


def _canonical(source: str) -> str:
    tree = parse_python(source)
    return ast.unparse(tree) if tree else source
