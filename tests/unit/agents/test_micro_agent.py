"""The MicroAgent: candidates, feedback, judgement."""

import pytest

from agentinfra.agents.arbiter import Candidate
from agentinfra.agents.micro_agent import MicroAgent
from agentinfra.agents.project import Verdict
from agentinfra.agents.test_suite import build_suite
from agentinfra.core.errors import ConfigError, ModelUnavailable
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.tasks import Task
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.spec.requirements import Example, Ground, Requirement, Spec
from tests.fakes.project import FakeProject, FakeWorkbench

STATED = Example("double(2)", "returns", "4", (), Ground.STATED)
GUESS = Example("double(3)", "returns", "7")
TASK = Task("T-1", "Double", ("FR-1",), ("double.py",), ("double(n)",))
SPEC = Spec("t", "i", "g", (Requirement("FR-1", "t", "RULES", "double.py", ("double(n)",)),))


def code(body):
    return f"Here you are:\n```python\ndef double(n):\n    return {body}\n```\n"


RIGHT, WRONG = code("n * 2"), code("n + 1")


def work(replies, *examples, size="full", **project):
    model = ScriptedModel(replies, profile=ModelProfile(prompts=size))
    given = FakeProject(default=model, spec=SPEC, **project)
    suite = build_suite("tests/test_double.py", "double.py", TASK.symbols, [("FR-1", one) for one in examples])
    agent = MicroAgent().for_task(given, ("planner", "Bea", "Micro:T-1"))
    return agent, FakeWorkbench(given, TASK, suite), model


def texts(model):
    return [request.messages[-1].text for request in model.requests]


async def test_a_candidate_that_passes_is_submitted():
    agent, bench, model = work([RIGHT], STATED)
    assert await agent.arun(bench) == Verdict(True, "commit-of-T-1")
    assert bench.project.tree["double.py"] == "def double(n):\n    return n * 2\n"
    [request] = model.requests
    assert (request.purpose, request.temperature, request.seed) == ("code T-1", 0.0, 0)
    assert "RULES" in texts(model)[0] and "double(2) returns 4" in texts(model)[0]


@pytest.mark.parametrize(("size", "told"), [("full", True), ("compact", False)])
async def test_what_earlier_work_taught_is_told_to_large_models_in_every_try(size, told):
    agent, bench, model = work([WRONG, RIGHT], STATED, size=size, learnt={"T-1": "- [lesson] Round half up."})
    assert (await agent.arun(bench)).done
    assert ["[lesson] Round half up." in text for text in texts(model)] == [told, told]


@pytest.mark.parametrize(("size", "told"), [("full", True), ("compact", False)])
async def test_what_of_the_repository_fits_is_shown_to_large_models_in_every_try(size, told):
    agent, bench, model = work([WRONG, RIGHT], STATED, size=size, around={"T-1": "=== used maths.py:1-2 ==="})
    assert (await agent.arun(bench)).done
    assert ["<repository>" in text and "=== used maths.py:1-2 ===" in text for text in texts(model)] == [told, told]


async def test_a_wrong_try_is_told_to_every_other_sample():
    agent, bench, model = work([WRONG, WRONG, RIGHT], STATED)
    assert (await agent.arun(bench)).done
    told = ["double(2) gave 3, it must give 4" in text for text in texts(model)]
    assert told == [False, True, False]
    assert "return n + 1" in texts(model)[1]
    assert [request.seed for request in model.requests] == [0, 1, 2]
    assert [request.temperature for request in model.requests] == [0.0, 0.7, 0.7]


@pytest.mark.parametrize(("size", "attempts"), [("full", [1, 2, 3]), ("compact", [1, 1, 1, 2, 2, 2, 3, 3, 3])])
async def test_tries_are_bounded_and_a_small_models_try_is_several_samples(size, attempts):
    agent, bench, _ = work(lambda request: code(f"n + {request.seed + 1} + 9"), STATED, size=size)
    assert await agent.arun(bench) is None
    assert [attempt for _, attempt in bench.tried] == attempts


async def test_a_reply_without_code_costs_a_try_and_is_told():
    agent, bench, _ = work(["I cannot do that.", RIGHT], STATED)
    assert (await agent.arun(bench)).done
    [(kind, data, path)] = bench.project.events
    assert (kind, data["level"], path) == ("notice", "info", ("planner", "Bea", "Micro:T-1"))
    assert data["text"].startswith("T-1 try 1: ")
    assert len(bench.tried) == 1


async def test_what_stands_in_the_file_already_is_shown_and_kept():
    agent, bench, model = work([RIGHT], STATED)
    bench.project.tree["double.py"] = "def half(n):\n    return n / 2\n"
    await agent.arun(bench)
    assert "def half(n)" in texts(model)[0]
    assert "def half(n)" in bench.project.tree["double.py"] and "def double(n)" in bench.project.tree["double.py"]


async def test_a_wrong_guess_falls_at_the_end_and_the_code_is_delivered():
    agent, bench, _ = work([RIGHT, RIGHT, RIGHT], STATED, GUESS)
    verdict = await agent.arun(bench) or await agent.settle()
    assert verdict == Verdict(True, "commit-of-T-1")
    assert [case.example for case in bench.suite.cases] == [STATED]
    assert "double(3) is not 7" in bench.relocked[-1]


async def test_three_sound_candidates_need_no_further_tries():
    samples = [code("n * 2"), code("n + n"), code("2 * n")]
    agent, bench, model = work(samples, STATED, GUESS, size="compact")
    assert (await agent.arun(bench)).done
    assert len(model.requests) == 3
    # They agree about the result: the guess is mended instead of dropped.
    assert [case.example.value for case in bench.suite.cases] == ["4", "6"]


async def test_candidates_that_fail_a_stated_example_are_never_delivered():
    agent, bench, _ = work([WRONG] * 3, STATED)
    assert await agent.arun(bench) is None
    assert await agent.settle() is None
    assert bench.project.tree == {} and bench.relocked == []


def rulings(bench):
    return [data for kind, data, _ in bench.project.events if kind == "ruling"]


async def test_each_judgement_is_on_record():
    agent, bench, _ = work([RIGHT, RIGHT, RIGHT], STATED, GUESS)
    assert (await agent.arun(bench)).done
    [ruling] = rulings(bench)
    assert ruling["fault"] == "test"
    assert (ruling["dropped"], ruling["amended"], ruling["candidates"], ruling["sound"]) == (
        ["test_double_2"],
        {},
        3,
        1,
    )
    assert "question" not in ruling


# All double 2 rightly; about 3 and 5 they stand two against two.
SPLIT = ("n * 2", "n + n", "n * 2 + (n > 2)", "n + n + (n > 2)")
GUESSES = (Example("double(3)", "returns", "7"), Example("double(5)", "returns", "10"))


async def split(**project):
    """A MicroAgent after its last try, with these candidates."""
    agent, bench, _ = work([], STATED, *GUESSES, **project)
    await agent.aperceive(bench)
    for turn, body in enumerate(SPLIT):
        files = {"double.py": f"def double(n):\n    return {body}\n"}
        report = await bench.try_files(files, attempt=1, agent=agent.path)
        agent.candidates.append(Candidate(files, files, report, 1, turn))
    return agent, bench


async def test_unattended_an_open_specification_ends_the_task_with_the_question():
    agent, bench = await split()
    verdict = await agent.settle()
    assert not verdict.done
    assert verdict.reason.startswith("The specification leaves open: What should double(")
    [notice] = [data for kind, data, _ in bench.project.events if kind == "notice"]
    assert notice == {"level": "warning", "text": f"T-1: {verdict.reason}"}
    assert rulings(bench)[-1]["fault"] == "spec"
    assert rulings(bench)[-1]["question"].startswith("What should double(")
    assert bench.relocked == [] and bench.project.tree == {}


@pytest.mark.parametrize(("said", "body"), [("6", "n * 2"), ("7", "n * 2 + (n > 2)")])
async def test_what_a_person_says_decides(said, body):
    agent, bench = await split(attended=True, said=said)
    assert (await agent.settle()).done
    assert f"return {body}" in bench.project.tree["double.py"]
    [case] = [case for case in bench.suite.cases if case.example.call == "double(3)"]
    assert (case.example.value, case.example.ground) == (said, Ground.ANSWERED)
    assert [ruling["fault"] for ruling in rulings(bench)] == ["spec", "test" if said == "7" else ""]


async def test_an_answer_that_no_candidate_gives_leaves_the_code_at_fault():
    agent, bench = await split(attended=True, said="8")
    assert await agent.settle() is None
    assert [ruling["fault"] for ruling in rulings(bench)] == ["spec", "code"]
    assert bench.project.tree == {}


async def test_an_answer_that_is_no_value_is_told():
    agent, _ = await split(attended=True, said="Whatever you like")
    assert "'Whatever you like' is no value that a test can hold" in (await agent.settle()).reason


async def test_a_refused_submission_is_remembered():
    agent, bench, _ = work([RIGHT] * 3, STATED, refused="The merged tree fails")
    assert await agent.arun(bench) is None
    assert agent.refusal == "The merged tree fails"


async def test_what_was_sent_back_by_the_merge_queue_is_told_and_a_new_return_ends_the_work():
    agent, bench, model = work([RIGHT, RIGHT], STATED)
    bench.evidence = "double.py\n<<<<<<< on the branch"
    returned = Verdict(False, reason="It conflicts in double.py", evidence="again")

    async def submit(_):
        return returned

    bench.submit = submit
    assert await agent.arun(bench) is returned
    assert len(model.requests) == 1
    assert "did not fit what others wrote meanwhile" in texts(model)[0]
    assert "<<<<<<< on the branch" in texts(model)[0]


async def test_nothing_to_judge_is_no_verdict():
    agent, _, _ = work([], STATED)
    assert await agent.settle() is None


async def test_an_error_of_the_model_comes_out():
    agent, bench, _ = work([ModelUnavailable("down")], STATED)
    with pytest.raises(ModelUnavailable):
        await agent.arun(bench)


async def test_each_task_has_an_agent_of_its_own():
    agent, bench, _ = work([WRONG] * 3, STATED)
    await agent.arun(bench)
    fresh = agent.for_task(bench.project, ("other",))
    assert (fresh.candidates, fresh.conversation, fresh.turn, fresh.refusal) == ([], [], 0, "")
    assert len(agent.candidates) == 3 and fresh.path == ("other",)
    with pytest.raises(ConfigError, match="works at a task's workbench"):
        _ = fresh.bench


async def test_ones_own_decide_may_give_the_code_as_text():
    agent, bench, _ = work([], STATED)
    agent.decide = lambda: RIGHT
    assert (await agent.arun(bench)).done


async def test_whole_files_are_written_where_there_are_no_symbols():
    page = Task("T-2", "Page", ("FR-1",), ("index.html",))
    given = FakeProject(default=ScriptedModel(["", "```html\n<h1>Hi</h1>\n```"]), spec=SPEC, max_attempts=2)
    example = Example('"x"', "returns", '"x"')
    suite = build_suite("tests/test_page.py", "index.html", [], [("FR-1", example)])
    bench = FakeWorkbench(given, page, suite)
    agent = MicroAgent().for_task(given, ("micro",))
    await agent.arun(bench)
    assert bench.tried == [({"index.html": "<h1>Hi</h1>\n"}, 2)]


async def test_without_a_project_it_says_what_it_needs():
    with pytest.raises(ConfigError, match="MicroAgent has no project"):
        await MicroAgent().arun(object())


@pytest.mark.parametrize(
    "reply",
    [
        "double.py\n```python\n<<<<<<< SEARCH\n    return n\n=======\n    return n * 2\n>>>>>>> REPLACE\n```\n",
        "*** Begin Patch\n*** Update File: double.py\n@@ def double(n):\n-    return n\n"
        "+    return n * 2\n*** End Patch",
        "```diff\n--- a/double.py\n+++ b/double.py\n@@ -1,2 +1,2 @@\n def double(n):\n"
        "-    return n\n+    return n * 2\n```",
    ],
    ids=["search/replace", "v4a", "unified"],
)
async def test_a_reply_may_change_the_file_by_a_patch(reply):
    agent, bench, _ = work([reply], STATED)
    bench.project.tree["double.py"] = "def double(n):\n    return n\n\n\ndef half(n):\n    return n / 2\n"
    assert (await agent.arun(bench)).done
    assert bench.project.tree["double.py"] == "def double(n):\n    return n * 2\n\n\ndef half(n):\n    return n / 2\n"


async def test_a_patch_that_removes_what_nobody_asked_for_costs_a_try():
    cut = "double.py\n<<<<<<< SEARCH\ndef half(n):\n    return n / 2\n=======\n>>>>>>> REPLACE\n"
    agent, bench, _ = work([cut, RIGHT], STATED)
    bench.project.tree["double.py"] = "def double(n):\n    return n * 2\n\n\ndef half(n):\n    return n / 2\n"
    assert (await agent.arun(bench)).done
    assert "would remove half" in bench.project.events[0][1]["text"]
    assert "half" in bench.project.tree["double.py"]
