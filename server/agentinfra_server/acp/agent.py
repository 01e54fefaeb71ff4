"""The protocol's methods, and the sessions of one editor."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentinfra import __version__
from agentinfra.protocols.json_rpc import INVALID_PARAMS, Handler, JsonRpcPeer, Params, RpcError
from agentinfra.workflow.report import run_title
from agentinfra.workflow.run_options import MODES
from agentinfra.workflow.run_state import reduce
from agentinfra_server.acp import messages as said
from agentinfra_server.acp import records
from agentinfra_server.acp.commands import COMMANDS
from agentinfra_server.acp.session import Session
from agentinfra_server.session.workspaces import Workspaces

_MODES: Mapping[str, tuple[str, str]] = {
    "plan": ("Plan", "Write the specification and the tasks; build nothing"),
    "review": ("Review", "Ask questions, and for the approval of the specification"),
    "auto-edit": ("Auto-edit", "Ask for the approval of the specification"),
    "unattended": ("Unattended", "Take recommended answers and approve the specification"),
}


class Agent:
    """Serves one editor.

    Args:
        reader: What the editor says.
        writer: Where it is answered.
        options: Fields of :class:`~agentinfra.workflow.run_options.RunOptions` for every run.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, options: Params) -> None:
        self._peer = JsonRpcPeer(reader, writer, self._handlers(), withdrawal=said.WITHDRAWAL)
        self._access = said.FileAccess()
        self._mode = str(options.get("mode", "review"))
        self._options = {name: value for name, value in options.items() if name != "mode"}
        self._sessions: dict[str, Session] = {}
        self._workspaces = Workspaces(lambda: [one.folder.as_uri() for one in self._sessions.values()])
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer until the editor is gone; then nothing is left at work."""
        try:
            await self._peer.serve()
        finally:
            await asyncio.gather(*(session.aclose() for session in self._sessions.values()))
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._workspaces.close()

    def _handlers(self) -> dict[str, Handler]:
        kinds: Mapping[str, tuple[type[Any], Callable[[Any], Awaitable[object]]]] = {
            "initialize": (said.InitializeParams, self._initialize),
            "authenticate": (said.AuthenticateParams, self._authenticate),
            "session/new": (said.NewSessionParams, self._new),
            "session/load": (said.LoadSessionParams, self._load),
            "session/resume": (said.LoadSessionParams, self._resume),
            "session/close": (said.SessionParams, self._close),
            "session/list": (said.ListSessionsParams, self._list),
            "session/prompt": (said.PromptParams, self._prompt),
            "session/cancel": (said.SessionParams, self._cancel),
            "session/set_mode": (said.SetModeParams, self._set_mode),
        }
        return {name: _reading(kind, handle) for name, (kind, handle) in kinds.items()}

    async def _initialize(self, params: said.InitializeParams) -> dict[str, Any]:
        able = params.client_capabilities
        self._access = (able and able.fs) or said.FileAccess()
        # Whatever version the editor asks for: this is the newest one here, and the editor leaves where it has it not.
        return {
            "protocolVersion": said.VERSION,
            "agentCapabilities": {
                "loadSession": True,
                "promptCapabilities": {"image": False, "audio": False, "embeddedContext": True},
                "mcpCapabilities": {"http": False, "sse": False},
                "sessionCapabilities": {"list": {}, "resume": {}, "close": {}},
            },
            "agentInfo": {"name": "agentinfra", "title": "AgentInfra", "version": __version__},
            "authMethods": [],
        }

    async def _authenticate(self, _params: said.AuthenticateParams) -> dict[str, Any]:
        return {}  # nothing to log in to; models take their keys from the environment

    async def _new(self, params: said.NewSessionParams) -> dict[str, Any]:
        session = self._open(uuid.uuid4().hex, params.cwd)
        return {"sessionId": session.name, **self._opened(session)}

    async def _load(self, params: said.LoadSessionParams) -> dict[str, Any]:
        session, runs = await self._known(params)
        await session.replay(runs)
        return self._opened(session)

    async def _resume(self, params: said.LoadSessionParams) -> dict[str, Any]:
        session, runs = await self._known(params)
        await session.take_up(runs[-1])
        return self._opened(session)

    async def _close(self, params: said.SessionParams) -> dict[str, Any]:
        session = self._session(params.session_id)
        del self._sessions[params.session_id]
        await session.aclose()
        return {}

    async def _list(self, params: said.ListSessionsParams) -> dict[str, Any]:
        known = [session.folder for session in self._sessions.values()]
        folders = [_folder(params.cwd)] if params.cwd is not None else list(dict.fromkeys(known))
        found = [await asyncio.to_thread(self._listed, folder) for folder in folders]
        return {"sessions": [session for some in found for session in some]}

    async def _prompt(self, params: said.PromptParams) -> dict[str, Any]:
        return await self._session(params.session_id).prompt(params.prompt)

    async def _cancel(self, params: said.SessionParams) -> None:
        if (session := self._sessions.get(params.session_id)) is not None:
            self._later(session.cancel())  # what the run asked is answered meanwhile

    async def _set_mode(self, params: said.SetModeParams) -> dict[str, Any]:
        session = self._session(params.session_id)
        if params.mode_id not in MODES:
            raise RpcError(INVALID_PARAMS, f"There is no mode {params.mode_id!r}; use one of {', '.join(MODES)}")
        session.mode = params.mode_id
        return {}

    async def _known(self, params: said.LoadSessionParams) -> tuple[Session, list[str]]:
        """A session of before and its runs."""
        runs = await asyncio.to_thread(self._runs, _folder(params.cwd), params.session_id)
        if not runs:
            raise RpcError(said.RESOURCE_NOT_FOUND, f"There is no session {params.session_id} in {params.cwd}")
        return self._sessions.get(params.session_id) or self._open(params.session_id, params.cwd), runs

    def _opened(self, session: Session) -> dict[str, Any]:
        self._later(session.offer_commands(COMMANDS))
        return {"modes": _modes(session.mode)}

    def _open(self, name: str, cwd: str) -> Session:
        folder = _folder(cwd)
        session = Session(name, folder, self._peer, self._workspaces, self._options, self._mode, access=self._access)
        self._sessions[name] = session
        return session

    def _session(self, name: str) -> Session:
        if name not in self._sessions:
            raise RpcError(said.RESOURCE_NOT_FOUND, f"There is no session {name}; open one by session/new")
        return self._sessions[name]

    def _runs(self, folder: Path, session: str) -> list[str]:
        """The runs of a session; a run that no session began is one by itself."""
        known = records.sessions(folder).get(session)
        return known or ([session] if session in self._workspaces.log(folder).runs() else [])

    def _listed(self, folder: Path) -> list[dict[str, Any]]:
        """The sessions of a folder, newest first."""
        known = records.sessions(folder)
        log = self._workspaces.log(folder)
        begun = {run for runs in known.values() for run in runs}
        alone = {run: [run] for run in log.runs() if run not in begun}
        states = {name: reduce(log.read(runs[-1])) for name, runs in {**known, **alone}.items()}
        newest = sorted(states.items(), key=lambda one: one[1].updated, reverse=True)
        return [
            {
                "sessionId": name,
                "cwd": str(folder),
                "title": run_title(state),
                "updatedAt": datetime.fromtimestamp(state.updated, UTC).isoformat(),
            }
            for name, state in newest
        ]

    def _later(self, work: Awaitable[None]) -> None:
        """Do it after what is being answered; its failure goes to standard error, and the server lives."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _reading(kind: type[Any], handle: Callable[[Any], Awaitable[object]]) -> Handler:
    async def answer(params: Params) -> object:
        return await handle(said.read(kind, params))

    return answer


def _folder(cwd: str) -> Path:
    folder = Path(cwd)
    if not folder.is_absolute() or not folder.is_dir():
        raise RpcError(INVALID_PARAMS, f"cwd: {cwd} is no absolute path of a folder")
    return folder


def _modes(current: str) -> dict[str, Any]:
    modes = [{"id": name, "name": title, "description": about} for name, (title, about) in _MODES.items()]
    return {"currentModeId": current, "availableModes": modes}
