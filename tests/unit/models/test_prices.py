import importlib.util

from agentinfra.core.messages import Usage
from agentinfra.models.prices import cost_of

LIST_INSTALLED = importlib.util.find_spec("genai_prices") is not None


def test_an_unknown_price_is_none_and_never_zero():
    usage = Usage(1000, 100)
    assert cost_of("openai-compatible:mine", usage) is None
    assert cost_of("openai:no-such-model-was-ever-made", usage) is None


def test_a_known_price_is_positive_where_the_list_is_installed():
    cost = cost_of("openai:o1", Usage(1_000_000, 0))
    assert (cost is not None and cost > 1) if LIST_INSTALLED else cost is None
