"""CodeActionAgent: what it shows a model, and what it makes of the reply."""

import pytest

from agentinfra.agents.code_action_agent import CodeActionAgent, describe_place, excerpt
from agentinfra.agents.code_actions import ActionAnswer, ActionRequest
from agentinfra.core.errors import ConfigError, InputError, PatchError, ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.models.scripted_model import ScriptedModel

CODE = "def area(r):\n    return r\n\n\ndef twice(n):\n    raise NotImplementedError\n"
PATCH = "app.py\n<<<<<<< SEARCH\n    return r\n=======\n    return 3 * r * r\n>>>>>>> REPLACE\n"
SMALL = ModelProfile(prompts="compact", context_tokens=8_000)


def request(what="fix", **more):
    return ActionRequest(**{"what": what, "path": "app.py", "text": CODE, "first": 1, "last": 2, **more})


async def perform(asked, *replies, profile=None):
    model = ScriptedModel(replies, profile=profile)
    return await CodeActionAgent(model=model).arun(asked), model.requests


async def test_a_fix_shows_the_file_the_place_and_the_problems():
    asked = request(symbol="area", problems=("line 2: error: area is too small",))
    answer, (sent,) = await perform(asked, PATCH)
    assert answer == ActionAnswer({"app.py": CODE.replace("return r\n", "return 3 * r * r\n")})
    shown = sent.messages[-1].text
    for part in (CODE.strip(), "in lines 1 to 2, in `area`", "- line 2: error: area is too small", "<<<<<<< SEARCH"):
        assert part in shown
    assert sent.purpose == "fix app.py" and sent.temperature == 0.0


async def test_a_stub_is_implemented_by_a_small_models_block():
    asked = request("implement", first=5, last=6, symbol="twice")
    answer, (sent,) = await perform(asked, "```python\ndef twice(n):\n    return 2 * n\n```", profile=SMALL)
    assert answer.files["app.py"].endswith("def twice(n):\n    return 2 * n\n")
    assert "one Python code block" in sent.messages[-1].text and sent.max_tokens == 1200


async def test_a_small_model_sees_and_changes_the_one_definition():
    asked = request(text="import math\n\nPI = 3\n\n\n" + CODE, first=7, last=7, symbol="area", problems=("too small",))
    reply = "```python\nimport pytest\n\n\ndef area(r):\n    return 3 * r * r\n\n\ndef twice(n):\n    return 0\n```"
    answer, (sent,) = await perform(asked, reply, profile=SMALL)
    shown = sent.messages[-1].text
    assert "import math\n\n\ndef area" in shown and "in `area`" in shown and "twice" not in shown
    assert answer.files == {"app.py": asked.text.replace("return r\n", "return 3 * r * r\n")}
    _, (sent,) = await perform(
        request(text="def area(:", symbol="area"), PATCH.replace("    return r\n", "def area(:\n")
    )
    assert "def area(:" in sent.messages[-1].text


async def test_tests_change_the_tests_file_alone():
    asked = request("tests", test_path="tests/test_app.py", test_text="import app\n")
    reply = "```python\nfrom app import area\n\n\ndef test_area():\n    assert area(1) == 1\n```"
    answer, (sent,) = await perform(asked, reply)
    assert list(answer.files) == ["tests/test_app.py"] and "import app\n" in answer.files["tests/test_app.py"]
    assert '<file path="tests/test_app.py">\nimport app' in sent.messages[-1].text
    with pytest.raises(PatchError, match=r"The reply changes app\.py"):
        await perform(asked, PATCH, PATCH)


@pytest.mark.parametrize("what", ["explain", "review"])
async def test_a_text_is_handed_over_as_it_came(what):
    answer, (sent,) = await perform(request(what), "  It is **wrong**.\n\n")
    assert answer == ActionAnswer(text="It is **wrong**.\n")
    assert ("   2|     return r" in sent.messages[-1].text) == (what == "review")
    with pytest.raises(ReplyError, match="answered nothing"):
        await perform(request(what), " \n")


async def test_what_cannot_be_used_is_sent_back_once_with_the_reason():
    answer, (_, second) = await perform(request(), "No idea.", PATCH)
    assert answer.files
    assert "could not be used" in second.messages[-1].text and second.temperature > 0
    with pytest.raises(PatchError, match="setup"):
        await perform(request(), "No idea.", PATCH.replace("app", "setup"), PATCH)


async def test_what_nobody_can_do_is_refused():
    with pytest.raises(InputError, match="There is no action 'sing'"):
        await perform(request("sing"))
    with pytest.raises(InputError, match="where the tests belong"):
        await perform(request("tests"))
    with pytest.raises(ConfigError, match="has no model"):
        await CodeActionAgent().arun(request())


def test_of_a_long_file_the_lines_around_the_place_are_shown():
    text = "".join(f"line {number}\n" for number in range(1, 1001))
    asked = request(text=text, first=500, last=501)
    shown = excerpt(asked, 100).splitlines()
    assert "line 500" in shown and "line 501" in shown and len(shown) < 60
    assert shown[0].startswith("… ") and shown[-1].startswith("… ")
    above, below = int(shown[0].split()[1]), int(shown[-1].split()[1])
    assert above + below + len(shown) - 2 == 1000 and abs(above - 499) <= 40
    assert excerpt(asked, 10_000).splitlines() == text.splitlines()
    assert excerpt(request(text="", first=9, last=9), 10) == ""


def test_a_place_is_told_in_words():
    assert describe_place(request(last=1)) == "in line 1"
    assert describe_place(request(symbol="C.m")) == "in lines 1 to 2, in `C.m`"
