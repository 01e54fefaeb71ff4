"""The durable engine on DBOS and SQLite; the only module that imports dbos.

Recovery is explicit. Every process works under an executor id of its own, so that DBOS finds nothing to recover
when it is launched: a workflow goes on when, and only when, somebody calls ``run`` or ``start`` with its id.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from agentinfra.core.errors import EngineError
from agentinfra.workflow.execution import BaseEngine, Execution, StepAttempt
from agentinfra.workflow.records import Stored, as_engine_error, error_from_json, error_to_json

if TYPE_CHECKING:
    from dbos import DBOSConfig

SCHEMA_VERSION = "agentinfra-1"
_NAME = "agentinfra"
_QUEUE = "agentinfra-resumed"
_POLL_SECONDS = 0.1


class DbosEngine(BaseEngine):
    """Implements :class:`agentinfra.core.interfaces.DurableEngine` on a SQLite file.

    It opens at first use and then belongs to that event loop until :meth:`close`. A lock on the file keeps other
    processes out; dbos itself allows one open engine in a process.

    Args:
        path: The database; made with mode 0600 in a folder that exists.
        executor_id: Name of this installation in the database, for people who look into it.
    """

    _open_path: ClassVar[Path | None] = None

    def __init__(self, path: Path, executor_id: str = "agentinfra") -> None:
        super().__init__()
        self._path = path
        self._executor_id = executor_id
        self._lock: int | None = None
        self._opening: asyncio.Task[None] | None = None
        self._workflow: Callable[[str, Any], Awaitable[Any]] | None = None

    async def open(self) -> None:
        """Open the file now instead of at first use.

        Raises:
            EngineError: Another process works on it, or it cannot be opened.
        """
        await self._opened()

    async def close(self) -> None:
        """Stop what runs, shut dbos down and release the file; safe to call twice."""
        try:
            await super().close()
        finally:
            if self._opening is not None:
                opening, self._opening = self._opening, None
                await asyncio.wait([opening])
                await self._shut_down()

    async def _load(self, workflow_id: str) -> Stored | None:
        await self._opened()
        dbos = _dbos()
        status = await dbos.DBOS.get_workflow_status_async(workflow_id)
        if status is None:
            return None
        if status.app_version != SCHEMA_VERSION:
            raise EngineError(
                f"Workflow {workflow_id} was started by another version ({status.app_version})",
                next_step="Finish it with that version, or start anew",
            )
        name, argument = cast("dict[str, Any]", status.input)["args"]
        finished = status.status in ("SUCCESS", "ERROR")
        return Stored(name, argument, finished, status.output, cast("Any", status.error))

    async def _create(self, execution: Execution) -> None:
        dbos = _dbos()
        with dbos.SetWorkflowID(execution.id):
            await dbos.DBOS.start_workflow_async(cast("Any", self._workflow), execution.name, execution.argument)

    async def _resume(self, execution: Execution) -> None:
        dbos = _dbos()
        await dbos.DBOS.resume_workflow_async(execution.id, queue_name=_QUEUE)

    async def _record(self, attempt: StepAttempt) -> Any:
        dbos = _dbos()
        try:
            return await dbos.DBOS.run_step_async({"name": attempt.name}, attempt.run)
        except dbos.error.DBOSException as error:
            raise EngineError(
                f"Step {attempt.number} of workflow {attempt.execution.id} could not be recorded", why=str(error)
            ) from error

    async def _opened(self) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        if self._opening.get_loop() is not asyncio.get_running_loop():
            raise EngineError("The engine was opened in another event loop", next_step="Close it there first")
        try:
            await asyncio.shield(self._opening)
        except EngineError:
            self._opening = None
            raise

    async def _open(self) -> None:
        if DbosEngine._open_path is not None:
            raise EngineError(
                f"This process works on {DbosEngine._open_path} already", next_step="Close that engine first"
            )
        DbosEngine._open_path = self._path
        try:
            self._lock = await asyncio.to_thread(_lock, self._path)
            await asyncio.to_thread(self._prepare)
            self._launch_dbos()
        except BaseException as error:
            await self._shut_down()
            if isinstance(error, Exception):
                raise as_engine_error(error, f"Opening {self._path}") from error
            raise

    def _prepare(self) -> None:
        """The slow part of opening: make the file, import dbos, create its tables."""
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(self._path)
        try:
            # Kept in the file from now on; dbos's own mode, delete, is several times slower.
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
        _silence_dbos()
        dbos = _dbos()
        dbos.DBOS.migrate(_url(self._path))
        _prepare_queue(self._path)

    def _launch_dbos(self) -> None:
        dbos = _dbos()

        async def workflow(name: str, argument: Any) -> Any:
            del name, argument  # on record for whoever resumes; the execution has them too
            return await self._perform(cast("str", dbos.DBOS.workflow_id))

        self._workflow = dbos.DBOS.workflow(name=_NAME)(workflow)
        dbos.DBOS(config=self._config())
        # In the loop's own thread, for dbos adopts the loop in which it is launched.
        dbos.DBOS.launch()

    def _config(self) -> DBOSConfig:
        return {
            "name": _NAME,
            "system_database_url": _url(self._path),
            "application_version": SCHEMA_VERSION,
            "executor_id": f"{self._executor_id}:{uuid.uuid4()}",
            "serializer": cast("Any", _JsonSerializer()),
            "run_migrations": False,
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": _POLL_SECONDS,
        }

    async def _shut_down(self) -> None:
        if self._lock is not None:
            # dbos made its own pool the loop's default and shuts it down now; asyncio.to_thread needs another.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
            await asyncio.to_thread(_destroy_dbos)
            os.close(self._lock)
            self._lock = None
        DbosEngine._open_path = None


class _JsonSerializer:
    """Keeps arguments, results and errors as JSON: readable, and nothing in the file can run code."""

    def name(self) -> str:
        return "agentinfra_json"

    def serialize(self, data: Any) -> str:
        return json.dumps({"error": error_to_json(data)} if isinstance(data, BaseException) else {"value": data})

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        return error_from_json(data["error"]) if "error" in data else data["value"]


@cache
def _dbos():  # the module's own type says more than an annotation could
    """The dbos module; loading it takes up to seconds, so the first call comes from a thread."""
    import dbos  # noqa: PLC0415

    return dbos


def _url(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"


def _prepare_queue(path: Path) -> None:
    """Make the queue through which workflows are resumed, and take from it what a dying process left there."""
    client = _dbos().DBOSClient(system_database_url=_url(path), application_name=_NAME)
    try:
        client.register_queue(_QUEUE, polling_interval_sec=_POLL_SECONDS)
        left = client.list_workflows(status="ENQUEUED", load_input=False, load_output=False)
        # Cancelled ones wait until somebody asks for them, as all unfinished ones do.
        client.cancel_workflows([workflow.workflow_id for workflow in left])
    finally:
        client.destroy()


def _destroy_dbos() -> None:
    _dbos().DBOS.destroy(destroy_registry=True)


def _silence_dbos() -> None:
    """Keep dbos's log from the terminal: it brings no handler of its own when there is one already."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = False


def is_worked_on(path: Path) -> bool:
    """Whether some process has an engine on this file open."""
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _lock(path: Path) -> int:
    """Lock the database for this process; the system lifts the lock when the process dies.

    Raises:
        EngineError: Another process, or another engine in this one, has it.
    """
    lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 20).decode() or "unknown"
        os.close(lock)
        raise EngineError(
            f"The run is being worked on by process {holder}",
            why=f"{path.name} is locked",
            next_step="Wait for it, or stop it there",
        ) from error
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock
