"""Asking a model for test cases, and what each of them rests on."""

import json

import pytest

from agentinfra.agents.case_writer import grounded, propose_cases
from agentinfra.agents.replies import ProposedCase
from agentinfra.core.errors import ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.spec.requirements import Ground, Question, Spec

IDEA = """`miles(km)` gives the miles: kilometres divided by 1.6, rounded to 2 digits, so `miles(8)` gives 5.0 and
`miles(3)` gives 1.88. A negative `km` raises ValueError.
`greet(name)` greets: `greet("Ada")` gives "Hello, Ada!"."""
ANSWERED = Question("Q-1", "And for nobody?", answer='`greet("nobody")` gives "Hello?"')
SPEC = Spec("t", IDEA, "g", questions=(ANSWERED, Question("Q-2", "Open?")))


def case(call, value, expect="returns", formula="", setup=()):
    return ProposedCase(call=call, expect=expect, value=value, formula=formula, setup=list(setup))


@pytest.mark.parametrize(
    ("proposed", "ground"),
    [
        (case("miles(8)", "5.0"), Ground.STATED),
        (case("miles(8)", "6.0"), Ground.GUESSED),
        (case("miles(-1)", "ValueError", "raises"), Ground.STATED),
        (case('greet("Ada")', '"Hello, Ada!"'), Ground.STATED),
        (case('greet("nobody")', '"Hello?"'), Ground.ANSWERED),
        (case('greet("Bea")', '"Hello, Bea!"'), Ground.GUESSED),
        # Computed: the formula gives the result, its numbers stand in the idea, the stated examples confirm it.
        (case("miles(16)", "10.0", formula="round(km / 1.6, 2)"), Ground.COMPUTED),
        (case("miles(16)", "11.0", formula="round(km / 1.6, 2)"), Ground.GUESSED),
        (case("miles(16)", "10.0", formula="km / 1.7 + 0.588"), Ground.GUESSED),
        # It gives this result, but not what the idea states for miles(3).
        (case("miles(16)", "10.0", formula="km / 1.6"), Ground.GUESSED),
        (case("miles(16)", "10", formula="km * 2 // 2 - 8 + 2"), Ground.GUESSED),
        (case("miles(16)", "10.0", formula="open('x')"), Ground.GUESSED),
        (case("miles(16)", "10.0", formula="km /"), Ground.GUESSED),
    ],
)
def test_the_ground_of_a_case_is_found_without_a_model(proposed, ground):
    assert grounded(proposed, SPEC).ground is ground


def test_a_formula_that_no_stated_example_confirms_is_not_trusted():
    spec = Spec("t", "`double(n)` is n times 2.", "g")
    assert grounded(case("double(4)", "8", formula="n * 2"), spec).ground is Ground.GUESSED


@pytest.mark.parametrize(
    ("proposed", "value"),
    [
        (case("f(1)", "ValueError('no')", "raises"), "ValueError"),
        (case("f(1)", " ValueError ", "raises"), "ValueError"),
        (case("f(1)", "Hello, World!"), "'Hello, World!'"),
        (case("f(1)", '"done"'), '"done"'),
        (case("f(1)", " [1, 2] "), "[1, 2]"),
        (case("python a.py", "3 m", "prints"), "3 m"),
    ],
)
def test_what_small_models_write_for_a_value_is_put_right(proposed, value):
    assert grounded(proposed, SPEC).value == value


def test_call_and_setup_are_kept():
    example = grounded(case(" b.add(1) ", "1", setup=["b = Bag()"]), SPEC)
    assert (example.call, example.expect, example.setup) == ("b.add(1)", "returns", ("b = Bag()",))


def reply(count):
    return json.dumps({"cases": [{"call": f"miles({n})", "expect": "returns", "value": "1"} for n in range(count)]})


@pytest.mark.parametrize(("size", "limit"), [("compact", 4), ("full", 8)])
async def test_a_model_is_asked_with_the_prompt_of_its_size_and_cut_at_its_limit(size, limit):
    model = ScriptedModel([reply(8)], profile=ModelProfile(prompts=size))
    values = {"rules": "RULES", "context": "", "signature": "miles(km)"}
    examples = await propose_cases(model, "examples", "examples FR-1", values, SPEC)
    assert len(examples) == limit
    request = model.requests[0]
    assert request.purpose == "examples FR-1" and request.schema is not None
    assert "RULES" in request.messages[1].text and f"at most {limit} examples" in request.messages[1].text


@pytest.mark.parametrize(("program", "told"), [(False, "Python expression"), (True, "command line")])
async def test_a_program_is_asked_about_as_one(program, told):
    model = ScriptedModel([reply(1)])
    values = {"rules": "", "context": "", "signature": "a.py"}
    await propose_cases(model, "examples", "examples FR-1", values, SPEC, program=program)
    assert told in model.requests[0].messages[1].text


async def test_a_model_that_gives_no_cases_twice_is_an_error():
    values = {"rules": "", "context": "", "signature": "f()"}
    with pytest.raises(ReplyError, match="twice"):
        await propose_cases(ScriptedModel(["no", '{"cases": 1}']), "examples", "p", values, SPEC)
