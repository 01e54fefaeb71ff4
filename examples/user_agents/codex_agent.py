"""A planner of one's own: the specification's CodexAgent, with its two engineers."""

from backend_engineer import BackendEngineer
from frontend_engineer import FrontendEngineer

from agentinfra.agents import PlannerAgent
from agentinfra.models import O1Model
from agentinfra.spec.requirements import Spec
from agentinfra.tools import FileSystemTool, WebSearchTool


class CodexAgent(PlannerAgent):
    def __init__(self) -> None:
        super().__init__(
            name="Codex",
            model=O1Model(),
            tools=[FileSystemTool(), WebSearchTool()],
            sub_agents=[FrontendEngineer(), BackendEngineer()],
        )

    def plan_project(self, idea: str) -> Spec:
        specifications = self.generate_specifications(idea)
        self.create_spec_file(specifications)
        self.delegate_tasks(specifications)
        return specifications


if __name__ == "__main__":
    CodexAgent().plan_project(
        "I keep a reading diary. Write `diary.py` with a function `pages_per_day(pages, days)`: it returns the pages a "
        "day as an int, rounded down, so `pages_per_day(300, 7)` gives 42 and `pages_per_day(10, 5)` gives 2."
    )
