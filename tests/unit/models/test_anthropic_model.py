"""The rest is in tests/conformance, against a server that speaks the format."""

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.anthropic_model import AnthropicModel


async def test_without_a_key_the_error_names_the_ways_out(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="ANTHROPIC_API_KEY is not set") as caught:
        await AnthropicModel("anthropic:claude-test").complete(ChatRequest((user("Hello"),)))
    assert "[models.aliases]" in caught.value.next_step


def test_a_profile_that_is_given_wins():
    profile = ModelProfile(prompts="compact")
    assert AnthropicModel("anthropic:claude-opus-5", profile=profile).profile is profile
    assert AnthropicModel("anthropic:claude-opus-5").profile.context_tokens == 1_000_000
