"""The engineer for everything that is no page: like the specification's FrontendEngineer."""

from micro_agent import MicroAgent

from agentinfra.agents import EngineerAgent
from agentinfra.models import ClaudeModel, O1Model
from agentinfra.spec.requirements import Spec
from agentinfra.tools import DocumentationTool


class BackendEngineer(EngineerAgent):
    def __init__(self) -> None:
        super().__init__(
            name="BackendEngineer",
            planning_model=O1Model(),
            analysis_model=ClaudeModel(),
            tools=[DocumentationTool("pytest")],
            sub_agents=[MicroAgent()],
        )

    def execute(self, specifications: Spec) -> None:
        tasks = self.plan_tasks(specifications)
        self.create_tests(tasks)
        self.assign_tasks_to_micro_agents(tasks)
        self.validate_results()
