import pytest

from agentinfra.workflow.figures import caching, cost, count, duration, money, tokens
from agentinfra.workflow.run_state import Totals


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (-3, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (192, "3:12"), (3723, "1:02:03")]
)
def test_times_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (4210, "4.2k"), (999_949, "999.9k"), (999_960, "1.0M")]
)
def test_tokens_read_well(number: int, text: str) -> None:
    assert tokens(number) == text


def test_a_price_that_is_not_known_is_never_shown_as_nothing() -> None:
    assert cost(Totals(cost_usd=None), "openai:new") == "cost unknown"
    assert cost(Totals(cost_usd=0.0), "local:qwen") == "local, $0"
    assert cost(Totals(cost_usd=0.0), "openai:x") == "$0.00"
    assert cost(Totals(cost_usd=0.42), "openai:x") == "$0.42"
    assert money(0.0001) == "<$0.01"


def test_one_is_not_many() -> None:
    assert [count(1, "task"), count(2, "task"), count(0, "task")] == ["1 task", "2 tasks", "0 tasks"]


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        (Totals(), ""),
        (Totals(input_tokens=1_000, cached_tokens=4), ""),
        (Totals(input_tokens=1_000, cached_tokens=618), "62% of input cached"),
        (Totals(cached_replies=1), "1 reply from cache"),
        (
            Totals(input_tokens=10, cached_tokens=10, cached_replies=1_200),
            "100% of input cached, 1,200 replies from cache",
        ),
    ],
)
def test_what_caches_saved_is_said_where_they_saved_something(totals: Totals, text: str) -> None:
    assert caching(totals) == text
