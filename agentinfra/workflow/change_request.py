"""A run that changes what an earlier run built: only what an edited specification makes stale is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agentinfra.agents.task_planning import tasks_for
from agentinfra.core.tasks import Task
from agentinfra.spec.change import Change, changed, grounded_by_hand, stale
from agentinfra.spec.document import parse
from agentinfra.spec.requirements import AREAS, Requirement, Spec


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What a run starts from that changes an earlier one.

    Attributes:
        run: The earlier run.
        approved: Its spec.md, as it was approved.
        edited: spec.md as the person left it.
        done: Ids of the tasks that are done.
        tests: Test files by the requirement that they were written for, as far as they are known.
    """

    run: str
    approved: str
    edited: str
    done: tuple[str, ...]
    tests: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ChangeRequest:
        """Read what :func:`dataclasses.asdict` made of one."""
        return cls(data["run"], data["approved"], data["edited"], tuple(data["done"]), data.get("tests") or {})

    def spec(self, edited: str | None = None) -> Spec:
        """The edited specification, with a person's own examples marked as theirs.

        Args:
            edited: Instead of the request's, where the person went on editing.
        """
        return grounded_by_hand(parse(self.approved), parse(edited or self.edited))

    def change(self, spec: Spec) -> Change:
        """What the specification changes."""
        return changed(parse(self.approved), spec)

    def left_behind(self, spec: Spec) -> list[str]:
        """What the specification asks for no longer and is there all the same, one line a requirement."""
        gone = self.change(spec).removed
        return [
            f"{one.id} {one.title} is asked for no longer; what it brought stays: {self._brought(one)}"
            for one in parse(self.approved).requirements
            if one.id in gone
        ]

    def _brought(self, requirement: Requirement) -> str:
        symbols = ", ".join(requirement.symbols)
        code = [f"{symbols} in {requirement.file}" if symbols else requirement.file] if requirement.file else []
        return ", ".join((*code, *self.tests.get(requirement.id, ()))) or "nothing that is known"

    def to_do(self, spec: Spec, tasks: Sequence[Task]) -> list[Task]:
        """The tasks that have to be done, each with what it waits for among them.

        Args:
            spec: The specification as it was approved for this run.
            tasks: All tasks of it.
        """
        approved = parse(self.approved)
        before = [task for area in AREAS for task in tasks_for(approved, area, "")]
        open_ids = stale(self.change(spec), before, tasks, self.done)
        return [_among(task, open_ids) for task in tasks if task.id in open_ids]


def kept_by(request: ChangeRequest | None, spec: Spec) -> dict[str, str]:
    """The requirements that a change leaves as they are, each with the run that built it; none without a change."""
    if request is None:
        return {}
    tasks = [task for area in AREAS for task in tasks_for(spec, area, "")]
    anew = {name for task in request.to_do(spec, tasks) for name in task.requirements}
    return {one.id: request.run for one in spec.requirements if one.id not in anew}


def _among(task: Task, ids: Sequence[str]) -> Task:
    """The task without what it needs of others: those are done."""
    needs = tuple(name for name in task.depends_on if name in ids)
    return replace(task, depends_on=needs, after=tuple(name for name in task.after if name in ids))
