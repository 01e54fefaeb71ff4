"""A MicroAgent of one's own, asking the models of the engineers above it."""

from agentinfra.agents import MicroAgent as BaseMicroAgent
from agentinfra.models import ClaudeModel


class MicroAgent(BaseMicroAgent):
    def __init__(self) -> None:
        super().__init__(name="Micro", model=ClaudeModel())
