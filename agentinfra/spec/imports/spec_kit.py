"""Feature folders of spec-kit: spec.md, with plan.md, tasks.md, data-model.md, contracts/ and more beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra.spec.imports.format import Imported, LeftOut, Section
from agentinfra.spec.imports.outline import chapters
from agentinfra.spec.imports.source_text import MAX_BYTES, read_source
from agentinfra.spec.imports.spec_kit_spec import FeatureSpec, read_feature_spec
from agentinfra.spec.imports.spec_kit_tasks import FeatureTasks, read_feature_tasks
from agentinfra.spec.markdown import code_span, one_line
from agentinfra.spec.requirements import Question, Spec

_SPEC, _TASKS = "spec.md", "tasks.md"
_SIGNS = ("plan.md", "research.md", "data-model.md", "quickstart.md", "contracts", "checklists")
_SPEAKS = re.compile(r"^# Feature Spec|^\*\*Feature Branch\*\*|^## User Scenarios", re.MULTILINE)
_FIRST = ("plan.md", "research.md", "data-model.md")
_MAX_FILES = 1_000


class SpecKit:
    """Reads the folder of a feature, such as ``specs/001-tea-timer``, or the spec.md in it."""

    name = "spec-kit"

    def recognises(self, path: Path) -> bool:
        """Whether a spec.md of the template is there, or one with the documents that belong to a feature."""
        folder = _folder(path)
        try:
            with (folder / _SPEC).open(encoding="utf-8", errors="replace") as file:
                head = file.read(10_000)
        except OSError:
            return False
        return _SPEAKS.search(head) is not None or any((folder / sign).exists() for sign in _SIGNS)

    def read(self, path: Path) -> Imported:
        """Read the folder.

        Raises:
            InputError: There is no spec.md, or it is too large.
            SpecError: A file is not UTF-8, or tasks depend on each other in a circle; the message names the place.
        """
        folder = _folder(path)
        if not (folder / _SPEC).is_file():
            raise InputError(f"{path} holds no {_SPEC}", next_step="Name the folder of one feature")
        feature = read_feature_spec(read_source(folder / _SPEC, _SPEC), _SPEC)
        others = _Others(folder)
        others.read()
        tasks = FeatureTasks((), (), ())
        if (folder / _TASKS).is_file():
            text = read_source(folder / _TASKS, _TASKS)
            tasks = read_feature_tasks(text, _TASKS, feature.stories, {one.id for one in feature.requirements})
        return Imported(
            _spec(feature, others, folder.resolve().name),
            tasks.tasks,
            (*feature.sections, *others.sections, *tasks.sections),
            (*feature.left_out, *others.left_out, *tasks.left_out),
        )


def _folder(path: Path) -> Path:
    return path.parent if path.name == _SPEC and path.is_file() else path


def _spec(feature: FeatureSpec, others: _Others, name: str) -> Spec:
    asked = [*feature.questions, *others.questions]
    return Spec(
        title=feature.title or name,
        idea=feature.idea,
        goal=feature.goal,
        requirements=tuple(feature.requirements),
        questions=tuple(Question(f"Q-{n}", q.text, q.why, answer=q.answer) for n, q in enumerate(asked, 1)),
        out_of_scope=tuple(feature.out_of_scope),
        stories=tuple(feature.story_titles),
        interface=tuple(others.interface),
    )


class _Others:
    """The documents beside spec.md and tasks.md, which are kept as they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sections: list[Section] = []
        self.questions: list[Question] = []
        self.interface: list[str] = []
        self.left_out: list[LeftOut] = []
        self.length = 0

    def read(self) -> None:
        names = sorted(_names(self.folder), key=lambda name: (name not in _FIRST, name))
        for name in names[:_MAX_FILES]:
            try:
                self._keep(name, self._text(name))
            except AgentInfraError as error:
                self._leave(name, f"{error.what}: {error.why}" if error.why else error.what)
        for name in names[_MAX_FILES:]:
            self._leave(name, f"a feature has at most {_MAX_FILES} documents")

    def _text(self, name: str) -> str:
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise InputError("it is a link to somewhere else")
        text = read_source(path, name)
        if "\0" in text:
            raise InputError("it is no text")
        if self.length + len(text) > MAX_BYTES:
            raise InputError(f"with it the documents have more than {MAX_BYTES // 1_000_000} MB")
        self.length += len(text)
        return text

    def _keep(self, name: str, text: str) -> None:
        if name.startswith("contracts/"):
            self.interface.append(f"{code_span(name)}, as written below")
        if name.endswith(".md"):
            self._ask(name, text)
        else:
            text = _fenced(text, Path(name).suffix.removeprefix("."))
        self.sections.append(Section(f"From {name}", text))

    def _ask(self, name: str, text: str) -> None:
        lines = [line for chapter in chapters(text) for line in chapter.lines if line.kind == "text"]
        for line in lines:
            if "NEEDS CLARIFICATION" in line.text:
                asked = one_line(re.sub(r"\*\*|__|^\s*[-*+]\s", "", line.text))
                self.questions.append(Question("", asked, f"It is open in {name}, line {line.number}"))

    def _leave(self, name: str, why: str) -> None:
        self.left_out.append(LeftOut(name, 1, f"the whole of {name}", why))


def _names(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in (*files, *links):
            path = (Path(root) / name).relative_to(folder).as_posix()
            if path not in (_SPEC, _TASKS):
                yield path


def _fenced(text: str, language: str) -> str:
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"
