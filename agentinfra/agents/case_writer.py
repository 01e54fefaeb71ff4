"""Asking a model for test cases, and finding out what each of them rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agentinfra.agents.briefing import with_answers
from agentinfra.agents.prompt_files import load
from agentinfra.agents.replies import ProposedCase, ProposedCases
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatRequest
from agentinfra.models.structured import complete_as
from agentinfra.spec.formula import computed
from agentinfra.spec.grounding import ground
from agentinfra.spec.prose import parse_expression
from agentinfra.spec.requirements import Example, Ground, Spec
from agentinfra.spec.stated_examples import find_examples

CALL_FORM = """\
"call" is one Python expression such as `area(3, 4)`; "setup" holds Python statements to run before it, and may use \
`tmp_path`, a fresh folder. "expect" is "returns" or "raises". "value" is the result as a Python literal such as `12` \
or `"3 m"`, or the exception's name. If the result is calculated, "formula" is the calculation with the parameters' \
names, otherwise empty."""
PROGRAM_FORM = """\
"call" is one command line such as `python area.py 3 4`, run in a fresh folder; "setup" is empty. "expect" is \
"prints". "value" is exactly what it prints. "formula" is empty."""
MAX_CASES = {"compact": 4, "full": 8}


async def propose_cases(
    model: ChatModel, prompt: str, purpose: str, values: Mapping[str, str], spec: Spec, *, program: bool = False
) -> list[Example]:
    """Ask for cases with a prompt file and ground each in the idea and the person's answers.

    Args:
        model: Whom to ask.
        prompt: "examples" or "cases".
        purpose: Shown while waiting.
        values: Values of the prompt's marks.
        spec: Holds the idea and the answers.
        program: Whether what is tested is a program that prints, not a function that returns.

    Raises:
        ReplyError: No usable reply, after one re-ask.
    """
    limit = MAX_CASES[model.profile.prompts]
    form = PROGRAM_FORM if program else CALL_FORM
    messages = load(prompt, model.profile.prompts).render(
        limit=str(limit), idea=with_answers(spec.idea, spec.questions), form=form, **values
    )
    request = ChatRequest(messages, purpose=purpose, temperature=0.2, max_tokens=200 * limit, seed=1)
    reply, _ = await complete_as(model, request, ProposedCases)
    return [grounded(case, spec) for case in reply.cases[:limit]]


def grounded(case: ProposedCase, spec: Spec) -> Example:
    """The case as an example, with what it rests on; no model is asked."""
    example = Example(case.call.strip(), case.expect, _value(case), tuple(case.setup))
    answers = [question.answer for question in spec.questions if question.answer]
    found = ground(example, spec.idea, answers)
    if found is Ground.GUESSED and _follows(example, case.formula, spec):
        found = Ground.COMPUTED
    return replace(example, ground=found)


def _follows(example: Example, formula: str, spec: Spec) -> bool:
    """Whether the formula gives the example's result, and those of the stated examples of the same function.

    A model can put the right numbers into a wrong formula; only one that the stated examples confirm is trusted.
    """
    if not formula or not computed(example, formula, spec.idea):
        return False
    name = example.call.partition("(")[0]
    stated = [one for one in find_examples(spec.idea) if one.expect == "returns" and one.call.partition("(")[0] == name]
    return bool(stated) and all(computed(one, formula, spec.idea) for one in stated)


def _value(case: ProposedCase) -> str:
    value = case.value.strip()
    if case.expect == "raises":
        # Small models write the exception as a call; its name is what pytest.raises takes.
        return value.split("(")[0].strip()
    if case.expect == "returns" and parse_expression(value) is None:
        # They also forget the quotes around text.
        return repr(value)
    return value
