import pytest

from agentinfra.core.config import ModelSettings, ProviderLimits
from agentinfra.core.errors import BudgetExceeded, ConfigError, InputError, ModelUnavailable
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.budget import Budget
from agentinfra.models.function_model import FunctionModel
from agentinfra.models.local_model import LocalModel
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.model_stack import ModelStack, manager_from
from agentinfra.models.rate_limit import RateLimiter
from agentinfra.models.ready_made import ClaudeModel, O1Model
from agentinfra.models.recorded_model import ReplayModel
from agentinfra.models.reply_cache import ReplyCache
from agentinfra.models.retry import RetryPolicy
from agentinfra.models.scripted_model import ScriptedModel

ASK = ChatRequest((user("Hi"),), seed=3)


def layers_of(model):
    """Names of the classes from the outside in; of a chain, the first member's."""
    names = [type(model).__name__]
    while hasattr(model, "_inner"):
        model = model._inner
        names.append(type(model).__name__)
    return names


def mine(name):
    return ScriptedModel(lambda request: f"{name} {request.seed}", name=f"mine:{name}")


def test_the_wrappers_stand_in_the_documented_order(tmp_path):
    manager = ModelManager(
        providers={"mine": mine},
        fallbacks={"mine:a": ["mine:b"]},
        limiters={"mine": RateLimiter(concurrency=1)},
        env={},
    )
    cache, record = ReplyCache(tmp_path), tmp_path / "record.jsonl"
    stack = ModelStack(manager, Budget(), default="mine:a", cache=cache, record=record)
    assert layers_of(stack.model_for(None)) == [
        "BudgetedModel",
        "RecordingModel",
        "SeededModel",
        "CachedModel",
        "TracedModel",
        "FallbackModel",
        "RetryingModel",
        "RateLimitedModel",
        "ScriptedModel",
    ]


async def test_a_call_passes_through_all_of_it(tmp_path):
    calls = []

    def answer(request):
        calls.append(request.seed)
        if len(calls) == 1:
            raise ModelUnavailable("It is busy", transient=True)
        return "yes"

    manager = ModelManager(
        providers={"mine": lambda name: FunctionModel(answer, name=f"mine:{name}")},
        retry=RetryPolicy(first_wait=0.001),
        env={},
    )
    record = tmp_path / "record.jsonl"
    stack = ModelStack(manager, Budget(requests=1), default="mine:a", record=record, idea="an idea", seed=7)
    model = stack.model_for(None)
    assert (await model.complete(ASK)).text == "yes"
    assert calls == [7003, 7003]  # the run's own seed; one call of the budget, two requests
    with pytest.raises(BudgetExceeded):
        await model.complete(ASK)
    assert (await ReplayModel(record).complete(ASK)).text == "yes"
    assert "an idea" in record.read_text()


def test_each_model_is_built_once_and_names_are_looked_up():
    own = ScriptedModel([], name="scripted:own")
    manager = ModelManager(providers={"mine": mine}, aliases={"openai:o1": "mine:a|mine:b"}, env={})
    stack = ModelStack(manager, Budget(), default="mine:a|mine:b")
    of_run = stack.model_for(None)
    assert stack.model_for(None) is of_run
    assert stack.model_for(O1Model()) is of_run
    assert stack.model_for(own) is stack.model_for(own) is not of_run
    assert layers_of(stack.model_for(own)) == ["BudgetedModel", "SeededModel", "TracedModel", "ScriptedModel"]
    assert stack.model_for(ScriptedModel([], name="scripted:own")) is not stack.model_for(own)


def test_a_replay_answers_everything():
    replay = ScriptedModel([], name="scripted:replay")
    stack = ModelStack(ModelManager(env={}), Budget(), replay=replay)
    for own in (None, ClaudeModel(), ScriptedModel([])):
        assert layers_of(stack.model_for(own)) == ["BudgetedModel", "ScriptedModel"]


def test_a_record_holds_one_model(tmp_path):
    stack = ModelStack(
        ModelManager(providers={"mine": mine}, env={}), Budget(), default="mine:a", record=tmp_path / "r"
    )
    stack.model_for(None)
    with pytest.raises(InputError, match="uses scripted:other beside mine:a"):
        stack.model_for(ScriptedModel([], name="scripted:other"))


def test_settings_make_the_manager(monkeypatch):
    monkeypatch.delenv("AGENTINFRA_MODEL_ALIASES", raising=False)
    settings = ModelSettings(
        aliases={"small": "local:qwen2.5-coder-0.5b"},
        fallbacks={"ollama:a": ("small",)},
        limits={"ollama": ProviderLimits(concurrency=2)},
    )
    manager = manager_from(settings)
    assert layers_of(manager.get_model("ollama:a")) == [
        "FallbackModel",
        "RetryingModel",
        "RateLimitedModel",
        "OpenAIChatModel",
    ]
    assert type(manager.get_model("small")) is LocalModel
    with pytest.raises(ConfigError, match=r"models\.limits\.nobody is wrong"):
        manager_from(ModelSettings(limits={"nobody": ProviderLimits()}))


async def test_the_cache_stands_between_the_runs_chance_and_the_call(tmp_path, monkeypatch):
    def stack(seed=0, **options):
        models = ModelManager(providers={"mine": mine}, env={})
        cache = ReplyCache(tmp_path / "replies")
        return ModelStack(models, Budget(), default="mine:a", seed=seed, cache=cache, **options)

    assert layers_of(stack(record=tmp_path / "record.jsonl").model_for(None))[:5] == [
        "BudgetedModel",
        "RecordingModel",
        "SeededModel",
        "CachedModel",
        "TracedModel",
    ]

    async def is_known(**options):
        return bool((await stack(**options).model_for(None).complete(ASK)).usage.cached_replies)

    assert [await is_known(), await is_known(seed=1), await is_known(base_url="http://b"), await is_known()] == [
        False,
        False,
        False,
        True,
    ]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://c")
    assert not await is_known()
