"""The processes that perform code actions: one a folder, started with the first action and kept for a while."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from agentinfra.core.errors import EngineError
from agentinfra.protocols.json_rpc import ConnectionLost, Handler, Params, RpcError
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.client import Client
from agentinfra_server.session.run_process import RunProcess
from agentinfra_server.session.runs import secrets_of

KEEP_SECONDS = 120.0
LONGEST_SECONDS = 900.0
_OF_ANSWERS = ("PatchError", "NotAPatch", "ReplyError")


class CodeAgents:
    """Asks the agents; what they offer is known once they were asked.

    Args:
        client: The editor.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._processes: dict[Path, RunProcess] = {}
        self._asked: Counter[Path] = Counter()
        self._leaving: dict[Path, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def act(self, folder: Path, params: Params) -> Mapping[str, Any]:
        """Perform an action; see ``code/act`` of :mod:`agentinfra.cli.engine`.

        Raises:
            AgentInfraError: It failed; why is said.
        """
        return await self._ask(folder, "code/act", params)

    async def offers(self, folder: Path) -> Mapping[str, Any]:
        """What other agents offer; see ``code/offers``. Imports their code, in the process.

        Raises:
            AgentInfraError: The process cannot be asked.
        """
        return await self._ask(folder, "code/offers", {})

    async def aclose(self) -> None:
        """End all processes."""
        for timer in self._leaving.values():
            timer.cancel()
        processes = tuple(self._processes.values())
        self._processes.clear()
        await asyncio.gather(*(process.stop() for process in processes), *self._ending)

    async def _ask(self, folder: Path, method: str, params: Params) -> Mapping[str, Any]:
        self._asked[folder] += 1
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return await _answer(await self._process(folder), method, params)
        except RpcError as error:
            if _kind(error) not in _OF_ANSWERS:
                self._let_go(folder, 0)  # what the person changes upon it, such as a key, is for another process
            raise
        except TimeoutError as error:
            raise EngineError(
                tr("The action took more than {minutes} minutes", minutes=round(LONGEST_SECONDS / 60))
            ) from error
        finally:
            self._asked[folder] -= 1
            self._let_go(folder, KEEP_SECONDS)

    async def _process(self, folder: Path) -> RunProcess:
        async with self._turn:
            if (timer := self._leaving.pop(folder, None)) is not None:
                timer.cancel()
            known = self._processes.get(folder)
            if known is None or not known.is_alive:
                known = RunProcess(folder, await secrets_of(self._client))
                await known.open(self._handlers(known))
                self._processes[folder] = known
            return known

    def _handlers(self, process: RunProcess) -> Mapping[str, Handler]:
        return {
            "lm/request": lambda params: self._client.ask_model(params, functools.partial(process.tell, "lm/chunk")),
            "lm/countTokens": self._client.count_tokens,
        }

    def _let_go(self, folder: Path, seconds: float) -> None:
        """End the process in so many seconds, unless it is asked again."""
        if folder in self._leaving or folder not in self._processes:
            return
        self._leaving[folder] = asyncio.get_running_loop().call_later(seconds, self._end, folder)

    def _end(self, folder: Path) -> None:
        del self._leaving[folder]
        if self._asked[folder]:
            return  # the last to be answered lets it go
        task = asyncio.create_task(self._processes.pop(folder).stop())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _kind(error: RpcError) -> str:
    data = error.data
    return str(cast("Mapping[str, object]", data).get("kind")) if isinstance(data, dict) else ""


async def _answer(process: RunProcess, method: str, params: Params) -> Mapping[str, Any]:
    try:
        return await process.request(method, params)
    except ConnectionLost as error:
        await process.stop()  # so that nobody takes it for alive, and its last words are here
        raise EngineError(tr("The process of the code actions ended"), why=process.complaint()) from error
