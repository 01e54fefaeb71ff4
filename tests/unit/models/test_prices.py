import importlib.util

import pytest

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


# Dollars a million tokens: read 3, written 15, from the cache 0.30, into the cache 3.75.
@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(100_000, 10_000), 0.30 + 0.15),
        (Usage(100_000, 0, cached_tokens=100_000), 0.03),
        (Usage(100_000, 0, cache_write_tokens=100_000), 0.375),
        (Usage(100_000, 10_000, cached_tokens=50_000, cache_write_tokens=20_000), 0.09 + 0.015 + 0.075 + 0.15),
    ],
)
def test_tokens_from_and_into_the_cache_have_prices_of_their_own(usage, cost):
    assert cost_of("anthropic:claude-sonnet-4-5", usage) == pytest.approx(cost)


def test_numbers_that_contradict_each_other_have_no_price():
    assert cost_of("openai:o1", Usage(10, 1, cached_tokens=11)) is None
