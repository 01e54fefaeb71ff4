"""The tools: plan, follow, answer, approve, stop and resume a run, and search the workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from agentinfra import __version__
from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra.security.clean import clean_text
from agentinfra.spec.front_matter import body_sha
from agentinfra.workflow.run_state import RunState
from agentinfra_server.mcp.host import Host
from agentinfra_server.mcp.searching import Found, Search
from agentinfra_server.mcp.told import RunTold
from agentinfra_server.protocol.person_messages import QuestionParams
from agentinfra_server.session.progress import describe, percentage
from agentinfra_server.session.runs import spec_text

WAIT_SECONDS = 45.0
"""That a tool waits for a run; clients give up on one after a minute."""
MOST_HITS = 20
INSTRUCTIONS = (
    "AgentInfra turns an idea into tested code on a branch of this folder's Git repository. agentinfra_plan begins a "
    "run; its questions are the person's to answer, and only they approve the specification. While next_step says so, "
    "wait with agentinfra_status. The work stays on its branch until the person takes it over with `agentinfra accept`."
)
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False)


@dataclass(frozen=True, slots=True)
class Served:
    """What tools work with.

    Attributes:
        host: The workspace's runs.
        search: Its files.
    """

    host: Host
    search: Search


Asked = Context[Served, Any]


class Words(BaseModel):
    """What the person answers."""

    answer: str = Field(description="Your answer, in your own words or one of the options")


class Approval(BaseModel):
    """What the person decides about the specification."""

    build: bool = Field(description="Build what the specification says?")


class Seen(BaseModel):
    """The specification that waits for approval, as it is on disk now."""

    text: str
    sha: str


def server(host: Host, search: Search) -> MCPServer[Served]:
    """A server of the tools; when it leaves, nothing is left at work.

    Args:
        host: The workspace's runs.
        search: Its files.
    """

    @asynccontextmanager
    async def serving(_server: MCPServer[Served]) -> AsyncGenerator[Served]:
        try:
            yield Served(host, search)
        finally:
            await host.aclose()
            await search.aclose()

    made = MCPServer("agentinfra", title="AgentInfra", version=__version__, instructions=INSTRUCTIONS, lifespan=serving)
    for tool in (agentinfra_plan, agentinfra_answer, agentinfra_approve, agentinfra_resume, agentinfra_stop):
        made.add_tool(tool, annotations=CHANGES)
    for tool in (agentinfra_status, agentinfra_search):
        made.add_tool(tool, annotations=READS)
    return made


async def agentinfra_plan(
    context: Asked, idea: Annotated[str, Field(description="What to build, in the person's words")]
) -> RunTold:
    """Plan and build an idea: begins a run, and tells its first question or how far it is."""
    with _told_to_the_model():
        await _host(context).plan(idea)
    return await _waited(context)


async def agentinfra_status(context: Asked) -> RunTold:
    """Wait a while for the run, and tell how far it is and what it needs."""
    return await _waited(context)


async def _words(context: Asked, answer: str = "") -> Words | Elicit[Words]:
    if answer:
        return Words(answer=answer)
    _refuse_unless_it_asks(context, "Put the question to the person, and hand over their words")
    with _told_to_the_model():
        question = await _question(context, "question")
    options = [f"- {one}{' (recommended)' * (one == question.recommended)}" for one in question.options]
    return Elicit(clean_text("\n".join(filter(None, (question.message, question.why, *options)))), Words)


async def agentinfra_answer(
    context: Asked,
    words: Annotated[ElicitationResult[Words], Resolve(_words)],
    answer: Annotated[str, Field(description="The person's words; empty to ask them through this client")] = "",  # noqa: ARG001  (in words)
) -> RunTold:
    """Answer what the run asks, in the person's words: never in your own stead."""
    if not isinstance(words, AcceptedElicitation):
        return await _told(context)
    return await _answered(context, "question", words.data.answer)


async def _seen(context: Asked) -> Seen:
    with _told_to_the_model():
        text = await spec_text(await _question(context, "approve"))
    return Seen(text=clean_text(text, len(text)), sha=body_sha(text))


async def _approval(context: Asked, specification: Annotated[Seen, Resolve(_seen)]) -> Elicit[Approval]:
    run = await _host(context).run()
    _refuse_unless_it_asks(context, f"Call agentinfra_stop; the person then runs: agentinfra resume {run}")
    return Elicit(f"Build what this specification says?\n\n{specification.text}", Approval)


async def agentinfra_approve(
    context: Asked,
    specification: Annotated[Seen, Resolve(_seen)],
    approval: Annotated[ElicitationResult[Approval], Resolve(_approval)],
) -> RunTold:
    """Ask the person, through this client, whether to build what the specification says; then build it."""
    if not isinstance(approval, AcceptedElicitation):
        return await _told(context)
    return await _answered(context, "approve", f"{'approve' if approval.data.build else 'reject'} {specification.sha}")


async def agentinfra_resume(context: Asked) -> RunTold:
    """Go on with a run that was stopped; nothing that is done is done again."""
    with _told_to_the_model():
        await _host(context).resume()
    return await _waited(context)


async def agentinfra_stop(context: Asked) -> RunTold:
    """Stop the run; agentinfra_resume goes on with it."""
    with _told_to_the_model():
        await _host(context).stop()
    return await _told(context)


async def agentinfra_search(
    context: Asked,
    query: Annotated[str, Field(description="A question, a piece of code, or the name of a symbol or file")],
    limit: Annotated[int, Field(ge=1, le=MOST_HITS, description="How many at most")] = 8,
    paths: Annotated[str, Field(description='Only files that fit a pattern, such as "src/*.py"')] = "",
) -> list[Found]:
    """Search this folder's files by words, by meaning and by name; only what changed is read again."""
    with _told_to_the_model():
        return await context.request_context.lifespan_context.search.find(query, limit, paths or None)


def _host(context: Asked) -> Host:
    return context.request_context.lifespan_context.host


async def _waited(context: Asked) -> RunTold:
    async def report(state: RunState) -> None:
        await context.report_progress(percentage(state), 100, describe(state))

    with _told_to_the_model(), suppress(TimeoutError):
        async with asyncio.timeout(WAIT_SECONDS):
            await _host(context).until_quiet(report)
    return await _told(context)


async def _told(context: Asked) -> RunTold:
    with _told_to_the_model():
        return await _host(context).told()


async def _answered(context: Asked, kind: str, answer: str) -> RunTold:
    with _told_to_the_model():
        _host(context).answer(await _question(context, kind), answer)
    return await _waited(context)


async def _question(context: Asked, kind: str) -> QuestionParams:
    question = await _host(context).question()
    if question is None or question.kind != kind:
        waits = "a question" if kind == "question" else "an approval"
        raise InputError(f"The run does not wait for {waits}", next_step="See agentinfra_status")
    return question


def _refuse_unless_it_asks(context: Asked, instead: str) -> None:
    able = context.client_capabilities
    if able is None or able.elicitation is None:
        raise ToolError(f"This client cannot ask the person. {instead}.")


@contextmanager
def _told_to_the_model() -> Generator[None]:
    """Refusals with their reason; anything else is a defect, of which the client is told nothing more."""
    try:
        yield
    except AgentInfraError as error:
        raise ToolError(str(error)) from error
