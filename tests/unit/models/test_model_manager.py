import asyncio
import os
import subprocess
import sys

import pytest

from agentinfra.core.errors import ConfigError, ModelUnavailable
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, user
from agentinfra.models.local_model import LocalModel
from agentinfra.models.local_servers import LocalServer
from agentinfra.models.model_manager import CLAUDE, ModelManager, default_model_name
from agentinfra.models.rate_limit import RateLimiter
from agentinfra.models.retry import RetryPolicy
from agentinfra.models.scripted_model import ScriptedModel

ALIASES = "AGENTINFRA_MODEL_ALIASES"
ASK = ChatRequest((user("Hi"),))


class ClosableModel(ScriptedModel):
    closed = 0

    async def aclose(self):
        self.closed += 1


@pytest.mark.parametrize(
    "name",
    ["openai:gpt-5", "anthropic:claude-x", "local:qwen2.5-coder-0.5b", "local:/m/x.gguf", "ollama:a:7b", "lmstudio:m"],
)
def test_each_provider_gives_one_instance_that_has_the_name(name):
    manager = ModelManager(env={})
    assert manager.get_model(name).name == name
    assert manager.get_model(name) is manager.get_model(name)


def test_models_that_are_handed_in_are_found():
    one = ScriptedModel([], name="scripted:one")
    assert ModelManager([one], env={}).get_model("scripted:one") is one
    assert ModelManager({"planner": one}, env={}).get_model("planner") is one


def test_aliases_lead_on_and_those_of_the_environment_win():
    one = ScriptedModel([], name="scripted:one")
    env = {ALIASES: "openai:o1 = fast, anthropic:x=openai:o1"}
    manager = ModelManager([one], aliases={"fast": "scripted:one", "openai:o1": "openai:gpt-5"}, env=env)
    assert manager.get_model("anthropic:x") is one


@pytest.mark.parametrize("name", ["gpt-5", "opnai:gpt-5", "openai:", ""])
def test_unknown_names_are_refused_with_the_providers(name):
    with pytest.raises(ConfigError, match=r"the providers are openai, .*anthropic, local") as caught:
        ModelManager(env={}).get_model(name)
    assert "local:" in caught.value.next_step


def test_a_misspelt_provider_is_guessed():
    with pytest.raises(ConfigError, match="Did you mean anthropic"):
        ModelManager(env={}).get_model("antropic:claude")


def test_an_unknown_local_model_names_the_catalogue():
    with pytest.raises(ConfigError, match=r"qwen2\.5-coder-1\.5b"):
        ModelManager(env={}).get_model("local:gpt-9")


async def test_a_server_of_ones_own_is_asked_under_its_address(wire):
    server = wire.start(wire.chat("mine"))
    with pytest.raises(ConfigError, match="--base-url"):
        ModelManager(env={}).get_model("openai-compatible:m")
    for manager in (
        ModelManager(base_url=f"{server.url}/v1", env={}),
        ModelManager(env={"OPENAI_BASE_URL": f"{server.url}/v1"}),
    ):
        assert (await manager.get_model("openai-compatible:m").complete(ASK)).text == "mine"
        await manager.aclose()
    assert [body["model"] for body in server.bodies] == ["m", "m"]


async def test_more_providers_are_used_and_closed_once():
    made = []

    def mine(rest):
        made.append(ClosableModel([rest], name=f"mine:{rest}"))
        return made[-1]

    manager = ModelManager(providers={"mine": mine}, env={})
    assert (await manager.get_model("mine:x").complete(ASK)).text == "x"
    assert manager.get_model("mine:x|mine:y") is manager.get_model("mine:x | mine:y")
    await manager.aclose()
    await manager.aclose()
    assert [model.closed for model in made] == [1, 1]


def flaky(failures, made):
    """A provider whose models fail so often before they answer, each with what may pass."""

    def make(rest):
        errors = [ModelUnavailable("It is busy", transient=True) for _ in range(failures)]
        made.append(ScriptedModel([*errors, rest, rest], name=f"flaky:{rest}"))
        return made[-1]

    return make


async def test_what_it_makes_tries_again_under_its_own_name_and_what_was_handed_in_does_not():
    made, quick = [], RetryPolicy(first_wait=0.001)
    broken = ScriptedModel([ModelUnavailable("It is busy", transient=True), "x"], name="scripted:one")
    manager = ModelManager([broken], providers={"flaky": flaky(2, made)}, retry=quick, env={})
    model = manager.get_model("flaky:x")
    assert (model.name, model.profile) == ("flaky:x", made[0].profile)
    assert (await model.complete(ASK)).text == "x"
    assert len(made[0].requests) == 3
    with pytest.raises(ModelUnavailable):
        await manager.get_model("scripted:one").complete(ASK)


def test_a_local_model_is_left_as_it_is():
    assert type(ModelManager(env={}).get_model("local:qwen2.5-coder-0.5b")) is LocalModel


async def test_a_chain_is_told_of_each_fall_and_a_name_may_have_others_behind_it():
    made, falls = [], []
    manager = ModelManager(
        [ScriptedModel(["from two", "again"], name="scripted:two")],
        aliases={"fast": "flaky:x"},
        fallbacks={"fast": ["scripted:two"]},
        providers={"flaky": flaky(9, made)},
        retry=RetryPolicy(tries=1),
        on_fall=lambda member, error, following: falls.append((member.name, error.what, following.name)),
        env={},
    )
    model = manager.get_model("flaky:x")
    assert (model.name, (await model.complete(ASK)).text) == ("flaky:x", "from two")
    assert manager.get_model("fast|scripted:two") is model
    assert falls == [("flaky:x", "It is busy", "scripted:two")]


async def test_all_models_of_a_provider_share_its_limits():
    class Counting:
        profile = ModelProfile()
        now = most = 0

        def __init__(self, name):
            self.name = f"mine:{name}"

        async def complete(self, request):
            Counting.now += 1
            Counting.most = max(Counting.most, Counting.now)
            await asyncio.sleep(0.01)
            Counting.now -= 1
            return ChatReply((), self.name)

        async def aclose(self):
            pass

    manager = ModelManager(providers={"mine": Counting}, limiters={"mine": RateLimiter(concurrency=2)}, env={})
    await asyncio.gather(*(manager.get_model(f"mine:{number}").complete(ASK) for number in range(6)))
    assert Counting.most == 2


def test_a_limit_of_a_provider_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"models\.limits\.opnai is wrong\. .*they are openai, "):
        ModelManager(limiters={"opnai": RateLimiter(concurrency=1)}, env={})


@pytest.mark.parametrize(
    ("env", "installed", "expected"),
    [
        ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, ["qwen2.5-coder-1.5b"], "openai:gpt-5"),
        ({"ANTHROPIC_API_KEY": "k"}, [], CLAUDE),
        ({"OPENAI_BASE_URL": "http://x/v1", "OPENAI_MODEL": "m"}, [], "openai-compatible:m"),
        ({"OPENAI_API_KEY": "k", "OPENAI_MODEL": "gpt-9"}, [], "openai:gpt-9"),
        ({}, ["qwen2.5-coder-0.5b"], "local:qwen2.5-coder-0.5b"),
        ({}, ["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"], "local:qwen2.5-coder-1.5b"),
    ],
)
def test_the_default_follows_keys_then_files(env, installed, expected):
    assert default_model_name(env, installed) == expected


def test_a_server_of_this_machine_comes_after_keys_and_before_files():
    servers = [LocalServer("ollama", "http://127.0.0.1:11434/v1", ("qwen3-coder:30b", "llama3"))]
    assert default_model_name({}, ["qwen2.5-coder-1.5b"], servers) == "ollama:qwen3-coder:30b"
    assert default_model_name({"ANTHROPIC_API_KEY": "k"}, [], servers) == CLAUDE


def test_no_default_names_all_ways_and_their_cost():
    with pytest.raises(ModelUnavailable) as caught:
        default_model_name({}, [])
    for way in ("local:", "free", "1.1 GB", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL"):
        assert way in caught.value.next_step


def test_getting_models_imports_no_sdk():
    program = """
import sys
from agentinfra.models import ModelManager, O1Model, ClaudeModel
names = [ModelManager().get_model(name).name for name in ("openai:o1", "anthropic:x", "local:qwen2.5-coder-0.5b")]
assert O1Model().name == "openai:o1" and ClaudeModel().profile.tools
print(sorted({"openai", "anthropic", "xllamacpp", "httpx2", "genai_prices"} & set(sys.modules)))
"""
    environment = {name: value for name, value in os.environ.items() if name != ALIASES}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
