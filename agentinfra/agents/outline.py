"""From a model's plan to requirements, anchored in what the idea itself says.

A weak model forgets files, doubles classes and rewords rules. What the idea states by name (files, signatures,
examples) is found without a model and wins; the model's plan adds titles and whatever the idea leaves unnamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from agentinfra.agents.replies import Plan, PlannedRequirement
from agentinfra.agents.test_suite import symbol_name
from agentinfra.core.errors import ReplyError
from agentinfra.proof.locks import GUARDED_NAMES
from agentinfra.spec.idea_text import Segment, find_files, find_symbols, split_requirements
from agentinfra.spec.requirements import Area, Example, Requirement, Spec
from agentinfra.spec.stated_examples import find_examples
from agentinfra.spec.stubs import is_exception

_FRONTEND = frozenset({".html", ".css", ".js", ".ts", ".svelte", ".vue", ".jsx", ".tsx"})
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:/[A-Za-z_][\w-]*)*\.\w{1,6}")
MAX_STATEMENT = 3000


def anchors_text(idea: str) -> str:
    """What a planner's model is told to keep; empty when the idea names nothing."""
    names = [*find_files(idea), *find_symbols(idea)]
    if not names:
        return ""
    return "The request names these, keep them exactly:\n" + "\n".join(f"- {name}" for name in names) + "\n"


def outline(idea: str, plan: Plan) -> Spec:
    """Make the specification that the idea and the plan give together.

    Raises:
        ReplyError: Neither names anything that could be built.
    """
    segments = split_requirements(idea)
    drafts = _from_segments(segments, plan) if segments else _from_plan(plan)
    drafts += _programs(idea, drafts, plan)
    if not drafts:
        raise ReplyError("The plan names nothing that could be built", next_step="Say in the idea what to build")
    numbered = [_numbered(draft, number) for number, draft in enumerate(drafts, start=1)]
    return Spec(
        _one_line(plan.title),
        idea,
        plan.goal,
        _with_stated(numbered, find_examples(idea)),
        (),
        tuple(plan.out_of_scope),
    )


def _from_segments(segments: Sequence[Segment], plan: Plan) -> list[Requirement]:
    """One requirement a function, one a class with its methods; exceptions are part of them."""
    # Reversed, so that of several titles for one class the first stays.
    titles = {symbol_name(one.signature): one.title for one in reversed(plan.requirements)}
    groups: dict[tuple[str, str], list[Segment]] = {}
    for segment in segments:
        key = (segment.file, symbol_name(_owner(segment, segments).symbol))
        groups.setdefault(key, []).append(segment)
    default = _default_file(segments, plan)
    drafts: list[Requirement] = []
    for (file, name), group in groups.items():
        first = next((one.symbol for one in group if not is_exception(one.symbol)), "")
        symbols = sorted((one.symbol for one in group), key=lambda symbol: symbol != first)
        drafts.append(_draft(titles.get(name, name), "\n".join(one.text for one in group), file or default, symbols))
    return drafts


def _owner(segment: Segment, segments: Sequence[Segment]) -> Segment:
    """What is built together with a segment: itself; for an exception the class of its file, or what raises it."""
    if not is_exception(segment.symbol):
        return segment
    name = symbol_name(segment.symbol)
    others = [one for one in segments if one.file == segment.file and not is_exception(one.symbol)]
    classes = [one for one in others if one.symbol.startswith("class ")]
    raising = [one for one in others if name in one.text]
    return next(iter([*classes, *raising, *others]), segment)


def _from_plan(plan: Plan) -> list[Requirement]:
    drafts: dict[tuple[str, str], Requirement] = {}
    for one in plan.requirements:
        file, signature = _clean_path(one.file), _signature(one)
        # A page or a program has no signature; one that is garbled is none either, but was meant.
        if file and (signature or not one.signature.strip()):
            drafts.setdefault((file, symbol_name(signature)), _draft(one.title, one.rules, file, _symbols(one)))
    return list(drafts.values())


def _programs(idea: str, drafts: Sequence[Requirement], plan: Plan) -> list[Requirement]:
    """Files that the idea names and no requirement holds yet: programs and pages without named functions."""
    covered = {draft.file for draft in drafts}
    titles = {_clean_path(one.file): one.title for one in plan.requirements}
    missing = [
        file for file in find_files(idea) if file not in covered and PurePosixPath(file).suffix in {".py", *_FRONTEND}
    ]
    return [_draft(titles.get(file, file), idea, file, []) for file in missing]


def _draft(title: str, statement: str, file: str, symbols: Iterable[str]) -> Requirement:
    area: Area = "frontend" if PurePosixPath(file).suffix in _FRONTEND else "backend"
    return Requirement(
        "", _one_line(title).rstrip(".") or file, statement.strip()[:MAX_STATEMENT], file, tuple(symbols), (), area
    )


def _one_line(text: str) -> str:
    """A model's line without line ends, which would be structure in commit messages and Markdown."""
    return " ".join(text.split())


def _numbered(draft: Requirement, number: int) -> Requirement:
    return Requirement(f"FR-{number}", draft.title, draft.statement, draft.file, draft.symbols, (), draft.area)


def _with_stated(requirements: Sequence[Requirement], examples: Sequence[Example]) -> tuple[Requirement, ...]:
    result: list[Requirement] = []
    for one in requirements:
        names = {symbol_name(symbol) for symbol in one.symbols}
        own = tuple(example for example in examples if symbol_name(example.call) in names)
        result.append(Requirement(one.id, one.title, one.statement, one.file, one.symbols, own, one.area))
    return tuple(result)


def _symbols(planned: PlannedRequirement) -> list[str]:
    signature = _signature(planned)
    if not signature:
        return []
    name = symbol_name(signature)
    methods = [method if "." in method.split("(")[0] else f"{name}.{method}" for method in planned.methods]
    return [signature, *methods]


def _signature(planned: PlannedRequirement) -> str:
    text = planned.signature.strip().removeprefix("def ").split("->")[0].strip().rstrip(":").strip()
    return text if symbol_name(text) else ""


def _default_file(segments: Sequence[Segment], plan: Plan) -> str:
    named = [segment.file for segment in segments if segment.file]
    planned = [path for one in plan.requirements if (path := _clean_path(one.file))]
    return next(iter([*named, *planned]), "main.py")


def _clean_path(text: str) -> str:
    path = text.strip().strip("`").removeprefix("./")
    # A module is imported by its name, and a name has no hyphens.
    path = path.replace("-", "_") if path.endswith(".py") else path
    ours = path.startswith("tests/") or PurePosixPath(path).name in GUARDED_NAMES
    return path if _PATH.fullmatch(path) and not ours else ""
