"""The planner: questions, specification, approval, delegation."""

import json

import pytest

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.engineer_agent import EngineerAgent
from agentinfra.agents.guidance import LEAD, Guidance, Instructions
from agentinfra.agents.planner_agent import PlannerAgent
from agentinfra.core.errors import ConfigError, InputError, ReplyError, RunStopped
from agentinfra.core.interfaces import ModelProfile
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.spec.requirements import Ground, Requirement, Spec
from tests.fakes.project import FakeProject

NAMED = "`count.py`: `double(n)` is twice the number, so `double(2)` gives 4 and `double(5)` gives 10."
FREE = "Count my sheep."
QUESTION = {"question": "How many?", "why": "Size", "options": ["ten", "more"], "recommended": "ten"}


def required(file="count.py", signature="count(herd)", **more):
    return {"file": file, "signature": signature, "title": "Count", "rules": "One for each.", **more}


class Answers:
    """A model's replies by purpose; the last one of a list is given again and again."""

    def __init__(self, **replies):
        self.replies = {
            "plan": [json.dumps({"title": "Sheep", "goal": "Counting", "requirements": [required()]})],
            "questions": ['{"questions": []}'],
            "examples": ['{"cases": []}'],
            "tests": ['{"cases": []}'],
            **replies,
        }

    def __call__(self, request):
        replies = self.replies[request.purpose.split()[0]]
        return replies.pop(0) if len(replies) > 1 else replies[0]


def planner(size="full", agent=PlannerAgent, **replies):
    model = ScriptedModel(Answers(**replies), profile=ModelProfile(prompts=size))
    made = agent()
    made.environment = FakeProject(default=model)
    return made, model


def purposes(model):
    return [request.purpose for request in model.requests]


def requirement(number, area="backend", file="a.py", statement="s"):
    return Requirement(f"FR-{number}", "t", statement, file, (f"f{number}()",), (), area)


@pytest.mark.parametrize("size", ["compact", "full"])
async def test_the_repositorys_guidance_is_read_before_questions_and_plan(size):
    made, model = planner(size)
    made.environment.guidance = Guidance((Instructions("AGENTS.md", "Say please."),))
    await made.agenerate_specifications(FREE)
    for request in model.requests[:2]:
        assert f"{LEAD}\nIts AGENTS.md:\n> Say please.\n" in request.messages[-1].text
    assert purposes(model)[:2] == ["questions", "plan"]


async def test_what_is_recommended_can_always_be_chosen():
    asked = json.dumps({"questions": [{**QUESTION, "recommended": "five"}, {**QUESTION, "recommended": ""}]})
    made, _ = planner(questions=[asked])
    spec = await made.agenerate_specifications(FREE)
    assert [one.options for one in spec.questions] == [("ten", "more", "five"), ("ten", "more")]


async def test_a_free_idea_is_asked_about_planned_and_given_examples():
    cases = {"cases": [{"call": "count([1])", "expect": "returns", "value": "1"}]}
    made, model = planner(questions=[json.dumps({"questions": [QUESTION]})], examples=[json.dumps(cases)])
    spec = await made.agenerate_specifications(FREE)
    assert purposes(model) == ["questions", "plan", "examples FR-1"]
    assert (spec.title, spec.idea) == ("Sheep", FREE)
    assert [(one.id, one.recommended, one.answer) for one in spec.questions] == [("Q-1", "ten", "ten")]
    assert [(one.call, one.ground) for one in spec.requirements[0].examples] == [("count([1])", Ground.GUESSED)]


async def test_a_small_model_is_not_asked_what_the_idea_says():
    made, model = planner("compact")
    spec = await made.agenerate_specifications(NAMED)
    assert purposes(model) == ["plan"]
    assert [one.call for one in spec.requirements[0].examples] == ["double(2)", "double(5)"]


async def test_where_the_rules_name_an_error_without_example_the_model_is_asked_for_one():
    made, model = planner("compact")
    await made.agenerate_specifications(NAMED + " Anything that is no number raises ValueError.")
    assert purposes(model) == ["plan", "examples FR-1"]


async def test_stated_examples_come_before_the_models_and_are_not_doubled():
    cases = [("double( 2 )", "5"), ("double(0)", "0")]
    reply = {"cases": [{"call": call, "expect": "returns", "value": value} for call, value in cases]}
    made, _ = planner(examples=[json.dumps(reply)])
    [one] = (await made.agenerate_specifications(NAMED)).requirements
    assert [(example.call, example.value) for example in one.examples] == [
        ("double(2)", "4"),
        ("double(5)", "10"),
        ("double(0)", "0"),
    ]


async def test_no_more_questions_reach_the_person_than_the_size_allows():
    made, _ = planner("compact", questions=[json.dumps({"questions": [QUESTION] * 5})])
    assert len((await made.agenerate_specifications(FREE)).questions) == 2


@pytest.mark.parametrize("purpose", ["questions", "examples"])
async def test_without_usable_questions_or_examples_the_plan_goes_on_and_says_so(purpose):
    made, _ = planner(**{purpose: ["I would rather not."]})
    spec = await made.agenerate_specifications(FREE)
    assert spec.requirements and spec.questions == () and spec.requirements[0].examples == ()
    [(kind, data, agent)] = made.environment.events
    assert (kind, data["level"], agent) == ("notice", "info", ("planner",))


async def test_without_a_usable_plan_there_is_no_specification():
    made, model = planner(plan=["I would rather not."])
    with pytest.raises(ReplyError, match="twice"):
        await made.agenerate_specifications(FREE)
    assert purposes(model) == ["questions", "plan", "plan"]


async def test_a_malformed_plan_is_shown_its_error_once():
    good = json.dumps({"title": "Sheep", "goal": "Counting", "requirements": [required()]})
    made, model = planner(plan=['{"title": "Sheep"', good])
    assert (await made.agenerate_specifications(FREE)).title == "Sheep"
    assert purposes(model).count("plan") == 2


async def test_the_specification_is_built_as_it_was_approved():
    made, _ = planner()
    spec = await made.arun(FREE)
    assert spec is made.environment.spec and spec.status == "approved"


async def test_what_is_not_approved_is_not_built():
    made, _ = planner()
    made.environment.approves = False
    with pytest.raises(RunStopped):
        await made.arun(FREE)
    assert made.environment.tasks == {}


class Noting(EngineerAgent):
    """An engineer that notes what it was given."""

    async def aexecute(self, specifications):
        self.given = specifications


async def delegated(spec, *engineers):
    made = PlannerAgent(sub_agents=engineers)
    made.environment = FakeProject(spec=spec)
    await made.adelegate_tasks(spec)
    return made.environment


def spec_of(*requirements):
    return Spec("t", "i", "g", requirements)


async def test_each_area_goes_to_its_first_engineer_and_only_where_there_is_work():
    bea, bob, fay = Noting("Bea"), Noting("Bob"), Noting("Fay", area="frontend")
    project = await delegated(spec_of(requirement(1), requirement(2)), bea, bob, fay)
    assert bea.given == project.spec
    assert not hasattr(bob, "given") and not hasattr(fay, "given")
    assert bea.environment is bob.environment is fay.environment is project
    assert {task.engineer for task in project.tasks.values()} == {"Bea"}


async def test_what_belongs_to_no_engineer_goes_to_the_first():
    bea = Noting("Bea")
    await delegated(spec_of(requirement(1), requirement(2, "frontend", "index.html")), BaseAgent("x"), bea)
    assert [one.area for one in bea.given.requirements] == ["backend", "backend"]


async def test_without_engineers_nothing_is_delegated_silently():
    with pytest.raises(ConfigError, match="no engineer"):
        await delegated(spec_of(requirement(1)), BaseAgent("x"))


async def test_the_whole_graph_is_known_before_an_engineer_begins():
    """A backend task that needs a page, with the engineers in either order."""
    page = requirement(1, "frontend", "index.html")
    server = requirement(2, "backend", "server.py", "Serves index.html.")
    for engineers in ([Noting("Bea"), Noting("Fay", area="frontend")], [Noting("Frontend"), Noting("Bea")]):
        project = await delegated(spec_of(page, server), *engineers)
        assert list(project.tasks) == ["T-1", "T-2"]
        assert project.tasks["T-2"].depends_on == ("T-1",)


async def test_tasks_of_two_engineers_that_need_each_other_are_all_run():
    page = requirement(1, "frontend", "index.html")
    server = requirement(2, "backend", "server.py", "Serves index.html.")
    project = await delegated(spec_of(page, server), EngineerAgent("Frontend"), EngineerAgent("Backend"))
    assert project.settled == {"T-1": "blocked", "T-2": "skipped"}


STEPS = {
    "plan_project": "idea",
    "generate_specifications": "idea",
    "create_spec_file": "specifications",
    "delegate_tasks": "specifications",
}


@pytest.mark.parametrize(("method", "argument"), STEPS.items())
async def test_inside_a_loop_each_method_names_its_asynchronous_form(method, argument):
    made, _ = planner()
    with pytest.raises(InputError, match=rf"Call `await planner\.a{method}\({argument}\)`"):
        getattr(made, method)(FREE)


@pytest.mark.parametrize("method", STEPS)
async def test_each_method_can_be_overridden_alone_and_lead_to_the_inherited_one(method):
    calls = []

    def own(self, argument):
        calls.append(method)
        return getattr(PlannerAgent, method)(self, argument)

    made, _ = planner(agent=type("Codex", (PlannerAgent,), {method: own}))
    spec = await made.aplan_project(FREE)
    assert calls == [method]
    assert spec.status == "approved" and "T-1" in made.environment.tasks


async def test_the_specifications_planner_may_return_nothing_from_its_steps():
    class Codex(PlannerAgent):
        def plan_project(self, idea):
            specifications = self.generate_specifications(idea)
            self.create_spec_file(specifications)
            self.delegate_tasks(specifications)

    made, _ = planner(agent=Codex)
    assert await made.aplan_project(FREE) is None
    assert made.environment.spec.status == "approved" and "T-1" in made.environment.tasks


def test_a_native_plan_project_of_ones_own_is_used_from_a_script():
    class Codex(PlannerAgent):
        async def aplan_project(self, idea):
            return f"planned {idea}"

    assert Codex().plan_project(FREE) == f"planned {FREE}"


async def test_a_planner_without_a_project_says_how_to_start():
    with pytest.raises(ConfigError, match=r"Planner has no project.*plan_project\(idea\)"):
        await PlannerAgent().arun(FREE)
