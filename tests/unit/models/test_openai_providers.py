import pytest

from agentinfra.core.errors import ConfigError, ModelUnavailable
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.openai_responses_model import OpenAIResponsesModel


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENROUTER_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "base_url", "kind"),
    [
        ("openai:gpt-5", None, OpenAIResponsesModel),
        ("openai:gpt-5", "https://eu.api.openai.com/v1", OpenAIResponsesModel),
        ("openai:gpt-5", "http://127.0.0.1:8000/v1", OpenAIChatModel),
        ("openai:gpt-5", "https://api.openai.com.example.org/v1", OpenAIChatModel),
        ("openai:gpt-audio", None, OpenAIChatModel),
        ("openai-chat:gpt-5", None, OpenAIChatModel),
        ("openai-responses:gpt-5", "http://127.0.0.1:8000/v1", OpenAIResponsesModel),
        ("openai-compatible:m", "http://127.0.0.1:8000/v1", OpenAIChatModel),
        ("openrouter:qwen/qwen3", None, OpenAIChatModel),
        ("ollama:llama3", None, OpenAIChatModel),
    ],
)
def test_the_name_and_the_address_decide_the_format(name, base_url, kind):
    model = ModelManager(base_url=base_url, env={}).get_model(name)
    assert type(model._inner) is kind  # in what tries again
    assert model.name == name


def test_openai_knows_what_its_models_can_do_and_others_are_asked():
    manager = ModelManager(env={})
    assert manager.get_model("openai:o3-mini").profile.inputs == ("text",)
    assert "image" in manager.get_model("ollama:llava").profile.inputs


def test_azure_needs_an_address():
    with pytest.raises(ConfigError, match="AZURE_OPENAI_ENDPOINT is not set"):
        ModelManager(env={}).get_model("azure:mine")


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com/"}, "AZURE_OPENAI_API_KEY"),
        ({"AZURE_OPENAI_ENDPOINT": "https://x.example.org", "OPENAI_API_VERSION": "v"}, "AZURE_OPENAI_API_KEY"),
    ],
)
async def test_azure_wants_its_own_key(env, variable):
    with pytest.raises(ModelUnavailable, match=f"{variable} is not set"):
        await ModelManager(env=env).get_model("azure:mine").complete(ChatRequest((user("Hi"),)))


async def test_openrouter_wants_its_own_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of another")
    with pytest.raises(ModelUnavailable, match="OPENROUTER_API_KEY is not set"):
        await ModelManager(env={}).get_model("openrouter:m").complete(ChatRequest((user("Hi"),)))
