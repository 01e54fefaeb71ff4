import pytest

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.models.seeded_model import SeededModel

ASK = ChatRequest((user("Hi"),), purpose="code", seed=2)


@pytest.mark.parametrize(("run", "own", "sent"), [(0, 2, 2), (7, 2, 7002), (7, None, 7000), (7, 0, 7000)])
async def test_the_runs_seed_shifts_the_requests(run, own, sent):
    inner = ScriptedModel(["hello"])
    request = ChatRequest(ASK.messages, purpose="code", seed=own)
    assert (await SeededModel(inner, run).complete(request)).text == "hello"
    [asked] = inner.requests
    assert (asked.seed, asked.messages, asked.purpose) == (sent, ASK.messages, "code")


async def test_it_is_the_wrapped_model_in_all_else():
    inner = ScriptedModel(["a", "b"], name="s:small", profile=ModelProfile(prompts="compact"))
    model = SeededModel(inner, 1)
    assert (model.name, model.profile) == ("s:small", inner.profile)
    await model.complete(ASK)
    await model.aclose()
    assert (await inner.complete(ASK)).text == "b"
