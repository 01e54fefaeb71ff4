"""The report of a run: what was built, and which requirement is proven by which tests and commit. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agentinfra.core.tasks import TaskState
from agentinfra.security.clean import clean_line, clean_text
from agentinfra.workflow.figures import caching, cost, count, duration, tokens
from agentinfra.workflow.run_state import Finding, Notice, Requirement, RunState, TaskView
from agentinfra.workflow.strength_data import Strength

_SHA = re.compile("[0-9a-f]{12,}")


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands behind a requirement.

    Attributes:
        id: The requirement, such as ``FR-1``.
        title: Its title.
        examples: How many acceptance examples it has.
        grounded: How many of them do not rest on a guess.
        tasks: Ids of the tasks that implement it.
        tests: Ids of the tests that failed before the code was there and pass with it.
        commits: The commits that brought the code.
        strength: What its tests catch, for each of its tasks where that was measured.
        gap: Why it is not proven, "" where it is.
        kept: The earlier run that built it, where this one had no reason to touch it.
    """

    id: str
    title: str
    examples: int
    grounded: int
    tasks: tuple[str, ...]
    tests: tuple[str, ...]
    commits: tuple[str, ...]
    strength: tuple[Strength, ...]
    gap: str
    kept: str = ""

    @property
    def proven(self) -> bool:
        """Whether all its tasks are done, with tests that were red and are green."""
        return not self.gap


@dataclass(frozen=True, slots=True)
class Report:
    """A run as it is reported.

    Attributes:
        title: One line for people.
        outcome: How it ended, one sentence.
        complete: Whether every task is done and the review found no error.
        proofs: The requirements in order.
        state: Everything else.
    """

    title: str
    outcome: str
    complete: bool
    proofs: tuple[Proof, ...]
    state: RunState

    @property
    def done(self) -> tuple[TaskView, ...]:
        """The tasks that are done and were not undone."""
        return tuple(task for task in self.state.tasks if stands(task))

    @property
    def left(self) -> tuple[TaskView, ...]:
        """The other ones."""
        return tuple(task for task in self.state.tasks if not stands(task))

    @property
    def model(self) -> str:
        """The run's model, ``provider:model``."""
        return info(self.state, "model")

    @property
    def branch(self) -> str:
        """The run's branch."""
        return info(self.state, "branch")


def build_report(state: RunState) -> Report:
    """Sum up a run, finished or not."""
    complete = is_complete(state)
    proofs = tuple(prove(requirement, state.tasks) for requirement in state.requirements)
    return Report(run_title(state), _outcome(state), complete, proofs, state)


def is_complete(state: RunState) -> bool:
    """Whether the run is over, every task is done and the review found no error."""
    built = info(state, "mode") == "plan" or all(map(stands, state.tasks))
    return state.state == "done" and built and not errors(state)


def errors(state: RunState) -> tuple[Finding, ...]:
    """The findings of the review that are errors."""
    return tuple(finding for finding in state.findings if finding.severity == "error")


def run_title(state: RunState, limit: int = 72) -> str:
    """The specification's title, before there is one the first line of the idea."""
    if state.title:
        return clean_line(state.title, limit)
    lines = clean_text(info(state, "idea")).strip().splitlines()
    return clean_line(lines[0].lstrip("# "), limit) if lines else "AgentInfra"


def info(state: RunState, key: str) -> str:
    """A text of the run's first event, "" where there is none."""
    value = state.info.get(key)
    return value if isinstance(value, str) else ""


def short(commit: str) -> str:
    """A commit's id as people write it, cleaned; names of branches stay whole."""
    return commit[:10] if _SHA.fullmatch(commit) else clean_line(commit)


def prove(requirement: Requirement, tasks: Sequence[TaskView]) -> Proof:
    """Find what proves a requirement among the tasks."""
    own = [task for task in tasks if requirement.id in task.requirements]
    kept = "" if own else str(requirement.data.get("kept", ""))
    return Proof(
        id=requirement.id,
        title=requirement.title,
        examples=_number(requirement, "examples"),
        grounded=_number(requirement, "grounded"),
        tasks=tuple(task.id for task in own),
        tests=tuple(dict.fromkeys(test for task in own for test in proving_tests(task))),
        commits=tuple(dict.fromkeys(task.commit for task in own if task.commit)),
        strength=tuple(one for task in own for one in task.strength if one.requirement == requirement.id),
        gap="" if kept else _gap(own),
        kept=kept,
    )


def proving_tests(task: TaskView) -> tuple[str, ...]:
    """Tests of a done task that went from red to green."""
    if not stands(task):
        return ()
    return tuple(test for test in task.green if test in task.red)


def _gap(tasks: Sequence[TaskView]) -> str:
    if not tasks:
        return "no task implements it"
    gaps = [_task_gap(task) for task in tasks]
    return "; ".join(gap for gap in gaps if gap)


def _task_gap(task: TaskView) -> str:
    if not stands(task):
        return f"{task.id} is {state_word(task)}" + (f": {task.reason}" if task.reason else "")
    if not proving_tests(task):
        return f"{task.id} has no test that went from red to green"
    return "" if task.commit else f"{task.id} has no commit on the branch"


def _number(requirement: Requirement, key: str) -> int:
    value = requirement.data.get(key)
    return value if isinstance(value, int) else 0


def _outcome(state: RunState) -> str:
    done, undone = sum(map(stands, state.tasks)), sum(task.undone for task in state.tasks)
    tasks = f"{done} of {count(len(state.tasks), 'task')} done" if state.tasks else "no tasks yet"
    tasks += f", {undone} undone" if undone else ""
    word = {"done": "finished", "": "not begun"}.get(state.state, state.state.replace("_", " "))
    found = f", the review found {count(len(errors(state)), 'error')}" if errors(state) else ""
    reason = f" ({clean_line(state.reason)})" if state.reason else ""
    return f"{word.capitalize()}{reason}: {tasks}{found}"


def report_text(report: Report) -> str:
    """The report as plain text, cleaned for a terminal."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from (report.title, "=" * len(report.title), f"{report.outcome}.", "")
    yield from _facts(report)
    yield from _section("Requirements", [line for proof in report.proofs for line in _proof_lines(proof)])
    yield from _section("Tasks", [line for task in report.state.tasks for line in _task_lines(task)])
    yield from _section("Findings", [_finding_line(finding) for finding in report.state.findings])
    answered = [question for question in report.state.questions if question.answer is not None]
    yield from _section("Answers", [f"{q.id} {clean_line(q.text)} → {clean_line(q.answer or '')}" for q in answered])
    yield from _section("Notices", [_notice_line(notice) for notice in report.state.notices])


def _facts(report: Report) -> Iterator[str]:
    state, totals = report.state, report.state.totals
    yield f"run     {state.run}"
    yield f"branch  {clean_line(report.branch)}, from {short(info(state, 'base')) or 'nothing'}"
    yield f"model   {clean_line(report.model)}"
    spent = f"{totals.input_tokens:,} tokens in, {totals.output_tokens:,} out"
    yield f"cost    {cost(totals, report.model)}; {spent}, {count(totals.calls, 'call')}"
    if caching(totals):
        yield f"caches  {caching(totals)}"
    yield f"time    {duration(state.elapsed)}, {duration(totals.seconds)} of it in model calls"
    if state.suite is not None:
        yield f"suite   {state.suite.passed} of {state.suite.passed + state.suite.failed} tests of the whole suite pass"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", title, "-" * len(title), *lines)


def _proof_lines(proof: Proof) -> Iterator[str]:
    mark = proof_word(proof, 400)
    yield f"{proof.id} {clean_line(proof.title)}: {mark}"
    if proof.examples:
        yield f"    {count(proof.examples, 'example')}, {proof.grounded} grounded"
    if proof.kept:
        return
    commits = " ".join(short(commit) for commit in proof.commits) or "none"
    yield f"    by {', '.join(proof.tasks) or 'no task'}, commit {commits}"
    for strength in proof.strength:
        yield f"    {clean_line(strength_word(strength), 400)}" + ("; survivors:" if strength.survivors else "")
        yield from (f"      {clean_line(survivor, 400)}" for survivor in strength.survivors)
    yield from (f"    {clean_line(test)}" for test in proof.tests)


def _task_lines(task: TaskView) -> Iterator[str]:
    facts = [
        tries(task),
        tests_word(task),
        f"{tokens(task.tokens)} tokens",
        duration(task.seconds),
        f"commit {short(task.commit)}" if task.commit else "",
    ]
    box = "[ ]" if task.undone else task.state.checkbox
    yield f"{box} {task.id} {clean_line(task.title)}: {state_word(task)}"
    yield "    " + ", ".join(fact for fact in facts if fact)
    if task.reason:
        yield f"    {clean_line(task.reason, 400)}"


def proof_word(proof: Proof, limit: int = 1_000) -> str:
    """``proven``, that an earlier run built it, or why it is not proven."""
    if proof.kept:
        return f"kept as run {clean_line(proof.kept)} built it"
    return "proven" if proof.proven else f"not proven: {clean_line(proof.gap, limit)}"


def stands(task: TaskView) -> bool:
    """Whether the task is done and still on the run's branch."""
    return task.state is TaskState.DONE and not task.undone


def state_word(task: TaskView) -> str:
    """The task's state, or that it was undone."""
    return "undone" if task.undone else task.state.value


def strength_word(strength: Strength) -> str:
    """``7 of 9 mutants killed``, or why nothing is known."""
    if strength.reason or not strength.tried:
        return f"strength not known: {strength.reason or 'there was nothing to change in the code'}"
    return f"{strength.killed} of {count(strength.tried, 'mutant')} killed"


def tries(task: TaskView) -> str:
    """``try 2/3``, or "" before the first."""
    if not task.attempt:
        return ""
    return f"try {task.attempt}/{task.max_attempts}" if task.max_attempts else f"try {task.attempt}"


def tests_word(task: TaskView) -> str:
    """``5/6 tests`` of the last test run, or "" before one."""
    if task.tests is None:
        return ""
    return f"{task.tests.passed}/{task.tests.passed + task.tests.failed} tests"


def _finding_line(finding: Finding) -> str:
    place = f"{clean_line(finding.path)}:{finding.line}" if finding.path else "the tree"
    return f"{finding.severity} {finding.rule} {place} {clean_line(finding.message, 400)}"


def _notice_line(notice: Notice) -> str:
    return f"{notice.level}: {clean_line(notice.text, 400)}"


def report_json(report: Report) -> dict[str, Any]:
    """The report as a JSON object."""
    state = report.state
    return {
        "run": state.run,
        "title": report.title,
        "outcome": report.outcome,
        "complete": report.complete,
        "state": state.state,
        "reason": state.reason,
        "info": dict(state.info),
        "elapsed": state.elapsed,
        "totals": asdict(state.totals),
        "suite": asdict(state.suite) if state.suite else None,
        "requirements": [{**asdict(proof), "proven": proof.proven} for proof in report.proofs],
        "tasks": [asdict(task) for task in state.tasks],
        "findings": [asdict(finding) for finding in state.findings],
        "questions": [asdict(question) for question in state.questions],
        "notices": [asdict(notice) for notice in state.notices],
    }
