"""The real embedded model: fetched if need be, started, asked twice, ended."""

import pytest

from agentinfra.core.messages import ChatRequest, system, user
from agentinfra.models.catalog import CATALOG
from agentinfra.models.download import ensure_model
from agentinfra.models.local_model import LocalModel
from agentinfra.models.structured import complete_as

pytestmark = pytest.mark.live

NAME = "qwen2.5-coder-0.5b"


@pytest.fixture
async def model():
    await ensure_model(CATALOG[NAME])
    embedded = LocalModel(f"local:{NAME}")
    yield embedded
    await embedded.aclose()


async def test_it_answers_by_schema_and_freely(model):
    ask = ChatRequest((user("Name the three primary colours of light."),), max_tokens=60, temperature=0.0, seed=1)
    colours, reply = await complete_as(model, ask, list[str])
    assert colours
    assert reply.model == f"local:{NAME}"
    assert 0 < reply.usage.output_tokens <= 60
    assert reply.usage.cost_usd == 0.0
    task = "Write a Python function add(a, b) that returns their sum."
    free = await model.complete(ChatRequest((system("Answer with code only."), user(task)), max_tokens=80, seed=1))
    assert "def add(" in free.text
