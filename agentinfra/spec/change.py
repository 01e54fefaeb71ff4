"""What a person changed in an approved specification, and which tasks that makes stale. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from agentinfra.core.tasks import Task, in_order
from agentinfra.spec.requirements import Example, Ground, Requirement, Spec


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the requirements, by id, in the order of the document.

    Attributes:
        added: New ones.
        modified: Those that ask for something else: in words, examples, file or signature.
        removed: Those that are gone.
        reworded: Those with another title alone: nothing has to be built anew.
    """

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reworded: tuple[str, ...] = ()

    @property
    def calls_for_work(self) -> bool:
        """Whether anything has to be built anew."""
        return bool(self.added or self.modified)

    @property
    def affected(self) -> frozenset[str]:
        """The requirements that have to be built, anew or for the first time."""
        return frozenset((*self.added, *self.modified))

    def __str__(self) -> str:
        named = {"added": self.added, "modified": self.modified, "removed": self.removed, "reworded": self.reworded}
        return "; ".join(f"{word} {', '.join(ids)}" for word, ids in named.items() if ids) or "nothing changed"


def changed(approved: Spec, edited: Spec) -> Change:
    """Compare two specifications by their requirements; blanks and line ends in prose do not count."""
    before = {one.id: one for one in approved.requirements}
    after = {one.id: one for one in edited.requirements}
    both = [name for name in after if name in before]
    modified = [name for name in both if _asked(before[name]) != _asked(after[name])]
    reworded = [name for name in both if name not in modified and before[name].title != after[name].title]
    return Change(
        added=tuple(name for name in after if name not in before),
        modified=tuple(modified),
        removed=tuple(name for name in before if name not in after),
        reworded=tuple(reworded),
    )


def grounded_by_hand(approved: Spec, edited: Spec) -> Spec:
    """The edited specification with the examples that a person wrote marked as such: they do not fall as guesses do."""
    known = {one.id: {_example(each) for each in one.examples} for one in approved.requirements}

    def grounded(requirement: Requirement) -> Requirement:
        examples = tuple(
            example
            if example.ground.is_firm or _example(example) in known.get(requirement.id, ())
            else replace(example, ground=Ground.ANSWERED)
            for example in requirement.examples
        )
        return replace(requirement, examples=examples)

    return replace(edited, requirements=tuple(grounded(one) for one in edited.requirements))


def stale(change: Change, before: Iterable[Task], after: Sequence[Task], done: Collection[str]) -> tuple[str, ...]:
    """Which tasks have to be done, by id, in the order of the graph.

    These are the ones whose requirements changed, those that were never done, and those that rest on a task of another
    file or signature than before. What rests on changed code of the same signature is not stale: the merged tree's
    tests say whether it still fits.

    Args:
        change: What changed.
        before: The tasks of the approved specification.
        after: All tasks of the edited one.
        done: Ids of tasks that are done.
    """
    earlier = {task.id: task for task in before}
    found: set[str] = set()
    moved: set[str] = set()
    for task in in_order(tuple(after)):
        old = earlier.get(task.id)
        if old is None or (old.files, old.symbols) != (task.files, task.symbols):
            moved.add(task.id)
        asked = change.affected & set(task.requirements) or (old and old.requirements != task.requirements)
        if asked or task.id in moved or task.id not in done or moved & set(task.depends_on):
            found.add(task.id)
    return tuple(task.id for task in after if task.id in found)


def _asked(requirement: Requirement) -> tuple[object, ...]:
    """What has to be built, without how it is titled, laid out or grounded."""
    words = " ".join(requirement.statement.split())
    examples = tuple(_example(one) for one in requirement.examples)
    return words, examples, requirement.criteria, requirement.file, requirement.symbols, requirement.area


def _example(example: Example) -> tuple[object, ...]:
    return example.call, example.expect, example.value, example.setup
