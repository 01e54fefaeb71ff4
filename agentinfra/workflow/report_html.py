"""The report as one self-contained page: no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib.resources import files

from agentinfra.core.tasks import TaskState
from agentinfra.security.clean import clean_line, clean_text
from agentinfra.workflow.figures import caching, cost, count, duration, tokens
from agentinfra.workflow.report import (
    Proof,
    Report,
    info,
    proof_word,
    proving_tests,
    short,
    state_word,
    strength_word,
    tests_word,
)
from agentinfra.workflow.run_state import Finding, Notice, Question, TaskView
from agentinfra.workflow.strength_data import Strength

# Even if an escape were forgotten, the page could run and fetch nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_IDEA_CHARACTERS = 100_000
_TONES = {TaskState.DONE: "good", TaskState.BLOCKED: "bad", TaskState.SKIPPED: "wait", TaskState.STALE: "wait"}


def report_html(report: Report) -> str:
    """Write the report as an HTML page.

    Args:
        report: The run.

    Returns:
        The page, UTF-8, valid on its own as a file or in a mail.
    """
    style = files("agentinfra.workflow").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_line(report.title)} · AgentInfra</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(_body(report))
        + "\n</main>\n</body>\n</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    state = report.state
    yield from _head(report)
    yield from _card("Requirements", [_proof(proof) for proof in report.proofs])
    yield from _task_tree(report)
    yield from _bars("Tokens", "tokens", state.tasks, lambda task: task.tokens, lambda value: tokens(round(value)))
    yield from _bars("Time", "time", state.tasks, lambda task: task.seconds, duration)
    yield from _card("Review", [_finding(finding) for finding in state.findings])
    yield from _card("Questions and answers", [_question(question) for question in state.questions])
    yield from _card("Notices", [_notice(notice) for notice in state.notices])
    idea = escape(clean_text(info(state, "idea"), _IDEA_CHARACTERS))
    yield f'<h2>The idea</h2>\n<div class="card"><pre>{idea}</pre></div>'


def _head(report: Report) -> Iterator[str]:
    state, totals = report.state, report.state.totals
    tone = "good" if report.complete else "bad" if state.state in ("done", "failed") else "wait"
    yield f'<header>\n<h1>{_line(report.title)}</h1>\n<p class="outcome {tone}">{_line(report.outcome, 1_000)}</p>'
    base = escape(short(info(state, "base"))) or "nothing"
    where = f"on branch <code>{_line(report.branch)}</code> from <code>{base}</code>"
    yield f'<p class="quiet">Run <code>{_line(state.run)}</code> {where}, model <code>{_line(report.model)}</code></p>'
    facts = [
        ("Time", duration(state.elapsed)),
        ("Tokens", f"{totals.input_tokens + totals.output_tokens:,}"),
        ("Cost", cost(totals, report.model)),
        ("Model calls", f"{totals.calls:,}"),
        *([("Caches", caching(totals))] if caching(totals) else []),
        ("Proven", f"{sum(proof.proven for proof in report.proofs)} of {len(report.proofs)}"),
    ]
    if state.suite is not None:
        facts.append(("Whole suite", f"{state.suite.passed} of {state.suite.passed + state.suite.failed} pass"))
    yield '<dl class="facts">'
    yield from (f"<div><dt>{name}</dt><dd>{_line(value)}</dd></div>" for name, value in facts)
    yield "</dl>\n</header>"


def _card(title: str, rows: Sequence[str]) -> Iterator[str]:
    if rows:
        yield f'<section>\n<h2>{title}</h2>\n<div class="card">'
        yield from (f'<div class="row">{row}</div>' for row in rows)
        yield "</div>\n</section>"


def _proof(proof: Proof) -> str:
    word = "kept" if proof.kept else "✓ proven" if proof.proven else "not proven"
    badge = f'<span class="badge {"good" if proof.proven else "bad"}">{word}</span>'
    head = f'<span class="id">{_line(proof.id)}</span><span class="grow">{_line(proof.title)}</span>{badge}'
    commits = " ".join(f"<code>{escape(short(commit))}</code>" for commit in proof.commits) or "no commit"
    by = f"{_line(', '.join(proof.tasks)) or 'no task'} · {commits}" if not proof.kept else _line(proof_word(proof))
    examples = f" · {count(proof.examples, 'example')}, {proof.grounded} grounded" if proof.examples else ""
    gap = "" if proof.proven else f'<p class="bad">{_line(proof.gap, 1_000)}</p>'
    strength = "".join(_strength(one) for one in proof.strength)
    return f'<div class="head">{head}</div><p class="quiet">{by}{examples}</p>{gap}{_tests(proof.tests)}{strength}'


def _strength(strength: Strength) -> str:
    word = _line(strength_word(strength), 400)
    if not strength.survivors:
        return f'<p class="quiet">{word}</p>'
    items = "".join(f"<li>{_line(survivor, 400)}</li>" for survivor in strength.survivors)
    return f"<details><summary>{word}, the tests do not see these changes</summary><ul>{items}</ul></details>"


def _tests(tests: Sequence[str]) -> str:
    if not tests:
        return ""
    items = "".join(f"<li><code>{_line(test, 400)}</code></li>" for test in tests)
    return (
        f"<details><summary>{count(len(tests), 'test')}, red before and green after</summary><ul>{items}</ul></details>"
    )


def _task_tree(report: Report) -> Iterator[str]:
    tasks = report.state.tasks
    if not tasks:
        return
    yield '<section>\n<h2>Who did what</h2>\n<div class="card"><div class="row">\n<ul class="tree root">'
    yield '<li><span class="id">Planner</span>\n<ul class="tree">'
    for engineer in dict.fromkeys(task.engineer for task in tasks):
        own = [task for task in tasks if task.engineer == engineer]
        yield f'<li><span class="id">{_line(engineer) or "engineer"}</span>\n<ul class="tree">'
        yield from (f"<li>{_task(task)}</li>" for task in own)
        yield "</ul></li>"
    yield "</ul></li>\n</ul>\n</div></div>\n</section>"


def _task(task: TaskView) -> str:
    tone = "wait" if task.undone else _TONES.get(task.state, "")
    badge = f'<span class="badge {tone}">{state_word(task)}</span>'
    head = f'<span class="id">{_line(task.id)}</span><span class="grow">{_line(task.title)}</span>{badge}'
    facts = [_tries(task), tests_word(task), f"{tokens(task.tokens)} tokens", duration(task.seconds)]
    if task.commit:
        facts.append(f"<code>{escape(short(task.commit))}</code>")
    reason = f'<p class="{tone}">{_line(task.reason, 1_000)}</p>' if task.reason else ""
    line = " · ".join(fact for fact in facts if fact)
    return f'<div class="head">{head}</div><p class="quiet">{line}</p>{reason}{_tests(proving_tests(task))}'


def _tries(task: TaskView) -> str:
    if not task.attempt:
        return "no try"
    last = "✓" if task.state is TaskState.DONE else "✗" if task.state.is_final else "…"
    dots = "✗" * min(task.attempt - 1, 20) + last
    limit = f" of {task.max_attempts}" if task.max_attempts else ""
    return f'try {task.attempt}{limit} <span class="tries">{dots}</span>'


def _bars(
    title: str, style: str, tasks: Sequence[TaskView], value: Callable[[TaskView], float], word: Callable[[float], str]
) -> Iterator[str]:
    most = max((value(task) for task in tasks), default=0)
    if not most:
        return
    yield f'<section>\n<h2>{title} by task</h2>\n<div class="card bars {style}">'
    for task in tasks:
        share = value(task) / most
        label = f'<span class="id">{_line(task.id)}</span>'
        bar = f'<div class="bar" title="{_line(task.title)}"><div style="width: {share:.1%}"></div></div>'
        yield f'{label}{bar}<span class="number">{word(value(task))}</span>'
    yield "</div>\n</section>"


def _finding(finding: Finding) -> str:
    tone = {"error": "bad", "warning": "wait"}.get(finding.severity, "")
    badge = f'<span class="badge {tone}">{_line(finding.severity)}</span>'
    place = f"<code>{_line(finding.path)}:{finding.line}</code>" if finding.path else "the tree"
    return f'<div class="head">{badge}<span class="grow">{_line(finding.message, 1_000)}</span></div><p>{place}</p>'


def _question(question: Question) -> str:
    answer = "not answered" if question.answer is None else f"{_line(question.answer, 2_000)}"
    by = f' <span class="quiet">({_line(question.by)})</span>' if question.by else ""
    return f'<span class="id">{_line(question.id)}</span> {_line(question.text, 1_000)}<p>→ {answer}{by}</p>'


def _notice(notice: Notice) -> str:
    tone = {"error": "bad", "warning": "wait"}.get(notice.level, "quiet")
    return f'<span class="badge {tone}">{_line(notice.level)}</span> {_line(notice.text, 2_000)}'


def _line(text: str, limit: int = 200) -> str:
    return escape(clean_line(text, limit))
