"""The engineer: tasks, tests first, MicroAgents, results."""

import json
from dataclasses import replace

import pytest

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.engineer_agent import EngineerAgent
from agentinfra.agents.guidance import LEAD, Guidance, Instructions
from agentinfra.agents.micro_agent import MicroAgent
from agentinfra.agents.project import Verdict
from agentinfra.agents.task_planning import tasks_for
from agentinfra.core.errors import ConfigError, InputError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.tasks import TaskState
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.spec.requirements import Example, Ground, Requirement, Spec
from tests.fakes.project import FakeProject

STATED = (Example("double(2)", "returns", "4", (), Ground.STATED),)
DOUBLE = Requirement("FR-1", "Double", "Twice the number.", "m.py", ("double(n)",), STATED)
HALF = Requirement("FR-2", "Half", "Undoes double(n).", "m.py", ("half(n)",))
SPEC = Spec("t", "i", "g", (DOUBLE, HALF))
CODE = {
    "T-1": "```python\ndef double(n):\n    return n * 2\n```",
    "T-2": "```python\ndef half(n):\n    return n // 2\n```",
}
CASE = {"cases": [{"call": "half(8)", "expect": "returns", "value": "4"}]}


def answer(request):
    purpose, task = request.purpose.split()
    return CODE[task] if purpose == "code" else json.dumps(CASE)


def engineer(replies=answer, size="full", agent=EngineerAgent, **project):
    model = ScriptedModel(replies, profile=ModelProfile(prompts=size))
    made = agent("Bea")
    made.environment = FakeProject(default=model, spec=SPEC, **project)
    return made, model


def purposes(model):
    return [request.purpose for request in model.requests]


async def test_tests_come_first_then_code_then_results():
    made, model = engineer()
    assert await made.aexecute(SPEC) == {"T-1": TaskState.DONE, "T-2": TaskState.DONE}
    assert purposes(model) == ["tests T-1", "tests T-2", "code T-1", "code T-2"]
    assert made.results == {"T-1": TaskState.DONE, "T-2": TaskState.DONE}
    assert "def double" in made.environment.tree["m.py"] and "def half" in made.environment.tree["m.py"]


@pytest.mark.parametrize("size", ["compact", "full"])
async def test_the_repositorys_guidance_reaches_whoever_writes_tests_and_code(size):
    guidance = Guidance((Instructions("AGENTS.md", "Say please."),), ("Indentation is a tab.",), tests="")
    made, model = engineer(size=size, guidance=guidance)
    await made.aexecute(SPEC)
    asked = {request.purpose: request.messages[-1].text for request in model.requests}
    assert {"tests T-2", "code T-1", "code T-2"} <= asked.keys()
    for text in asked.values():
        assert f"{LEAD}\nIts code:\n> Indentation is a tab.\nIts AGENTS.md:\n> Say please.\n" in text
    assert made.environment.suites["T-1"].path == "test_m_double.py"


async def test_without_guidance_no_prompt_speaks_of_it_and_tests_have_their_folder():
    made, model = engineer()
    await made.aexecute(SPEC)
    assert not any("others' work" in request.messages[-1].text for request in model.requests)
    assert made.environment.suites["T-1"].path == "tests/test_m_double.py"


@pytest.mark.parametrize(("conventions", "shown"), [(("c",), True), ((), False)])
async def test_a_small_model_is_shown_what_it_changes_in_the_code_of_others(conventions, shown):
    made, model = engineer(size="compact", guidance=Guidance(conventions=conventions))
    made.environment.tree["m.py"] = "def double(n):\n    return n + n\n"
    await made.aexecute(SPEC)
    (text,) = [request.messages[-1].text for request in model.requests if request.purpose == "code T-1"]
    assert ("return n + n" in text) == shown


async def test_every_stated_example_is_in_the_tests_and_guesses_come_after():
    mixed = replace(DOUBLE, examples=(Example("double(9)", "returns", "1"), *STATED))
    made, _ = engineer()
    await made.aexecute(replace(SPEC, requirements=(mixed,)))
    suite = made.environment.suites["T-1"]
    assert [case.example.call for case in suite.cases][:2] == ["double(2)", "double(9)"]
    assert suite.path == "tests/test_m_double.py"


async def test_a_small_model_is_not_asked_for_tests_where_examples_are_known():
    made, model = engineer(size="compact")
    await made.aexecute(SPEC)
    assert purposes(model)[:2] == ["tests T-2", "code T-1"]


async def test_tests_that_are_too_weak_are_asked_for_again_with_the_complaint():
    made, model = engineer(weak={"T-2": ["constant 4 passes them all"]})
    assert (await made.aexecute(SPEC))["T-2"] is TaskState.DONE
    asked = [request.messages[-1].text for request in model.requests if request.purpose == "tests T-2"]
    assert len(asked) == 2
    assert "The tests so far are too weak: constant 4 passes them all." in asked[1]
    assert "half(8) returns 4" in asked[1]


async def test_a_task_whose_tests_prove_nothing_is_blocked_and_what_needs_it_skipped():
    made, model = engineer(weak={"T-1": ["weak"] * 9})
    assert await made.aexecute(SPEC) == {"T-1": TaskState.BLOCKED, "T-2": TaskState.SKIPPED}
    assert purposes(model).count("tests T-1") == 3
    assert "code T-1" not in purposes(model)


async def test_without_usable_tests_from_the_model_the_work_goes_on_and_says_so():
    made, _ = engineer(lambda request: CODE["T-1"] if request.purpose == "code T-1" else "Rather not.")
    assert (await made.aexecute(SPEC))["T-1"] is TaskState.DONE
    kind, data, agent = made.environment.events[0]
    assert (kind, data["level"], agent) == ("notice", "warning", ("planner", "Bea"))
    assert "T-1: no further tests" in data["text"]


@pytest.mark.parametrize(
    ("reply", "project", "reason"),
    [
        ("No.", {}, "No reply held code that could be used"),
        (
            CODE["T-1"].replace("* 2", "* 3"),
            {},
            "The best of 3 candidates passes 0 of 1 tests. "
            "No candidate passes the grounded examples: the code is wrong",
        ),
        (CODE["T-1"], {"refused": "The merged tree fails"}, "The merged tree fails"),
    ],
)
async def test_a_blocked_task_says_why(reply, project, reason):
    made, _ = engineer(lambda request: reply if request.purpose[:4] == "code" else '{"cases": []}', **project)
    await made.aexecute(replace(SPEC, requirements=(DOUBLE,)))
    assert made.environment.reasons["T-1"] == reason


async def test_where_the_code_is_at_fault_the_next_worker_tries():
    made, model = engineer(lambda request: CODE["T-1"].replace("* 2", "* 3") if request.purpose[:4] == "code" else "{}")
    strong = ScriptedModel(answer, name="s:strong")
    made.sub_agents = [MicroAgent(), MicroAgent("Senior", strong)]
    assert await made.aexecute(replace(SPEC, requirements=(DOUBLE,))) == {"T-1": TaskState.DONE}
    assert (purposes(model).count("code T-1"), purposes(strong)) == (3, ["code T-1"])
    [ruling] = [data for kind, data, _ in made.environment.events if kind == "ruling"]
    assert (ruling["task"], ruling["fault"], ruling["candidates"], ruling["sound"]) == ("T-1", "code", 3, 0)


async def test_the_next_worker_is_not_asked_where_the_specification_is_at_fault():
    other = replace(DOUBLE, examples=(Example("double(2)", "returns", "4"), Example("double(3)", "returns", "6")))

    def reply(request):
        if request.purpose[:4] != "code":
            return '{"cases": []}'
        number = len(codes)
        codes.append(request)
        return f"```python\ndef double(n):\n    return {['2 * n - (n == 3)', 'n * n'][number % 2]}\n```"

    codes = []
    made, _ = engineer(reply)
    strong = ScriptedModel([], name="s:strong")
    made.sub_agents = [MicroAgent(), MicroAgent("Senior", strong)]
    assert await made.aexecute(replace(SPEC, requirements=(other,))) == {"T-1": TaskState.BLOCKED}
    assert strong.requests == []
    assert made.environment.reasons["T-1"].startswith("The specification leaves open: What should double(3) give?")


async def test_where_the_run_only_plans_nothing_is_tested_and_built():
    made, model = engineer(may_execute=False)
    assert await made.aexecute(SPEC) == {"T-1": TaskState.PENDING, "T-2": TaskState.PENDING}
    assert model.requests == [] and list(made.environment.tasks) == ["T-1", "T-2"]


class FrontendEngineer(EngineerAgent):
    """The specification's own."""

    def execute(self, specifications):
        tasks = self.plan_tasks(specifications)
        self.create_tests(tasks)
        self.assign_tasks_to_micro_agents(tasks)
        self.validate_results()


async def test_the_specifications_engineer_does_the_work():
    made, _ = engineer(agent=FrontendEngineer)
    assert await made.aexecute(SPEC) is None
    assert made.results == {"T-1": TaskState.DONE, "T-2": TaskState.DONE}


async def test_the_specifications_engineer_keeps_to_a_mode_that_only_plans():
    made, model = engineer(agent=FrontendEngineer, may_execute=False)
    await made.aexecute(SPEC)
    assert model.requests == []


METHODS = ["execute", "plan_tasks", "create_tests", "assign_tasks_to_micro_agents", "validate_results"]


@pytest.mark.parametrize("method", METHODS)
async def test_each_method_can_be_overridden_alone_and_lead_to_the_inherited_one(method):
    calls = []

    def own(self, *arguments):
        calls.append(method)
        return getattr(EngineerAgent, method)(self, *arguments)

    made, _ = engineer(agent=type("Own", (EngineerAgent,), {method: own}))
    assert await made.aexecute(SPEC) == {"T-1": TaskState.DONE, "T-2": TaskState.DONE}
    assert calls == [method]


@pytest.mark.parametrize("method", METHODS)
async def test_inside_a_loop_each_method_names_its_asynchronous_form(method):
    made, _ = engineer()
    arguments = () if method == "validate_results" else (SPEC,)
    with pytest.raises(InputError, match=rf"Call `await engineer\.a{method}\("):
        getattr(made, method)(*arguments)


@pytest.mark.parametrize("base", [EngineerAgent, FrontendEngineer])
async def test_tasks_planned_in_ones_own_way_are_published_and_built(base):
    class Own(base):
        def plan_tasks(self, specifications):
            return [replace(task, title="Mine") for task in tasks_for(specifications, "backend", "Bea")]

    made, _ = engineer(agent=Own)
    await made.aexecute(SPEC)
    assert {task.title for task in made.environment.tasks.values()} == {"Mine"}
    assert made.results == {"T-1": TaskState.DONE, "T-2": TaskState.DONE}


@pytest.mark.parametrize(
    ("answer", "state"),
    [(Verdict(True, "abc"), TaskState.DONE), ("all done, trust me", TaskState.BLOCKED), (None, TaskState.BLOCKED)],
)
async def test_any_agent_may_do_the_work_but_only_the_engines_verdict_counts(answer, state):
    class Worker(BaseAgent):
        def run(self, bench):
            return answer

    made, _ = engineer()
    made.sub_agents = [Worker("w")]
    assert (await made.aexecute(SPEC))["T-1"] is state


async def test_a_micro_agent_with_a_main_loop_of_its_own_may_give_up():
    class Idle(MicroAgent):
        def run(self, bench):
            return None

    made, _ = engineer()
    made.sub_agents = [Idle()]
    assert (await made.aexecute(SPEC))["T-1"] is TaskState.BLOCKED


def test_models_and_area_have_their_places():
    one, two, three = (ScriptedModel([], name=f"s:{n}") for n in range(3))
    made = EngineerAgent("Frontend", one, planning_model=two, analysis_model=three)
    assert (made.model, made.planning_model, made.analysis_model, made.area) == (one, two, three, "frontend")
    plain = EngineerAgent("Bea", one)
    assert (plain.planning_model, plain.analysis_model, plain.area) == (one, one, "backend")
    assert EngineerAgent("Frontend", area="backend").area == "backend"
    assert [type(agent) for agent in plain.sub_agents] == [MicroAgent]


async def test_the_planning_model_writes_the_tests():
    made, model = engineer()
    made.planning_model = ScriptedModel(answer, name="s:planning")
    await made.aexecute(SPEC)
    assert purposes(made.planning_model) == ["tests T-1", "tests T-2"]
    assert purposes(model) == ["code T-1", "code T-2"]


async def test_without_project_or_specification_it_says_what_it_needs():
    with pytest.raises(ConfigError, match=r"Bea has no project.*plan_project\(idea\)"):
        await EngineerAgent("Bea").aexecute(SPEC)
    made = EngineerAgent("Bea")
    made.environment = FakeProject()
    with pytest.raises(ConfigError, match=r"Bea has no specification.*execute\(specifications\)"):
        await made.acreate_tests(tasks_for(SPEC, "backend", "Bea"))
