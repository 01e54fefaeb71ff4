"""A run's events as an editor's conversation shows them. Pure: a replay says what was said when it happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentinfra.core.events import Event
from agentinfra.security.clean import clean_line, clean_text
from agentinfra.workflow.event_fields import mapping, mappings, number, text, texts
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.figures import cost, count, duration
from agentinfra.workflow.report import build_report
from agentinfra.workflow.run_state import RunState, apply
from agentinfra_server.acp.messages import Update
from agentinfra_server.acp.plan import ARROW, plan_update, shown_path

APPROVAL, QUESTION = "approval", "question"
MOST_LOCATIONS = 10
MOST_CHARACTERS = 20_000
_KINDS = frozenset({"read", "edit", "delete", "move", "search", "execute", "think", "fetch"})
_ENDS = frozenset({"completed", "failed"})


class Transcript:
    """What is told of one run.

    Args:
        run: The run.
        folder: The workspace folder; paths are told as they are there.

    Attributes:
        state: The run's state by the last event that was taken.
    """

    def __init__(self, run: str, folder: Path) -> None:
        self.run = run
        self.state = RunState()
        self._folder = folder
        self._open: dict[str, str] = {}
        self._plan: Update = {}
        self._tells: Mapping[str, Callable[[Event], list[Update]]] = {
            "state_update": self._state_update,
            "plan_update": self._plan_update,
            "question": self._question,
            "answer": self._answer,
            "approval": self._approval,
            "tool_call": self._tool_call,
            "tool_call_update": self._tool_call_update,
            "agent_message_chunk": self._message,
            "test_result": self._test_result,
            "ruling": self._ruling,
            "qa_finding": self._qa_finding,
            "notice": self._notice,
        }

    def take(self, event: Event, changes: Sequence[Mapping[str, Any]] = ()) -> list[Update]:
        """What is to be told of the next event.

        Args:
            event: The event.
            changes: The diffs of the commit that it is about.
        """
        self.state = apply(self.state, event)
        if event.kind == "change_resolved":
            return self._change_resolved(event, changes)
        tell = self._tells.get(event.kind)
        return tell(event) if tell else []

    def plan(self) -> list[Update]:
        """The plan, where an entry is not as it was told last."""
        update = plan_update(self.state)
        if update["entries"] == self._plan.get("entries"):
            return []
        self._plan = update
        return [update]

    def close(self) -> list[Update]:
        """End what is still shown as at work; nobody works on it any more."""
        ended, self._open = self._open, {}
        return [{"sessionUpdate": "tool_call_update", "toolCallId": one, "status": "failed"} for one in ended.values()]

    def call_id(self, name: str) -> str:
        """The id under which something is shown that is still open: a question's id, or APPROVAL."""
        return self._open.get(name, f"{self.run}:{name}")

    def idea(self) -> list[Update]:
        """What the person asked for, as their own message."""
        return self._say(text(self.state.info, "idea"), "user_message_chunk")

    def _begin(self, event: Event, name: str, title: str, kind: str, **more: object) -> list[Update]:
        """Show that something began; ``name`` is what its end is told by."""
        self._open[name] = f"{self.run}:{event.seq}"
        fields = {"toolCallId": self._open[name], "title": title, "kind": kind}
        fields |= {key: value for key, value in more.items() if value}
        return [{"sessionUpdate": "tool_call", "status": "in_progress", **fields, **self._meta(event)}]

    def _end(self, name: str, status: str, said: str = "") -> list[Update]:
        if name not in self._open:
            return []
        ended = {"sessionUpdate": "tool_call_update", "toolCallId": self._open.pop(name), "status": status}
        return [{**ended, "content": _tool_texts(said)} if said else ended]

    def _step(self, event: Event, title: str, kind: str, status: str, **more: object) -> list[Update]:
        """Show something that has happened already."""
        call = {"sessionUpdate": "tool_call", "toolCallId": f"{self.run}:{event.seq}", "title": title, "kind": kind}
        return [{**call, "status": status, **{key: value for key, value in more.items() if value}, **self._meta(event)}]

    def _say(self, said: str, chunk: str = "agent_message_chunk") -> list[Update]:
        return [{"sessionUpdate": chunk, "content": _content(said)}]

    def _meta(self, event: Event) -> dict[str, Any]:
        own = {"runId": self.run, "seq": event.seq, "agentPath": list(event.agent), "taskId": _task(event)}
        return {"_meta": {"agentinfra": own}}

    def _locations(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        return [{"path": str(self._folder / path)} for path in dict.fromkeys(paths)][:MOST_LOCATIONS]

    def _title(self, event: Event, what: str) -> str:
        """The agent's path and what it does; the task is named once."""
        task, path = _task(event), shown_path(event.agent)
        owner = ARROW.join(part for part in (path, "" if not task or task in path.split(ARROW) else task) if part)
        what = what.removesuffix(f" {task}") if task else what
        return clean_line(f"{owner}{ARROW}{what}" if owner else what)

    def _state_update(self, event: Event) -> list[Update]:
        state = text(event.data, "state")
        if state == "awaiting_approval":
            where = self._locations([self.state.spec_path])
            return self._begin(event, APPROVAL, "Approve the specification", "other", status="pending", locations=where)
        if state not in FINAL_RUN_STATES:
            return []
        return [*self.close(), *self._say(_summary(self.state))]

    def _plan_update(self, event: Event) -> list[Update]:
        title = text(mapping(event.data, "spec"), "title")
        return [{"sessionUpdate": "session_info_update", "title": clean_line(title)}] if title else []

    def _question(self, event: Event) -> list[Update]:
        said = "\n".join(filter(None, (text(event.data, "why"), *(f"- {one}" for one in texts(event.data, "options")))))
        name, title = text(event.data, "id"), clean_line(text(event.data, "text"))
        return self._begin(event, f"{QUESTION} {name}", title, "other", status="pending", content=_tool_texts(said))

    def _answer(self, event: Event) -> list[Update]:
        return self._end(f"{QUESTION} {text(event.data, 'id')}", "completed", text(event.data, "text"))

    def _approval(self, _event: Event) -> list[Update]:
        return self._end(APPROVAL, "completed")

    def _tool_call(self, event: Event) -> list[Update]:
        kind = text(event.data, "kind")
        task = self.state.task(_task(event) or "")
        where = self._locations(task.files if task else ())
        name, title = text(event.data, "id"), self._title(event, text(event.data, "title"))
        return self._begin(event, name, title, kind if kind in _KINDS else "other", locations=where)

    def _tool_call_update(self, event: Event) -> list[Update]:
        status = text(event.data, "status")
        ended = status if status in _ENDS else "failed"
        return self._end(text(event.data, "id"), ended, text(event.data, "content"))

    def _message(self, event: Event) -> list[Update]:
        # What several agents say at once would be a jumble as one message.
        return self._say(text(event.data, "text"), "agent_thought_chunk" if _task(event) else "agent_message_chunk")

    def _test_result(self, event: Event) -> list[Update]:
        tests, phase = mappings(event.data, "tests"), text(event.data, "phase")
        failed = [one for one in tests if text(one, "outcome") != "passed"]
        # Before there is code the tests have to fail.
        is_good = bool(failed) if phase == "red" else not failed and event.data.get("exit_code") == 0
        told = f"tests ({phase}): {len(tests) - len(failed)} passed, {len(failed)} failed"
        told += f", {duration(number(event.data, 'seconds'))}"
        said = "\n\n".join(f"{text(one, 'id')}\n{text(one, 'message')}".strip() for one in failed)
        where = self._locations([text(one, "id").partition("::")[0] for one in tests])
        status = "completed" if is_good else "failed"
        return self._step(
            event, self._title(event, told), "execute", status, locations=where, content=_tool_texts(said)
        )

    def _ruling(self, event: Event) -> list[Update]:
        told = f"ruling: {text(event.data, 'fault') or 'nobody'} is at fault"
        content = _tool_texts(text(event.data, "reason"))
        return self._step(event, self._title(event, told), "think", "completed", content=content)

    def _change_resolved(self, event: Event, changes: Sequence[Mapping[str, Any]]) -> list[Update]:
        decision, task = text(event.data, "decision"), self.state.task(_task(event) or "")
        told = self._title(event, f"{decision}{f': {task.title}' if task else ''}")
        where = self._locations(task.files if task else [])
        status = "failed" if decision == "returned" else "completed"
        content = [*changes, *_tool_texts(text(event.data, "reason"))]
        return self._step(event, told, "edit", status, locations=where, content=content)

    def _qa_finding(self, event: Event) -> list[Update]:
        path, line = text(event.data, "path"), event.data.get("line")
        where = [{"path": str(self._folder / path), **({"line": line} if isinstance(line, int) and line > 0 else {})}]
        told = self._title(event, f"{text(event.data, 'severity')}: {text(event.data, 'message')}")
        return self._step(event, told, "read", "completed", locations=where if path else [])

    def _notice(self, event: Event) -> list[Update]:
        level = text(event.data, "level")
        prefix = f"**{level}:** " if level in ("warning", "error") else ""
        return self._say(f"{prefix}{clean_text(text(event.data, 'text'), MOST_CHARACTERS)}\n\n")


def _summary(state: RunState) -> str:
    """How a run ended, and what can be said next."""
    report = build_report(replace(state, reason=""))  # the reason is told in full
    used = state.totals.input_tokens + state.totals.output_tokens
    facts = f"{duration(state.elapsed)} · {used:,} tokens · {cost(state.totals, report.model)}"
    lines = [f"**{report.outcome}.**", *filter(None, [clean_text(state.reason, MOST_CHARACTERS)]), facts]
    if report.done:
        done = count(len(report.done), "task")
        lines.append(f"{done} on the branch `{report.branch}`: `/accept` merges it, `/reject` drops it.")
    if state.state == "stopped":
        lines.append("`/resume` goes on with it.")
    return "\n\n".join(lines) + "\n\n"


def _task(event: Event) -> str | None:
    """The task that an event is about: it says so, or its agent is the task's own."""
    named = text(event.data, "task")
    owner = event.agent[-1].partition(":")[2] if event.agent else ""
    return named or owner or None


def _content(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def _tool_texts(said: str) -> list[Mapping[str, Any]]:
    return [{"type": "content", "content": _content(clean_text(said, MOST_CHARACTERS))}] if said else []
