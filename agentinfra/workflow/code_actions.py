"""Code actions put together: a workspace's models, its acting agents, and the limits of one action."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agentinfra.agents.acting_agents import ActingAgents, load_acting_agents
from agentinfra.agents.code_action_agent import CodeActionAgent
from agentinfra.agents.code_action_patch import changed_files, check_texts
from agentinfra.agents.code_actions import ActingAgent, ActionAnswer, ActionRequest
from agentinfra.core.config import load_settings
from agentinfra.core.errors import AgentInfraError, ConfigError, InputError, NotAPatch, ReplyError
from agentinfra.core.interfaces import ChatModel
from agentinfra.models.budget import Budget
from agentinfra.models.local_servers import find_local_servers
from agentinfra.models.model_stack import ModelStack, manager_from
from agentinfra.models.provider_plugins import ModelFactory
from agentinfra.patching.gate import check_paths
from agentinfra.patching.patch import Format
from agentinfra.patching.read_patch import read_patch

MINUTES, REQUESTS = 10.0, 8
MOST_TEXT = 200_000


class CodeActions:
    """Performs code actions for one workspace; belongs into a process of its own, since it runs foreign code.

    Args:
        workspace: The folder.
        providers: Factories of models that whoever asks brings along.
    """

    def __init__(self, workspace: Path, providers: Mapping[str, ModelFactory] | None = None) -> None:
        self._workspace = workspace.resolve()
        self._providers = providers
        self._others: ActingAgents | None = None

    async def others(self) -> ActingAgents:
        """The agents of packages, and of the workspace where the person trusts it; imported once."""
        if self._others is None:
            try:
                planner = load_settings(self._workspace).planner
                problems: list[str] = []
            except ConfigError as error:
                planner, problems = None, [str(error)]
            self._others = await asyncio.to_thread(load_acting_agents, self._workspace, planner)
            self._others.problems.extend(problems)
        return self._others

    async def act(self, request: ActionRequest, agent: str = "", model: str | None = None) -> tuple[ActionAnswer, str]:
        """Perform an action.

        Args:
            request: What is asked.
            agent: Another agent's name; "" for AgentInfra's own.
            model: ``provider:model``; None for the settings', or the best that there is.

        Returns:
            The answer, and the model's name.

        Raises:
            AgentInfraError: There is no such agent or model, it failed, or what it changes is refused.
        """
        check_paths(self._workspace, request.texts)
        settings = load_settings(self._workspace, own_planner=False).models
        manager = manager_from(settings, providers=self._providers)
        default = model or settings.default
        servers = () if default else await find_local_servers()
        budget = Budget(minutes=MINUTES, requests=REQUESTS, name="The code action")
        try:
            chosen = ModelStack(manager, budget, default=default, servers=servers).model_for(None)
            answer = await self._answer(request, agent, chosen)
            return _bounded(answer, request), chosen.name
        finally:
            await manager.aclose()

    async def _answer(self, request: ActionRequest, agent: str, model: ChatModel) -> ActionAnswer:
        if not agent:
            return await CodeActionAgent(model=model).arun(request)
        known = (await self.others()).agents.get(agent)
        if known is None:
            raise InputError(f"There is no agent {agent!r} with code actions", next_step="Ask for the actions again")
        return await _foreign(known, request, model)


async def _foreign(agent: ActingAgent, request: ActionRequest, model: ChatModel) -> ActionAnswer:
    """Another agent's answer; the boundary of its code."""
    try:
        answer = await agent.perform(request, model)
    except AgentInfraError:
        raise
    except Exception as error:
        raise ReplyError(f"{agent.name} failed", why=f"{type(error).__name__}: {error}") from error
    return _read(agent.name, answer, request)


def _read(agent: str, reply: object, request: ActionRequest) -> ActionAnswer:
    """A reply that is a patch is carried out; all else is for the person."""
    if isinstance(reply, ActionAnswer):
        return reply
    if not isinstance(reply, str):
        raise ReplyError(f"{agent} gave a {type(reply).__name__}", next_step="It has to give an ActionAnswer or text")
    try:
        read_patch(reply, Format.AUTO)
    except NotAPatch:
        return ActionAnswer(text=reply)
    return ActionAnswer(files=changed_files(reply, request.texts))


def _bounded(answer: ActionAnswer, request: ActionRequest) -> ActionAnswer:
    check_texts(answer.files, request.texts)
    if len(answer.text) > MOST_TEXT:
        return ActionAnswer(answer.files, answer.text[:MOST_TEXT] + "…\n")
    return answer
