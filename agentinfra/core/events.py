"""Events: the only truth about a run. Everything shown to anyone is a projection of them.

The data of each kind, all JSON:

==================== =================================================================================================
kind                 data
==================== =================================================================================================
state_update         state (see RUN_STATES), reason?, resumed?, round? (from 1: tasks of a run that was over are done
                     again); the first also: idea, workspace, branch, base, model, mode, sandbox, limits
plan_update          spec? {title, path, sha, status, requirements: [{id, title, examples, grounded}]},
                     tasks? [{id, title, requirements, files, symbols, depends_on, engineer}]
agent_state          task, state (a TaskState), attempt?, max_attempts?, reason?, retry? (from 1: how often a person
                     has had the task, or one that it needs, done again)
question             id, text, why, options, recommended
answer               id, text, by ("person" or "recommended")
approval             spec_sha, by ("person" or "--yes")
tool_call            id, title, kind ("think", "edit", "execute", "read", "fetch"), task?
tool_call_update     id, status ("completed" or "failed"), seconds, content?
agent_message_chunk  text, task?
usage_update         model, purpose, input_tokens, output_tokens, cached_tokens, reasoning_tokens?,
                     cache_write_tokens?, cached_replies?, cost_usd (None where the price is unknown), seconds,
                     task?; as in agentinfra.core.messages.Usage, and the counts with ? only where they are not 0
change_proposed      task, attempt, files, sha
change_resolved      task?, decision ("merged", "returned" by the merge queue to be done again, "accepted", "rejected",
                     "undone", "redone", "trimmed": lines of it were taken back), commit?, reason?
test_result          task?, phase ("red", "attempt", "green", "merge", "suite"), attempt?, exit_code, tests_sha,
                     seconds, tests: [{id, outcome, message, kind?}], reason?
test_strength        task, against ("trivial" before there is code, "mutants" of the code that passes), tests_sha,
                     seconds, requirements: [{id, tried, killed, survivors: [{change, file?, line?, symbol?,
                     told_by?}]}], reason?; told_by is a call with what the code and the survivor give, "" where none
                     was found; reason says why nothing is known
ruling               task, fault ("", "code", "test", "spec"), reason, candidates, sound, dropped: [name],
                     amended: {name: value}, question?
qa_finding           id, severity ("error", "warning", "info"), rule, path, line, message
checkpoint           commit, task?
notice               level ("info", "warning", "error"), text
instruction          id, text, when ("next" or "now"), task? (all tasks where there is none); a person's own words
instruction_used     id, task; the words went to a model
==================== =================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

EventKind = Literal[
    "state_update",
    "plan_update",
    "agent_state",
    "question",
    "answer",
    "approval",
    "tool_call",
    "tool_call_update",
    "agent_message_chunk",
    "usage_update",
    "change_proposed",
    "change_resolved",
    "test_result",
    "test_strength",
    "ruling",
    "qa_finding",
    "checkpoint",
    "notice",
    "instruction",
    "instruction_used",
]
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)
RUN_STATES = ("planning", "awaiting_approval", "building", "reviewing", "done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before the log has numbered it.

    Attributes:
        kind: What happened.
        data: The kind's data, JSON only.
        agent: Path of the agent that acted, such as ``("planner", "backend", "micro:T-3")``.
        key: Idempotency key within the run; a second append with the same key is dropped.
    """

    kind: EventKind
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    agent: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered event of a run; ``seq`` starts at 1 without gaps, ``time`` is Unix seconds."""

    run: str
    seq: int
    time: float
    kind: EventKind
    data: Mapping[str, Any]
    agent: tuple[str, ...] = ()
    key: str = ""

    def to_json(self) -> dict[str, Any]:
        """The event as a JSON object, the shape that ``--json`` prints and the server sends."""
        return {
            "run": self.run,
            "seq": self.seq,
            "time": self.time,
            "kind": self.kind,
            "agent": list(self.agent),
            "data": dict(self.data),
        }
