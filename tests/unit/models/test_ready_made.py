import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models import ClaudeModel, ModelManager, O1Model
from agentinfra.models.scripted_model import ScriptedModel

ASK = ChatRequest((user("Hi"),))


@pytest.mark.parametrize(("make", "variable"), [(O1Model, "OPENAI_API_KEY"), (ClaudeModel, "ANTHROPIC_API_KEY")])
async def test_they_are_made_without_a_key_and_say_so_when_asked(monkeypatch, make, variable):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "AGENTINFRA_MODEL_ALIASES"):
        monkeypatch.delenv(name, raising=False)
    model = make()
    with pytest.raises(ModelUnavailable, match=f"{variable} is not set") as caught:
        await model.complete(ASK)
    assert 'AGENTINFRA_MODEL_ALIASES="openai:o1=local:qwen2.5-coder-1.5b"' in caught.value.next_step
    await model.aclose()


async def test_the_environment_maps_the_name_to_another_model(monkeypatch):
    monkeypatch.setenv("AGENTINFRA_MODEL_ALIASES", "openai:o1=local:qwen2.5-coder-0.5b")
    model = O1Model()
    assert (model.asked_name, model.name) == ("openai:o1", "local:qwen2.5-coder-0.5b")
    assert model.profile.prompts == "compact"
    await model.aclose()


async def test_an_application_hands_in_its_manager():
    stand_in = ScriptedModel(["hello"], name="scripted:one")
    model = ClaudeModel()
    model.use(ModelManager([stand_in], aliases={model.asked_name: "scripted:one"}, env={}))
    assert (await model.complete(ASK)).text == "hello"
    assert model.name == "scripted:one"
