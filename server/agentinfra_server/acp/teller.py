"""Tells an editor what is in the log of a session's runs, each event once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentinfra.core.events import Event
from agentinfra.protocols.json_rpc import JsonRpcPeer
from agentinfra.workflow.event_fields import text
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra_server.acp.changes import changes_of
from agentinfra_server.acp.messages import Update
from agentinfra_server.acp.plan import run_meta
from agentinfra_server.acp.transcript import Transcript
from agentinfra_server.session.workspaces import Workspaces


class Teller:
    """Sends a session's updates.

    Args:
        session: The session's id.
        folder: The workspace folder.
        peer: The editor.
        workspaces: Has the log.
    """

    def __init__(self, session: str, folder: Path, peer: JsonRpcPeer, workspaces: Workspaces) -> None:
        self._session = session
        self._folder = folder
        self._peer = peer
        self._workspaces = workspaces
        self._transcripts: dict[str, Transcript] = {}
        self._one_at_a_time = asyncio.Lock()

    def transcript(self, run: str) -> Transcript:
        """What was told of a run so far."""
        if run not in self._transcripts:
            self._transcripts[run] = Transcript(run, self._folder)
        return self._transcripts[run]

    async def catch_up(self, run: str) -> None:
        """Tell what of a run has not been told."""
        async with self._one_at_a_time:
            await self._tell_new(run)

    async def replay(self, run: str, *, is_last: bool) -> None:
        """Tell a run from its beginning, with what the person asked for.

        Args:
            run: The run.
            is_last: Whether it may still be at work; of an earlier one nothing is.
        """
        async with self._one_at_a_time:
            self._transcripts.pop(run, None)
            await self._tell_new(run, with_idea=True)
            transcript = self.transcript(run)
            if not is_last or transcript.state.state in FINAL_RUN_STATES:
                await self.tell(transcript.close())

    async def skip(self, run: str) -> None:
        """Take for told what there is of a run, where nothing of it was told here."""
        async with self._one_at_a_time:
            if run not in self._transcripts:
                for event in await self._new(run):
                    self.transcript(run).take(event)

    async def say(self, said: str) -> None:
        """Say something that is in no log."""
        await self.tell([{"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": f"{said}\n\n"}}])

    async def tell(self, updates: Sequence[Update]) -> None:
        """Send updates; nothing happens where the editor is gone."""
        for update in updates:
            await self._peer.notify("session/update", {"sessionId": self._session, "update": update})

    def figures(self, run: str) -> dict[str, Any]:
        """How far a run is and what it has used, as ``_meta`` of an answer; empty where there is no run."""
        told = self._transcripts.get(run)
        return {"_meta": {"agentinfra": run_meta(told.state)}} if told else {}

    async def _tell_new(self, run: str, *, with_idea: bool = False) -> None:
        transcript = self.transcript(run)
        events = await self._new(run)
        for event in events:
            updates = transcript.take(event, await self._changes(event))
            await self.tell([*(transcript.idea() if with_idea and event is events[0] else []), *updates])
        await self.tell(transcript.plan() if events else [])

    async def _new(self, run: str) -> Sequence[Event]:
        return await asyncio.to_thread(self._workspaces.log(self._folder).read, run, self.transcript(run).state.seq)

    async def _changes(self, event: Event) -> Sequence[Mapping[str, Any]]:
        commit = text(event.data, "commit")
        if event.kind != "change_resolved" or event.data.get("decision") != "merged" or not commit:
            return ()
        return await changes_of(self._folder, commit)
