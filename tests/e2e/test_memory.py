"""What is remembered over runs: an agent in a project with a past is told of it, and every run adds to it."""

import json

import pytest

from tests.e2e.place import Place
from tests.e2e.provider import CODE, IDEA, SHORT, Provider, in_turn

WRONG = CODE.replace("n // 2", "n / 2")
RULE = "Halves are whole numbers."
OWN_AGENTS = """
from agentinfra.agents import EngineerAgent, MicroAgent, PlannerAgent
from agentinfra.memory import Statement

class Micro(MicroAgent):
    async def adecide(self):
        [found] = await self.project.memory(self.path).recall("halves")
        await self.project.emit("notice", {"level": "info", "text": f"I know: {found.record.text}"}, self.path)
        return await super().adecide()

class Planner(PlannerAgent):
    def __init__(self):
        super().__init__(sub_agents=[EngineerAgent(sub_agents=[Micro()])])

    async def adelegate_tasks(self, specifications):
        memory = self.project.memory(self.path)
        await memory.remember(Statement("fact", "Halves are dull."))
        await memory.remember(Statement("rule", "Halves round down."), share=True)
        await super().adelegate_tasks(specifications)
"""


def remembered(place: Place) -> list[dict[str, str]]:
    return json.loads(place.agentinfra("memory list", "--json").stdout)


@pytest.mark.parametrize("files", [{"README__md": "Sums\n"}, {}], ids=["a project", "a new project"])
def test_agents_are_told_what_fits_in_a_project_with_a_past_and_runs_are_learnt_from(
    place: Place, files: dict[str, str]
) -> None:
    place.repository(**files)
    place.environment["OPENAI_API_KEY"] = "x"
    assert place.agentinfra("memory add", RULE, "--kind", "rule", "--subject", "sums.py half").code == 0
    with Provider({"code": in_turn(WRONG, CODE)}) as provider:
        outcome = place.agentinfra("plan", SHORT, "--yes", *provider.options)
        asked = json.dumps(provider.asked("code"))
    assert outcome.code == 0, outcome.said
    assert (f"Rules of this project:\\\\n- {RULE}" in json.dumps(asked)) == bool(files)
    [lesson] = [one for one in remembered(place) if one["kind"] == "lesson"]
    assert "half(n) in sums.py: what failed first was test_half" in lesson["text"]
    assert "Solved at try 2, in commit " in lesson["why"]
    assert lesson["source"] == f"run {place.report()['run']}"


def test_what_one_task_taught_is_told_to_the_next_within_the_run(place: Place) -> None:
    place.repository(README__md="Sums\n")
    place.environment["OPENAI_API_KEY"] = "x"
    with Provider({"code": in_turn(CODE.replace("a + b", "a - b"), CODE)}) as provider:
        outcome = place.agentinfra("plan", IDEA, "--yes", *provider.options)
        asked = [json.dumps(request) for request in provider.asked("code")]
    assert outcome.code == 0, outcome.said
    told = ["add(a, b) in sums.py: what failed first was test_add" in request for request in asked]
    assert told == [False, False, True, True]  # `add` is tried twice, then `half` and `shown` are written


def test_agents_of_ones_own_see_what_those_above_them_share_and_the_planners_rules_stay(place: Place) -> None:
    place.repository(README__md="Sums\n")
    place.environment |= {"OPENAI_API_KEY": "x", "PYTHONPATH": str(place.root)}
    (place.root / "own_agents.py").write_text(OWN_AGENTS)
    with Provider({}) as provider:
        outcome = place.agentinfra("plan", SHORT, "--yes", "--planner", "own_agents:Planner", *provider.options)
    assert outcome.code == 0, outcome.said
    assert "I know: Halves round down." in [notice["text"] for notice in place.told("notice")]
    assert [(one["kind"], one["text"], one["author"]) for one in remembered(place)] == [
        ("rule", "Halves round down.", "planner")
    ]
    assert not [*(place.root / "data").glob("workspaces/*/runs/*/memory.db*")]


def test_a_run_whose_memory_cannot_be_used_is_done_all_the_same_and_says_so(place: Place) -> None:
    place.repository(README__md="Sums\n")
    place.environment["OPENAI_API_KEY"] = "x"
    place.agentinfra("memory add", RULE)
    [path] = (place.root / "data" / "workspaces").glob("*/memory.db")
    for file in path.parent.glob("memory.db*"):
        file.unlink()
    path.mkdir()
    with Provider({"code": in_turn(WRONG, CODE)}) as provider:
        outcome = place.agentinfra("plan", SHORT, "--yes", *provider.options)
    assert outcome.code == 0, outcome.said
    told = [notice["text"] for notice in place.told("notice") if notice["level"] == "warning"]
    assert [text.partition(":")[0] for text in told] == [
        "Nothing was recalled",
        "What the run taught was not remembered",
    ]
