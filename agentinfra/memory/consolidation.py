"""What a run taught, read from its events without a model: lessons, decisions and conventions.

Only what the engine saw counts: tests that failed and then passed, tasks that were given up, work that was sent back,
what a person answered and rejected. What models said of their own work is nothing to learn from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, cast

from agentinfra.core.events import Event
from agentinfra.memory.statement import ENGINE, PERSON, Statement
from agentinfra.security.clean import clean_line

MAX_FAILURES = 3  # of a task, told by name
MAX_TEXT = 400
ENOUGH = 3  # so many of a kind make a convention
_SURE, _LIKELY, _GUESSED = 0.9, 0.7, 0.5


@dataclass(slots=True)
class _TaskStory:
    """What happened to one task, as far as it teaches something."""

    title: str = ""
    files: tuple[str, ...] = ()
    failures: dict[str, str] = field(default_factory=dict[str, str])
    attempts: int = 0
    returned: list[str] = field(default_factory=list[str])
    commit: str = ""
    state: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        where = f" in {', '.join(self.files)}" if self.files else ""
        return f"{self.title or 'a task'}{where}"


def consolidate(events: Sequence[Event]) -> tuple[Statement, ...]:
    """What there is to learn from a run, each thing once, in the order of the events.

    Args:
        events: Of one run, in order; what is missing or of another shape teaches nothing.
    """
    stories = _stories(events)
    found = [
        *_decisions(events),
        *(lesson for story in stories.values() for lesson in _lessons(story)),
        *_findings(events),
        *_conventions(stories.values(), events),
    ]
    source = f"run {events[0].run}" if events else ""
    tainted = any(_is_from_outside(event) for event in events)
    unique = {(one.kind, one.subject, one.text): one for one in found}
    return tuple(
        replace(one, source=source, tainted=tainted and one.author != PERSON, text=clean_line(one.text, MAX_TEXT))
        for one in unique.values()
    )


def _stories(events: Sequence[Event]) -> dict[str, _TaskStory]:
    stories: dict[str, _TaskStory] = {}
    for event in events:
        if event.kind == "plan_update":
            for task in _items(event.data, "tasks"):
                story = stories.setdefault(_text(task, "id"), _TaskStory())
                story.title, story.files = _text(task, "title"), _texts(task, "files")
        elif _text(event.data, "task") in stories:
            _follow(stories[_text(event.data, "task")], event)
    return stories


def _follow(story: _TaskStory, event: Event) -> None:
    data = event.data
    if event.kind == "test_result" and _text(data, "phase") == "attempt":
        story.attempts += 1
        for test in _items(data, "tests"):
            if _text(test, "outcome") != "passed":
                story.failures[_text(test, "id").rpartition("::")[2]] = _first_line(_text(test, "message"))
    elif event.kind == "change_resolved" and _text(data, "decision") == "returned":
        story.returned.append(_text(data, "reason"))
    elif event.kind == "change_resolved" and _text(data, "decision") == "merged":
        story.commit = _text(data, "commit")
    elif event.kind == "agent_state":
        story.state, story.reason = _text(data, "state"), _text(data, "reason")


def _lessons(story: _TaskStory) -> Iterator[Statement]:
    failed = "; ".join(f"{name}: {message}" for name, message in list(story.failures.items())[:MAX_FAILURES])
    if story.state == "done" and story.failures:
        fixed = f"Solved at try {story.attempts}" + (f", in commit {story.commit[:12]}" if story.commit else "")
        yield _lesson(f"{story.name}: what failed first was {failed}", story.name, fixed, _LIKELY)
    if story.state == "blocked":
        reason = story.reason or "its tries were used up"
        text = f"{story.name} was not solved: {reason}" + (f" ({failed})" if failed else "")
        yield _lesson(text, story.name, f"{story.attempts} tries", _GUESSED)
    for reason in story.returned:
        mended = "It was done again on top of the others' work" if story.state == "done" else ""
        text = f"{story.name} did not fit what was written beside it: {reason}"
        yield _lesson(text, f"merging {story.name}", mended, _LIKELY)


def _lesson(text: str, subject: str, why: str, confidence: float) -> Statement:
    subject = clean_line(subject, MAX_TEXT)
    return Statement("lesson", text, subject, clean_line(why, MAX_TEXT), author=ENGINE, confidence=confidence)


def _decisions(events: Sequence[Event]) -> Iterator[Statement]:
    asked: dict[str, str] = {}
    for event in events:
        name, said = _text(event.data, "id"), _text(event.data, "text")
        if event.kind == "question":
            asked[name] = clean_line(said, MAX_TEXT)
        elif event.kind == "answer" and asked.get(name) and said:
            by_person = _text(event.data, "by") == PERSON
            author, confidence = (PERSON, 1.0) if by_person else (ENGINE, _GUESSED)
            why = "" if by_person else "Recommended, and taken unasked"
            text = f"{asked[name]} {said}"
            yield Statement("decision", text, asked[name], why, author=author, confidence=confidence)
        elif event.kind == "change_resolved" and _text(event.data, "decision") == "rejected":
            reason = _text(event.data, "reason")
            if reason and "task" not in event.data:
                yield Statement("lesson", f"A person rejected the work of a run: {reason}", author=PERSON)


def _findings(events: Sequence[Event]) -> Iterator[Statement]:
    """Each rule that the review found broken as an error, with where; once for each rule."""
    broken: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        if event.kind == "qa_finding" and _text(event.data, "severity") == "error":
            broken.setdefault(_text(event.data, "rule"), []).append(event.data)
    for rule, places in broken.items():
        where = ", ".join(sorted({_text(one, "path") for one in places} - {""}))
        text = f"The review found {_text(places[0], 'message')} ({rule}) in {where or 'the project'}"
        yield _lesson(text, f"review rule {rule}", "", _SURE)


def _conventions(stories: Iterable[_TaskStory], events: Sequence[Event]) -> Iterator[Statement]:
    files = [file for story in stories if story.state == "done" for file in story.files]
    yield from _common_folder("Modules lie in", "where modules lie", files)
    tests = {
        _text(test, "id").partition("::")[0]
        for event in events
        if event.kind == "test_result" and _text(event.data, "phase") == "suite"
        for test in _items(event.data, "tests")
    }
    yield from _common_folder("Tests lie in", "where tests lie", sorted(tests - {""}))


def _common_folder(said: str, subject: str, files: Sequence[str]) -> Iterator[Statement]:
    """The folder that nearly all of the files are in, where there are enough of them."""
    folders = Counter(PurePosixPath(file).parent.as_posix() for file in dict.fromkeys(files))
    if folders.total() < ENOUGH:
        return
    folder, times = folders.most_common(1)[0]
    if times / folders.total() >= _SURE:
        place = "the project's top folder" if folder == "." else f"{folder}/"
        yield Statement("convention", f"{said} {place}", subject, author=ENGINE, confidence=_LIKELY)


def _is_from_outside(event: Event) -> bool:
    """Whether something of the world outside came into the run: a page that an agent fetched."""
    return event.kind == "tool_call" and _text(event.data, "kind") == "fetch"


def _first_line(message: str) -> str:
    return next(iter(message.strip().splitlines()), "failed")[:MAX_TEXT]


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(one for one in _list(data, key) if isinstance(one, str))


def _items(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [cast("Mapping[str, Any]", one) for one in _list(data, key) if isinstance(one, Mapping)]


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return list(cast("Sequence[Any]", value)) if isinstance(value, (list, tuple)) else []
