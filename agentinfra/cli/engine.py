"""A run, or code actions, in a process of their own: ``python -P -m agentinfra.cli.engine WORKSPACE``.

For programs that drive runs and must survive them, such as a language server. They speak JSON-RPC, a message a line,
over this process's standard input and output; whatever else is printed goes to standard error. Events are not sent:
they are in the log, for everybody.

============================ ==========================================================================================
requests to this process
``run/plan``, ``run/change`` the fields of :class:`~agentinfra.workflow.run_options.RunOptions` → ``{run}``, as soon as
                             there is one
``run/resume``               ``{run, cache?}`` → ``{run}``
``run/retry``                ``{run, task, note?}`` → ``{run}``: does a task that was not done again
``run/stop``                 ``{}`` → ``null`` when the run has stopped; it can be resumed
``code/act``                 ``{request, agent?, model?}``, the request as an
                             :class:`~agentinfra.agents.code_actions.ActionRequest` → ``{files, text, model}``
``code/offers``              ``{}`` → ``{offers: {agent: [action]}, problems}``, of other agents; imports their code
requests of this process
``question/ask``             ``{run, id, text, why, options, recommended}`` → ``{answer}``
``spec/approve``             ``{run, path, sha}`` → ``{approved, sha}``, the hash of the text that was seen
``permission/request``       ``{run, title, detail}`` → ``{allowed}``; an error denies
``lm/request``               as in :mod:`agentinfra.models.client_model`; pieces come as notifications ``lm/chunk``
``lm/countTokens``           ``{selector, text}`` → ``{count}``
its last notification
``run/ended``                ``{run, code, message, why, next}``; the texts are "" unless an error ended it
============================ ==========================================================================================

The process carries one run and ends with it, or any number of code actions. When its standard input is closed, they are
stopped.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter, ValidationError

from agentinfra.cli.exit_codes import ExitCode, error_code, run_code
from agentinfra.core.errors import AgentInfraError, InputError, RunStopped
from agentinfra.models.client_model import OnChunk, client_provider
from agentinfra.protocols.json_rpc import INVALID_PARAMS, LINE_BYTES, JsonRpcPeer, Params, RpcError
from agentinfra.spec.front_matter import body_sha
from agentinfra.spec.requirements import Question
from agentinfra.workflow.retrying import Retry
from agentinfra.workflow.run_options import RunOptions

if TYPE_CHECKING:
    from agentinfra.app import App
    from agentinfra.workflow.code_actions import CodeActions

STOP_SECONDS = 20.0
_OPTIONS = {one.name for one in fields(RunOptions)} - {"workspace", "change"}


class DrivingHuman:
    """Asks whoever drives this process; implements :class:`agentinfra.workflow.run_options.Human`.

    Args:
        peer: The connection.
        run: Tells the run's id.
        is_alone: Whether the run is unattended: recommended answers are taken, and specifications approved, unasked.
    """

    def __init__(self, peer: JsonRpcPeer, run: Callable[[], str], is_alone: Callable[[], bool]) -> None:
        self._peer = peer
        self._run = run
        self._is_alone = is_alone

    async def answer(self, question: Question) -> str:
        """Ask the question.

        Raises:
            RunStopped: Nobody answers.
        """
        if await asyncio.to_thread(self._is_alone):
            return question.recommended
        params = {
            "id": question.id,
            "text": question.text,
            "why": question.why,
            "options": list(question.options),
            "recommended": question.recommended,
        }
        return str((await self._ask("question/ask", params)).get("answer"))

    async def approve(self, spec_path: Path) -> bool:
        """Ask whether to build what the file says, until the answer was about what it says now.

        Raises:
            RunStopped: Nobody answers.
        """
        if await asyncio.to_thread(self._is_alone):
            return True
        while True:
            asked = body_sha(await asyncio.to_thread(spec_path.read_text, encoding="utf-8"))
            reply = await self._ask("spec/approve", {"path": str(spec_path), "sha": asked})
            now = body_sha(await asyncio.to_thread(spec_path.read_text, encoding="utf-8"))
            is_approved = reply.get("approved") is True
            # It may have been edited after the question: then the answer says which text it is about.
            if not is_approved or now == reply.get("sha", asked):
                return is_approved

    async def permit(self, title: str, detail: str) -> bool:
        """Ask for a permission; silence and errors deny.

        Raises:
            RunStopped: Whoever drives is gone.
        """
        try:
            reply = await self._ask("permission/request", {"title": title, "detail": detail})
            return reply.get("allowed") is True
        except RpcError:
            return False

    async def _ask(self, method: str, params: Params) -> Mapping[str, object]:
        try:
            reply = cast("object", await self._peer.request(method, {"run": self._run(), **params}))
        except RpcError as error:
            if method == "permission/request":
                raise
            raise RunStopped("Nobody answers", why=error.what, next_step="Resume the run when somebody can") from error
        except AgentInfraError as error:
            raise RunStopped("The editor left", next_step="Resume the run to go on") from error
        return cast("Mapping[str, object]", reply) if isinstance(reply, dict) else {}


class Engine:
    """The process's side of the connection: begins one run and says how it ended.

    Args:
        workspace: Folder of the user's repository.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._peer: JsonRpcPeer | None = None
        self._work: asyncio.Task[ExitCode] | None = None
        self._known: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._listeners: dict[str, OnChunk] = {}
        self._actions: CodeActions | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> ExitCode:
        """Speak until the run is over or the other side is gone; the code of the run's end."""
        handlers = {
            "run/plan": self._plan,
            "run/change": self._change,
            "run/resume": self._resume,
            "run/retry": self._retry,
            "run/stop": self._stop,
            "code/act": self._act,
            "code/offers": self._offers,
            "lm/chunk": self._chunk,
        }
        self._peer = JsonRpcPeer(reader, writer, handlers)
        serving = asyncio.create_task(self._peer.serve())
        while not serving.done() and not (self._work and self._work.done()):
            open_ends = [serving, *([self._work] if self._work else [])]
            await asyncio.wait(open_ends, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        await self._stop({})
        code = self._work.result() if self._work else ExitCode.DONE
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return code

    async def _act(self, params: Params) -> dict[str, Any]:
        from agentinfra.agents.code_actions import ActionRequest  # noqa: PLC0415  (a run needs none of it)

        agent, model = params.get("agent", ""), params.get("model")
        if not isinstance(agent, str) or not isinstance(model, str | None):
            raise RpcError(INVALID_PARAMS, "agent and model are texts")
        try:
            request = TypeAdapter(ActionRequest).validate_json(json.dumps(params.get("request")))
        except ValidationError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from error
        answer, name = await (await self._code_actions()).act(request, agent, model)
        return {"files": dict(answer.files), "text": answer.text, "model": name}

    async def _offers(self, _params: Params) -> dict[str, Any]:
        others = await (await self._code_actions()).others()
        offers = {agent: [asdict(one) for one in some] for agent, some in others.offers.items()}
        return {"offers": offers, "problems": others.problems}

    async def _code_actions(self) -> CodeActions:
        if self._actions is None:
            module = await asyncio.to_thread(import_module, "agentinfra.workflow.code_actions")
            provider = client_provider(self._send, count=self._count)
            made: CodeActions = module.CodeActions(self._workspace, {"client": provider})
            self._actions = self._actions or made
        return self._actions

    async def _plan(self, params: Params) -> dict[str, str]:
        options = _options(params, self._workspace)
        return await self._begin(lambda app, on_start: app.plan(options, on_start))

    async def _change(self, params: Params) -> dict[str, str]:
        options = _options({"idea": "The edited spec.md", **params}, self._workspace)
        return await self._begin(lambda app, on_start: app.change(options, on_start))

    async def _resume(self, params: Params) -> dict[str, str]:
        run, cache = params.get("run"), params.get("cache", False)
        if not isinstance(run, str) or not isinstance(cache, bool):
            raise RpcError(INVALID_PARAMS, "run is a text and cache true or false")
        return await self._begin(lambda app, on_start: app.resume(run, on_start, cache=cache))

    async def _retry(self, params: Params) -> dict[str, str]:
        run, task, note = params.get("run"), params.get("task"), params.get("note", "")
        if not isinstance(run, str) or not isinstance(task, str) or not isinstance(note, str):
            raise RpcError(INVALID_PARAMS, "run, task and note are texts")
        return await self._begin(lambda app, on_start: app.resume(run, on_start, retry=Retry(task, note)))

    async def _stop(self, _params: Params) -> None:
        if self._work and not self._work.done():
            self._work.cancel()
            # What does not end in time is left: what is on record is kept, and the run can be resumed all the same.
            await asyncio.wait((self._work,), timeout=STOP_SECONDS)

    async def _chunk(self, params: Params) -> None:
        listener = self._listeners.get(str(params.get("requestId")))
        if listener is not None:
            listener(params)

    async def _begin(self, begin: Callable[[App, Callable[[str], None]], Awaitable[str]]) -> dict[str, str]:
        if self._work is not None:
            raise InputError("This process has its run", next_step="Start another process for another run")
        self._work = asyncio.create_task(self._carry(begin))
        await asyncio.wait((self._work, self._known), return_when=asyncio.FIRST_COMPLETED)
        if not self._known.done():
            raise InputError("The run could not begin", next_step="See run/ended for the reason")
        return {"run": self._known.result()}

    async def _carry(self, begin: Callable[[App, Callable[[str], None]], Awaitable[str]]) -> ExitCode:
        """Carry the run to its end; the boundary of this process: whatever ends it is told."""
        from agentinfra.app import App  # noqa: PLC0415  (the whole library; a wrong request must not wait for it)

        assert self._peer is not None
        provider = client_provider(self._send, count=self._count)
        human = DrivingHuman(self._peer, self._run, lambda: app.state(self._run()).info.get("mode") == "unattended")
        app = App(self._workspace, human, providers={"client": provider})
        try:
            await begin(app, self._tell)
        except asyncio.CancelledError:
            return await self._end(ExitCode.STOPPED, RunStopped("The run was stopped"))
        except Exception as error:
            return await self._end(error_code(error), error)
        else:
            return await self._end(run_code(app.state(self._run())))
        finally:
            await app.aclose()

    async def _end(self, code: ExitCode, error: Exception | None = None) -> ExitCode:
        assert self._peer is not None
        if isinstance(error, AgentInfraError):
            said = {"message": error.what, "why": error.why, "next": error.next_step}
        else:
            said = {"message": str(error or ""), "why": type(error).__name__ if error else "", "next": ""}
        await self._peer.notify("run/ended", {"run": self._run(), "code": int(code), **said})
        return code

    def _tell(self, run: str) -> None:
        if not self._known.done():
            self._known.set_result(run)

    def _run(self) -> str:
        return self._known.result() if self._known.done() else ""

    async def _send(self, params: dict[str, Any], on_chunk: OnChunk) -> Mapping[str, Any]:
        assert self._peer is not None
        self._listeners[params["requestId"]] = on_chunk
        try:
            return await self._peer.request("lm/request", params)
        finally:
            del self._listeners[params["requestId"]]

    async def _count(self, params: dict[str, Any]) -> int:
        assert self._peer is not None
        return int((await self._peer.request("lm/countTokens", params))["count"])


def _options(params: Params, workspace: Path) -> RunOptions:
    unknown = set(params) - _OPTIONS
    if unknown or "idea" not in params:
        raise RpcError(INVALID_PARAMS, f"unknown options: {sorted(unknown)}" if unknown else "idea is missing")
    try:
        text = json.dumps({**params, "workspace": str(workspace)})
        return TypeAdapter(RunOptions).validate_json(text, strict=True)
    except (ValidationError, InputError) as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error


async def _serve(workspace: Path, output: int) -> ExitCode:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(output, "wb"))
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        return await Engine(workspace).serve(reader, writer)
    finally:
        writer.close()


def main() -> int:
    """Serve whoever started this process.

    Returns:
        The exit code of the run, as of ``agentinfra plan``.
    """
    if len(sys.argv) != 2:
        print("usage: python -P -m agentinfra.cli.engine WORKSPACE", file=sys.stderr)
        return ExitCode.REFUSED
    output = os.dup(1)
    os.dup2(2, 1)  # what anything prints must not come between the messages
    return asyncio.run(_serve(Path(sys.argv[1]), output))


if __name__ == "__main__":
    sys.exit(main())
