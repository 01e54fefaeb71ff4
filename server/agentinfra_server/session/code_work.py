"""The code actions at work: each is cancelled, shown as progress where it takes long, and never lost silently."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.action_record import ActionRecord
from agentinfra_server.session.code_agents import CodeAgents
from agentinfra_server.session.code_offers import CodeOffers
from agentinfra_server.session.model_sight import ModelSight
from agentinfra_server.session.progress import CREATE_SECONDS, token_of

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

T = TypeVar("T")
MOST_AT_WORK = 32
"""An action that goes on by itself counts twice: it, and who waits for it."""


class CodeWork:
    """Everything of an editor's code actions that lasts longer than one request.

    Args:
        server: The connection.

    Attributes:
        agents: Who performs them.
        models: Whether anybody could.
        offers: What other agents offer.
        record: Those that went on by themselves.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self.agents = CodeAgents(server.editor)
        self.models = ModelSight(server.editor)
        self.offers = CodeOffers(self.agents, self._log)
        self.record = ActionRecord(self._tasks.__contains__)

    def begin(self, work: Coroutine[Any, Any, T]) -> tuple[str, asyncio.Task[T]]:
        """Start something; its id and its task.

        Raises:
            InputError: Too much is at work already.
        """
        if len(self._tasks) >= MOST_AT_WORK:
            work.close()
            raise InputError(
                tr("{most} code actions are at work", most=MOST_AT_WORK // 2),
                next_step=tr("Wait for them, or stop some"),
            )
        return self._started(work)

    def _started(self, work: Coroutine[Any, Any, T]) -> tuple[str, asyncio.Task[T]]:
        name = f"action-{uuid.uuid4().hex[:8]}"
        task = self._tasks[name] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return name, task

    def cancel(self, name: str) -> None:
        """Stop what has this id, if it still is at work."""
        if (task := self._tasks.get(name)) is not None:
            task.cancel()

    def go_on(
        self,
        name: str,
        task: asyncio.Task[T],
        title: str,
        then: Callable[[T], Awaitable[None]],
        folder: Path | None = None,
    ) -> None:
        """Let something go on by itself, with its progress shown; the person is told what becomes of it.

        Args:
            name: Its id.
            task: What is at work.
            title: What it is called.
            then: What to do with the result.
            folder: The workspace folder on whose record it goes; None for none.
        """
        done = self._until_done(name, task, title, then)
        _, waiting = self._started(self._recorded(folder, name, title, done) if folder else done)
        # Whoever asked is answered; the server's end stops both.
        waiting.add_done_callback(lambda done: None if done.cancelled() else done.exception())

    async def aclose(self) -> None:
        """Stop everything; no process is left."""
        self.models.aclose()
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self.offers.aclose(), return_exceptions=True)
        await self.agents.aclose()
        self.record.close()

    async def _recorded(self, folder: Path, name: str, title: str, work: Coroutine[Any, Any, str]) -> None:
        loop = asyncio.get_running_loop()

        def put(write: Callable[..., None], *said: str) -> None:
            try:
                write(folder, name, *said)
            except AgentInfraError as error:  # the action is worth more than its record
                loop.call_soon_threadsafe(self._log, f"{title}: {error}")

        try:
            await asyncio.to_thread(put, self.record.begin, title)
            failure = await work
            await asyncio.to_thread(put, self.record.end, "failed" if failure else "done", failure)
        except asyncio.CancelledError:
            put(self.record.end, "stopped")
            raise
        finally:
            work.close()

    async def _until_done(
        self, name: str, task: asyncio.Task[T], title: str, then: Callable[[T], Awaitable[None]]
    ) -> str:
        """Why it failed; "" where it did not."""
        try:
            async with self._shown(name, title):
                result = await task
            await then(result)
        except (AgentInfraError, JsonRpcException) as error:
            text = str(error) if isinstance(error, AgentInfraError) else error.message
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, f"{title}: {text}"))
            return text
        return ""

    @asynccontextmanager
    async def _shown(self, name: str, title: str) -> AsyncGenerator[None]:
        token = token_of(name)
        window = self._server.client_capabilities.window
        is_shown = bool(window and window.work_done_progress) and await self._created(token)
        if is_shown:
            self._tell(token, lsp.WorkDoneProgressBegin(f"AgentInfra: {title}", cancellable=True))
        try:
            yield
        finally:
            if is_shown:
                self._tell(token, lsp.WorkDoneProgressEnd())

    async def _created(self, token: str) -> bool:
        try:
            async with asyncio.timeout(CREATE_SECONDS):
                await self._server.window_work_done_progress_create_async(lsp.WorkDoneProgressCreateParams(token))
        except (JsonRpcException, TimeoutError):
            return False
        return True

    def _log(self, text: str) -> None:
        self._server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, text))

    def _tell(self, token: str, value: object) -> None:
        self._server.progress(lsp.ProgressParams(token, value))
