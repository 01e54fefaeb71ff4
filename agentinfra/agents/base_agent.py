"""BaseAgent: perceive, decide, act, in a loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from agentinfra.core.doors import door, in_thread, is_overridden, wait
from agentinfra.core.errors import ConfigError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, Message, user
from agentinfra.tools.registry import ToolRegistry

T = TypeVar("T")


class BaseAgent:
    """An agent that perceives input, decides with its model and acts with its tools.

    Override any one of :meth:`perceive`, :meth:`decide`, :meth:`act` and :meth:`run`; the others keep working. Their
    asynchronous forms are :meth:`aperceive`, :meth:`adecide`, :meth:`aact` and :meth:`arun`; ``arun`` calls an
    overridden synchronous method in a thread.

    Args:
        name: How the agent is shown.
        model: The model it asks; None for an agent that needs none, or that takes its project's.
        tools: Tools that the model may call; each has ``spec`` and ``arun(**arguments)``.
        memory: Where it keeps what it learns.
        environment: The world it works in; the engineers' and planner's is the project.
        sub_agents: Agents that it delegates to.

    Attributes:
        perceived: What :meth:`perceive` made of the input; :meth:`decide` is made from it.
        decision: What :meth:`decide` chose; :meth:`act` carries it out.
        conversation: What was said to the model and by it.
    """

    max_steps: int = 16  # how often the main loop decides and acts before it gives up

    def __init__(
        self,
        name: str,
        model: ChatModel | None = None,
        tools: Sequence[Any] | None = None,
        *,
        memory: Any = None,
        environment: Any = None,
        sub_agents: Sequence[BaseAgent] = (),
    ) -> None:
        self.name = name
        self.model = model
        self.tools = list(tools or ())
        self.memory = memory
        self.environment = environment
        self.sub_agents = list(sub_agents)
        self.conversation: list[Message] = []
        self.perceived: Any = None
        self.decision: Any = None
        self._registered: tuple[tuple[Any, ...], ToolRegistry] | None = None

    @door
    def perceive(self, input_data: Any) -> Any:
        """Take in one input; what it returns is what :meth:`decide` is made from, None means the input as it came."""
        return wait(self.aperceive(input_data), "await agent.aperceive(input_data)")

    async def aperceive(self, input_data: Any) -> Any:
        """Take in one input."""
        self.perceived = input_data
        return input_data

    @door
    def decide(self) -> Any:
        """Choose what to do next: by default the model's reply to the conversation so far."""
        self.decision = wait(self.adecide(), "await agent.adecide()")
        return self.decision

    async def adecide(self) -> Any:
        """Ask the model; what was perceived joins the conversation.

        Raises:
            ConfigError: The agent has no model.
            ModelError: The model failed.
        """
        if self.model is None:
            raise ConfigError(
                f"Agent {self.name} has no model",
                next_step="Give it one, for example BaseAgent(name, ScriptedModel([...])), or override decide()",
            )
        if self.perceived is not None:
            self.conversation.append(_as_message(self.perceived))
            self.perceived = None
        specs = self._registry().specs()
        return await self.model.complete(ChatRequest(tuple(self.conversation), purpose=self.name, tools=specs))

    @door
    def act(self) -> Any:
        """Carry out the decision; returns the agent's answer, or None when it has to go on."""
        return wait(self.aact(), "await agent.aact()")

    async def aact(self) -> Any:
        """Run the tools that the model called, or return the model's text when it called none."""
        reply = self.decision
        if not isinstance(reply, ChatReply):
            return reply
        self.conversation.append(Message("assistant", reply.parts))
        calls = reply.tool_calls
        if not calls:
            return reply.text
        registry = self._registry()
        results = [await registry.call(call) for call in calls]
        self.conversation.append(Message("tool", tuple(results)))
        return None

    @door
    def run(self, input_data: Any = None) -> Any:
        """The main loop: perceive, then decide and act until act returns an answer.

        Returns:
            The answer, or None when the step limit was reached first.
        """
        return wait(self._native("arun", self._loop, input_data), "await agent.arun(input_data)")

    @door
    async def arun(self, input_data: Any = None) -> Any:
        """The main loop for asynchronous callers."""
        return await self._do("run", self._loop, input_data)

    async def _loop(self, input_data: Any = None) -> Any:
        self.perceived = input_data
        perceived = await self._do("perceive", self.aperceive, input_data)
        self.perceived = self.perceived if perceived is None else perceived
        for _ in range(self.max_steps):
            self.decision = None
            decision = await self._do("decide", self.adecide)
            self.decision = self.decision if decision is None else decision
            answer = await self._do("act", self.aact)
            if answer is not None:
                return answer
        return None

    def _registry(self) -> ToolRegistry:
        """The tools by name; made anew only when the list of tools has changed."""
        tools = tuple(self.tools)
        if self._registered is None or self._registered[0] != tools:
            self._registered = (tools, ToolRegistry(tools))
        return self._registered[1]

    async def _do(self, name: str, native: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """Call the method by its synchronous name where a subclass overrides it, else its asynchronous form."""
        if is_overridden(self, name):
            return await in_thread(getattr(self, name), *arguments)
        return await native(*arguments)

    def _native(
        self, name: str, native: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any
    ) -> Coroutine[Any, Any, Any]:
        """What stands behind a door: the asynchronous form where a subclass has its own, else the library's."""
        return (getattr(self, name) if is_overridden(self, name) else native)(*arguments)


def _as_message(perceived: Any) -> Message:
    return perceived if isinstance(perceived, Message) else user(str(perceived))
