import pytest

from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.openai_wire import REASONING_TOKENS, thinks, to_payload


@pytest.mark.parametrize(
    ("name", "expected"), [("o1", True), ("o4-mini", True), ("gpt-5", True), ("gpt-10", True), ("gpt-4.1", False)]
)
def test_reasoning_models_are_known_by_name(name, expected):
    assert thinks(name) is expected


def test_reasoning_models_get_room_to_think_and_no_sampling():
    request = ChatRequest((user("Hi"),), max_tokens=100, stop=("END",))
    payload = to_payload(request, "o1", reasoning=True)
    assert payload["max_completion_tokens"] == 100 + REASONING_TOKENS
    assert not {"temperature", "stop", "max_tokens", "seed"} & payload.keys()


def test_the_purpose_is_never_sent():
    payload = to_payload(ChatRequest((user("Hi"),), purpose="very-private"), "m")
    assert "very-private" not in str(payload)
