"""Code or test? Judged by agreement between independent candidates, with the grounded examples as anchor.

The method is dual execution agreement (CodeT, arXiv 2207.10397) with two kinds of tests: grounded ones, which hold
whatever the candidates do, and guesses, each of which is one voice among the candidates' own answers.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agentinfra.agents.test_suite import Case, Suite, normal
from agentinfra.patching.names import parse_python
from agentinfra.proof.report import TestReport
from agentinfra.spec.requirements import Ground, Question

PASSED = "passed"
ACTUAL = re.compile(r"(?:AssertionError: )?assert (.+?) (?:==|is) ", re.DOTALL)
ENOUGH_VOICES = 2  # so many independent candidates make an answer one to reckon with
Fault = Literal["", "code", "test", "spec"]
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
        turn: Its place among all samples of the task, from 0; of equals the earliest is taken.
    """

    files: Mapping[str, str]
    written: Mapping[str, str]
    report: TestReport
    attempt: int
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Ruling:
    """The arbiter's judgement.

    Attributes:
        winner: The candidate to deliver, or None where neither code nor test can be trusted.
        drop: Names of guessed cases that fall.
        amend: The result on which candidates agree, by name of the guessed case that had another.
        reason: Why, in a sentence for the record.
        fault: What was wrong: the code, a guessed test, or the specification, which leaves open what only a person
            can say; "" where everything passes.
        question: What to ask that person; only where the specification is at fault.
        case: Name of the case that the question is about.
        sound: How many different candidates pass every grounded case.
    """

    winner: Candidate | None
    drop: tuple[str, ...] = ()
    amend: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = ""
    fault: Fault = ""
    question: Question | None = None
    case: str = ""
    sound: int = 0


def is_sound(candidate: Candidate, suite: Suite) -> bool:
    """Whether a candidate ran at all and passes every grounded case."""
    told = answers(candidate.report, suite)
    grounded = [told[case.name] for case in suite.cases if case.example.ground.is_firm]
    ran = any(answer == PASSED or answer.startswith(_GIVES) for answer in told.values())
    return all(answer == PASSED for answer in grounded) and (bool(grounded) or ran)


def arbitrate(suite: Suite, candidates: Sequence[Candidate]) -> Ruling:
    """Judge code against test after the tries are used up; the order of the candidates makes no difference.

    A guess falls where the winner fails it and either more candidates answer like the winner than pass it, or
    grounded examples vouch for the winner and no candidate passes the guess. A winner without any grounded example
    needs a second candidate that answers every case as it does.

    The specification is at fault where candidates that pass every grounded case stand against each other and nothing
    decides between them: two at least for either answer, or no grounded example and no two that agree.
    """
    sound = _distinct([candidate for candidate in candidates if is_sound(candidate, suite)])
    if not sound:
        return Ruling(None, reason=_against_the_code(suite, candidates), fault="code")
    table = [answers(candidate.report, suite) for candidate in sound]
    votes = {case.name: Counter(row[case.name] for row in table) for case in suite.cases}
    # The candidates are in an order of their own: the first of the best is the same however they came.
    best = max(range(len(sound)), key=lambda index: (_support(table[index], votes), -index))
    winner, row = sound[best], table[best]
    failing = [case for case in suite.cases if row[case.name] != PASSED]
    if not _is_vouched(row, table, suite):
        split = [case for case in suite.cases if len(votes[case.name]) > 1]
        reason = "No two candidates agree, and no example is grounded: neither can be trusted"
        return replace(_undecided(split, votes, reason), sound=len(sound))
    kept = [case for case in failing if votes[case.name][PASSED] >= votes[case.name][row[case.name]]]
    if kept:
        even = [case for case in kept if votes[case.name][row[case.name]] >= ENOUGH_VOICES]
        reason = f"Candidates disagree about {', '.join(case.name for case in kept)}"
        return replace(_undecided(even, votes, reason), sound=len(sound))
    amend = {case.name: value for case in failing if (value := _agreed(case, votes, row))}
    drop = tuple(case.name for case in failing if case.name not in amend)
    fault: Fault = "test" if failing else ""
    return Ruling(winner, drop, amend, _explain(failing, votes, row), fault, sound=len(sound))


def settled(suite: Suite, case_name: str, answer: str) -> Suite | None:
    """The suite with what a person answered to a ruling's question; None where the answer is no result.

    Args:
        suite: The suite of the ruling.
        case_name: The ruling's case.
        answer: A Python value, or ``raises`` and the name of an exception.
    """
    raised = re.fullmatch(r"raises\s+([A-Za-z_][\w.]*)", answer.strip())
    value = raised.group(1) if raised else answer.strip()
    if not raised:
        try:
            ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
    cases = tuple(
        replace(
            case,
            example=replace(
                case.example, expect="raises" if raised else "returns", value=value, ground=Ground.ANSWERED
            ),
        )
        if case.name == case_name
        else case
        for case in suite.cases
    )
    return replace(suite, cases=cases)


def _undecided(split: Sequence[Case], votes: Mapping[str, Counter[str]], reason: str) -> Ruling:
    """No winner: a question where there is a case to ask about, otherwise the code may still become right."""
    for case in split:
        voices = Counter({"": 0})
        for answer, count in votes[case.name].items():
            voices[_result(case, answer)] += count
        options = sorted((result for result in voices if result), key=lambda result: (-voices[result], result))
        if len(options) > 1:
            question = _question(case, options, voices)
            reason = f"{reason}: the specification is unclear"
            return Ruling(None, reason=reason, fault="spec", question=question, case=case.name)
    return Ruling(None, reason=f"{reason}: the code may be wrong", fault="code")


def _question(case: Case, options: Sequence[str], voices: Mapping[str, int]) -> Question:
    call = "; ".join((*case.example.setup, case.example.call))
    told = "; ".join(f"{voices[one]} of {sum(voices.values())} candidates say {one}" for one in options)
    why = f"Nothing that was stated decides it: {told}"
    return Question(case.name, f"What should {call} give?", why, tuple(options), options[0])


def _result(case: Case, answer: str) -> str:
    """An answer as a person would give it: a value, or what is raised; "" where it cannot be read."""
    example = case.example
    if answer == PASSED:
        return f"raises {example.value}" if example.expect == "raises" else normal(example.value)
    if answer.startswith(_GIVES) and not answer.startswith(_UNREAD):
        return answer.removeprefix(_GIVES)
    raised = re.fullmatch(r"raises [A-Za-z_][\w.]*", answer)
    return answer if raised and raised.group() != "raises Failed" else ""


def _against_the_code(suite: Suite, candidates: Sequence[Candidate]) -> str:
    """Why no candidate is right; an example that all of them contradict stands, but a person may want to look at it."""
    reason = "No candidate passes the grounded examples: the code is wrong"
    table = [answers(candidate.report, suite) for candidate in _distinct(candidates)]
    for case in (case for case in suite.cases if case.example.ground.is_firm and len(table) >= ENOUGH_VOICES):
        values = {_result(case, row[case.name]) for row in table if row[case.name] != PASSED}
        if all(row[case.name] != PASSED for row in table) and len(values) == 1 and (value := values.pop()):
            return f"{reason}, or {case.example.call} is: all {len(table)} say {value}, not {case.example.value}"
    return reason


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


def answers(report: TestReport, suite: Suite) -> dict[str, str]:
    """What an implementation did in each case, by its name: "passed", "gives 7", "raises KeyError", "did not run"."""
    by_name = {outcome.id.rpartition("::")[2]: outcome for outcome in report.tests}
    found: dict[str, str] = {}
    for case in suite.cases:
        outcome = by_name.get(case.name)
        if outcome is None:
            found[case.name] = "did not run"
        else:
            found[case.name] = PASSED if outcome.outcome == "passed" else _answer(outcome.message)
    return found


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
    """The candidates that differ in their code, the earliest first; the same code twice is one voice."""
    unique: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: (one.turn, _identity(one), sorted(one.files.items()))):
        unique.setdefault(_identity(candidate), candidate)
    return list(unique.values())


def _identity(candidate: Candidate) -> str:
    return "\n".join(f"{path}\n{_canonical(text)}" for path, text in sorted(candidate.files.items()))


def _canonical(source: str) -> str:
    tree = parse_python(source)
    return ast.unparse(tree) if tree else source
