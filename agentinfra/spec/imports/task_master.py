"""Task Master's tasks.json: every task becomes a requirement and its task, every subtask a task of its own.

Both forms are read: ``{"tasks": [...]}`` and the tagged one, ``{"master": {"tasks": [...]}, …}``, with all its tags.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra.core.tasks import Task
from agentinfra.spec.imports.format import Imported, LeftOut, Section, tidy
from agentinfra.spec.imports.json_nodes import Node, read_json
from agentinfra.spec.imports.source_text import read_source
from agentinfra.spec.imports.task_order import with_order
from agentinfra.spec.markdown import one_line
from agentinfra.spec.requirements import Requirement, Spec

_PLACES = (".taskmaster/tasks/tasks.json", "tasks/tasks.json", "tasks.json")
_STRUCTURE = ("id", "title", "status", "dependencies")
_PROSE = ("description", "details", "testStrategy")
_FOLDERS = ("tasks", ".taskmaster")


class TaskMaster:
    """Reads a tasks.json, or that of a project's folder."""

    name = "task-master"

    def recognises(self, path: Path) -> bool:
        """Whether it is a JSON file, or a folder where Task Master keeps one."""
        return (path.is_file() and path.suffix == ".json") or any((path / place).is_file() for place in _PLACES)

    def read(self, path: Path) -> Imported:
        """Read the tasks.

        Raises:
            InputError: There is no tasks.json, or it is too large.
            SpecError: It is broken, or its tasks depend on each other in a circle; the message names the line.
        """
        places = [path, *(path / place for place in _PLACES)]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise InputError(f"{path} holds no tasks.json", next_step="Name the tasks.json itself")
        name = file.name if file == path else file.relative_to(path).as_posix()
        return _Reader(read_json(read_source(file, name), name), _project(file)).read()


def _project(file: Path) -> str:
    parents = (parent.name for parent in file.resolve().parents)
    return next((name for name in parents if name and name not in _FOLDERS), "Tasks")


@dataclass(slots=True)
class _Entry:
    """A task or subtask; ``key`` is how others of its tag call it, such as "2" or "2.1"."""

    tag: str
    key: str
    node: Node
    parent: _Entry | None = None
    number: int = 0
    subtasks: list[_Entry] = field(default_factory=list["_Entry"])

    @property
    def id(self) -> str:
        return f"T-{self.number}"

    @property
    def title(self) -> str:
        """Its title on one line, or its id where it has none."""
        title = self.node.fields.get("title")
        return one_line(title.text) if title and title.text.strip() else f"Task {self.key}"


class _Reader:
    """Goes over the tasks of all tags; what is no part of a task graph becomes prose of its requirement."""

    def __init__(self, root: Node, title: str) -> None:
        self.root = root
        self.title = title
        self.left_out: list[LeftOut] = []
        self.about: list[str] = []
        self.entries: list[_Entry] = []

    def read(self) -> Imported:
        for tag, holder in self._lists():
            self._add(tag, holder)
        self._number()
        found = {(entry.tag, entry.key): entry for entry in reversed(self.entries)}
        tasks = [self._task(entry, found) for entry in self.entries]
        ordered, agreed = with_order(tasks, dict(self._implied(tasks)))
        if not agreed:
            what = "tasks wait for their subtasks, and subtasks for what their task waits for"
            self._leave(self.root, what, "it contradicts the dependencies that are written down")
        requirements = tuple(self._requirement(entry) for entry in self.entries if entry.parent is None)
        about = [Section("About the tasks", tidy(self.about))] if self.about else []
        spec = Spec(self.title, "", "", requirements)
        return Imported(spec, ordered, tuple(about), tuple(self.left_out))

    def _lists(self) -> list[tuple[str, Node]]:
        top = self.root.fields
        if "tasks" in top:
            return [("", self.root)]
        tags = {name: node for name, node in top.items() if isinstance(node.value, dict) and "tasks" in node.fields}
        if not tags:
            raise self.root.wrong("there is no list of tasks", "Name a tasks.json that Task Master has written")
        self.about += [_line(name, node) for name, node in top.items() if name not in tags]
        return sorted(tags.items(), key=lambda one: one[0] != "master")

    def _add(self, tag: str, holder: Node) -> None:
        self.about += [f"- tag: {one_line(tag)}"] if tag else []
        for key, node in holder.fields.items():
            if key != "tasks" and not node.is_empty:
                self.about.append(("  " if tag else "") + _line(key, node))
        for node in holder.fields["tasks"].items:
            task = _Entry(tag, _id(node), node)
            self.entries.append(task)
            subtasks = node.fields.get("subtasks")
            for one in subtasks.items if subtasks and not subtasks.is_empty else []:
                task.subtasks.append(_Entry(tag, f"{task.key}.{_id(one)}", one, task))
            self.entries += task.subtasks

    def _number(self) -> None:
        """Keep the numbers of tasks where they are free; subtasks and other ids get those behind."""
        taken: set[int] = set()
        keys: set[tuple[str, str]] = set()
        for entry in self.entries:
            if (entry.tag, entry.key) in keys:
                self._leave(entry.node.fields["id"], f"id: {entry.key}", "another one has this id; it got a new one")
            keys.add((entry.tag, entry.key))
            wanted = int(entry.key) if entry.key.isdecimal() and len(entry.key) < 10 else 0
            if wanted and wanted not in taken:
                entry.number = wanted
                taken.add(wanted)
        free = itertools.count(max(taken, default=0) + 1)
        for entry in self.entries:
            entry.number = entry.number or next(free)

    def _task(self, entry: _Entry, found: dict[tuple[str, str], _Entry]) -> Task:
        status = entry.node.fields.get("status")
        if status and not status.is_empty and status.text != "pending":
            self._leave(status, f"status: {status.text}", f"the engine alone says how far {entry.id} is, by its proofs")
        needed = entry.node.fields.get("dependencies")
        nodes = needed.items if needed and not needed.is_empty else []
        depends_on = [name for node in nodes for name in self._needed(entry, node, found)]
        owner = entry.parent or entry
        return Task(entry.id, entry.title, (f"FR-{owner.number}",), (), depends_on=tuple(dict.fromkeys(depends_on)))

    def _needed(self, entry: _Entry, node: Node, found: dict[tuple[str, str], _Entry]) -> Iterable[str]:
        key = _key(node)
        siblings = [f"{entry.parent.key}.{key}"] if entry.parent else []
        for wanted in (*siblings, key):
            if (entry.tag, wanted) in found:
                return [found[entry.tag, wanted].id]
        self._leave(node, f"dependency of {entry.key}: {key}", "there is no task of this id")
        return []

    def _implied(self, tasks: list[Task]) -> Iterator[tuple[str, list[str]]]:
        """A task is done when its subtasks are, and these begin when it may."""
        own = {task.id: task.depends_on for task in tasks}
        for entry in self.entries:
            if entry.parent:
                yield entry.id, [] if own[entry.id] else list(own[entry.parent.id])
            else:
                yield entry.id, [one.id for one in entry.subtasks]

    def _requirement(self, entry: _Entry) -> Requirement:
        lines = _prose(entry)
        for one in entry.subtasks:
            lines += ["", f"**{one.key} {one.title}** ({one.id})", "", *_prose(one)]
        return Requirement(f"FR-{entry.number}", entry.title, tidy(lines))

    def _leave(self, node: Node, what: str, why: str) -> None:
        self.left_out.append(LeftOut(node.file, node.line, what, why))


def _id(node: Node) -> str:
    if "id" not in node.fields:
        raise node.wrong("a task has no id", "Give it one, such as 7")
    return _key(node.fields["id"])


def _key(node: Node) -> str:
    if isinstance(node.value, bool) or not isinstance(node.value, (int, str)) or not str(node.value).strip():
        raise node.wrong(f"{node.shown} is no id of a task", "Write a number such as 7, or 7.1 for a subtask")
    return one_line(str(node.value))


def _prose(entry: _Entry) -> list[str]:
    fields = entry.node.fields
    lines: list[str] = []
    for key in _PROSE:
        if key in fields and not fields[key].is_empty:
            head = "Test strategy: " if key == "testStrategy" else ""
            lines += [*(head + _normal(fields[key].text)).split("\n"), ""]
    lines += [f"- Task Master's id: {entry.key}"] if not entry.parent and entry.key != str(entry.number) else []
    lines += [f"- tag: {one_line(entry.tag)}"] if entry.tag not in ("", "master") and not entry.parent else []
    own = {*_STRUCTURE, *_PROSE, *(() if entry.parent else ("subtasks",))}
    rest = [key for key in fields if key not in own and not fields[key].is_empty]
    return lines + [_line(key, fields[key]) for key in rest if not _is_parent(entry, key)]


def _is_parent(entry: _Entry, key: str) -> bool:
    return key == "parentTaskId" and entry.parent is not None and entry.node.fields[key].shown == entry.parent.key


def _line(key: str, node: Node) -> str:
    return f"- {one_line(key)}: {one_line(node.shown)}"


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
