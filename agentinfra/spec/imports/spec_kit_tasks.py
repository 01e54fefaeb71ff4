"""The tasks.md of a spec-kit feature: check boxes with ids, in phases, marked where they may run side by side."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import Task
from agentinfra.spec.imports.format import LeftOut, Section, tidy
from agentinfra.spec.imports.outline import Line, chapters
from agentinfra.spec.imports.task_order import with_order

_TASK = re.compile(r"\s*[-*+] \[(?P<mark>.?)\]\s+[*_]*(?P<id>T(?:\d+\w*|[A-Z]{3,}))\b[*_]*:?[*_]*\s*(?P<rest>.*)")
_PARALLEL = re.compile(r"\s*\[P\]")
_STORY = re.compile(r"\s*\[(?:US|Story ?)(?P<number>\d+)\]", re.IGNORECASE)
_NEEDS = re.compile(r"\bdepend(?:s|ing|ent)? (?:up)?on\b:?(?P<ids>[^).;]*)", re.IGNORECASE)
# In code without a folder a dot may as well stand between an object and its attribute.
_SUFFIXES = "py|js|jsx|ts|tsx|rb|go|rs|java|kt|cs|c|h|cpp|sh|sql|html|css|md|txt|json|toml|ya?ml|ini|cfg|lock"
_RANGE = re.compile(r"\bT(\d+)(?:\s*(?:[-–—]|to|through)\s*T(\d+))?\b")
_CODE_FILE = re.compile(rf"`(?P<path>[^`\s*]*/[^`\s*]*\.\w+|[\w.-]+\.(?:{_SUFFIXES}))`")
_FILE = re.compile(r"(?<![\w/.:@\]>-])(?P<path>(?:[\w.@-]+/)+[\w.@-]*[\w-]\.[A-Za-z]\w*)(?![\w/])")
_REQUIREMENT = re.compile(r"\bN?FR-\d+\b")


class FeatureTasks(NamedTuple):
    """What the tasks.md of a feature says."""

    tasks: tuple[Task, ...]
    sections: tuple[Section, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(slots=True)
class _Found:
    """A task before it has its id."""

    source_id: str
    line: int
    text: str
    story: str
    parallel: bool
    done: bool
    id: str = ""


@dataclass(slots=True)
class _Phase:
    """Tasks of one chapter, in groups that run one after the other."""

    groups: list[list[_Found]] = field(default_factory=list["list[_Found]"])

    @property
    def story(self) -> str:
        """The story's number, where the whole phase is about one."""
        stories = {one.story for group in self.groups for one in group}
        return stories.pop() if len(stories) == 1 else ""

    def add(self, task: _Found) -> None:
        if task.parallel and self.groups and self.groups[-1][-1].parallel:
            self.groups[-1].append(task)
        else:
            self.groups.append([task])


def read_feature_tasks(text: str, name: str, stories: Mapping[str, str], requirements: Collection[str]) -> FeatureTasks:
    """Read a feature's tasks.md; what is no task becomes a section of prose.

    Args:
        text: The document.
        name: How places call it.
        stories: Ids of requirements by the numbers of the stories that they came from.
        requirements: Ids of all requirements.

    Raises:
        SpecError: The tasks depend on each other in a circle; the path is named.
    """
    return _Reader(name, stories, requirements).read(text)


class _Reader:
    """Goes through the lines once, then gives ids, then follows the order."""

    def __init__(self, name: str, stories: Mapping[str, str], requirements: Collection[str]) -> None:
        self.name = name
        self.stories = stories
        self.requirements = requirements
        self.phases: list[_Phase] = []
        self.prose: list[str] = []
        self.left_out: list[LeftOut] = []

    def read(self, text: str) -> FeatureTasks:
        for chapter in chapters(text):
            if chapter.level <= 2 or not self.phases:
                self.phases.append(_Phase())
            self.prose += ["", f"{'#' * chapter.level} {chapter.title}", ""] if chapter.level else []
            self._lines(chapter.lines)
        found = [one for phase in self.phases for group in phase.groups for one in group]
        self._number(found)
        by_number = {int(one.source_id[1:]): one.id for one in reversed(found) if one.source_id[1:].isdecimal()}
        tasks, agreed = self._ordered([self._task(one, by_number) for one in found])
        if not agreed:
            self._leave(1, "the order of the list", "it contradicts the dependencies that are written down")
        prose = tidy(self.prose)
        sections = (Section(f"From {self.name}", prose),) if prose else ()
        return FeatureTasks(tasks, sections, tuple(self.left_out))

    def _lines(self, lines: list[Line]) -> None:
        task: _Found | None = None
        named = False
        for line in lines:
            found = _TASK.fullmatch(line.text) if line.kind == "text" else None
            if found:
                task, named = self._found(line, found), False
                self.phases[-1].add(task)
                continue
            if task and not named and line.text[:1] in (" ", "\t") and line.text.strip():
                self.prose += ["", f"- {task.source_id}"]
                named = True
            self.prose.append(line.text)

    def _found(self, line: Line, found: re.Match[str]) -> _Found:
        story = _STORY.search(found["rest"])
        parallel = _PARALLEL.search(found["rest"])
        text = _PARALLEL.sub("", found["rest"], 1) if parallel else found["rest"]
        text = _STORY.sub("", text, 1).strip() if story else text.strip()
        done = found["mark"].lower() == "x"
        return _Found(found["id"], line.number, text, story["number"] if story else "", bool(parallel), done)

    def _number(self, found: list[_Found]) -> None:
        used: set[str] = set()
        numbers = [int(one.source_id[1:]) for one in found if one.source_id[1:].isdecimal()]
        free = itertools.count(max(numbers, default=0) + 1)
        for one in found:
            wanted = f"T-{one.source_id[1:]}"
            fits = one.source_id[1:].isdecimal() and wanted not in used
            one.id = wanted if fits else f"T-{next(free):03d}"
            used.add(one.id)
            if not fits:
                self._leave(one.line, one.source_id, f"the id is used twice, or is no number; it is {one.id} here")

    def _task(self, one: _Found, by_number: Mapping[int, str]) -> Task:
        if one.done:
            self._leave(one.line, f"[x] {one.source_id}", f"the engine alone says that {one.id} is done, by its proofs")
        files = [found["path"] for pattern in (_CODE_FILE, _FILE) for found in pattern.finditer(one.text)]
        return Task(
            one.id,
            one.text or one.source_id,
            tuple(dict.fromkeys(self._implements(one))),
            tuple(dict.fromkeys(path for path in files if ".." not in path.split("/") and path[0] != "/")),
            depends_on=tuple(dict.fromkeys(self._needed(one, by_number))),
        )

    def _implements(self, one: _Found) -> list[str]:
        known = [name for name in _REQUIREMENT.findall(one.text) if name in self.requirements]
        if one.story and one.story not in self.stories:
            self._leave(one.line, f"[US{one.story}]", "spec.md has no story of this number")
        return [self.stories[one.story], *known] if one.story in self.stories else known

    def _needed(self, one: _Found, by_number: Mapping[int, str]) -> list[str]:
        needed: list[str] = []
        for clause in _NEEDS.finditer(one.text):
            for found in _RANGE.finditer(clause["ids"]):
                first, last = int(found[1]), int(found[2] or found[1])
                names = [name for number, name in by_number.items() if first <= number <= last]
                needed += [name for name in names if name != one.id or first == last]
                if not names:
                    self._leave(one.line, f"dependency on {found[0]}", "there is no task of this id")
        return needed

    def _ordered(self, tasks: list[Task]) -> tuple[tuple[Task, ...], bool]:
        try:
            return with_order(tasks, _implied(self.phases))
        except SpecError as error:
            raise SpecError(f"{self.name}: {error.what}", why=error.why, next_step=error.next_step) from error

    def _leave(self, line: int, what: str, why: str) -> None:
        self.left_out.append(LeftOut(self.name, line, what, why))


def _implied(phases: list[_Phase]) -> dict[str, list[str]]:
    """Phases come one after the other, but stories side by side; in a phase a task waits for the group before its own.

    Returns:
        Ids of tasks by the id of the task that waits for them.
    """
    waits: dict[str, list[str]] = {}
    shared: list[str] = []
    stories: dict[str, list[str]] = {}
    for phase in (phase for phase in phases if phase.groups):
        story = phase.story
        before = stories.get(story, shared) if story else [*shared, *itertools.chain(*stories.values())]
        for group in phase.groups:
            waits.update({one.id: before for one in group})
            before = [one.id for one in group]
        if story:
            stories[story] = before
        else:
            shared, stories = before, {}
    return waits
