import pytest

from agentinfra.models.forecast import forecast

GPT = "openai:gpt-4o costs $2.50 a million tokens read and $10.00 written; "


@pytest.mark.parametrize(
    ("limits", "end"),
    [
        ({}, "there is no limit of money or tokens"),
        ({"usd": 3.0}, "the run costs at most about $3.00"),
        ({"tokens": 200_000}, "the run costs at most about $2.00"),
        ({"tokens": 200_000, "usd": 0.5}, "the run costs at most about $0.50"),
        ({"tokens": 100}, "the run costs at most about $0.001"),
    ],
)
def test_a_known_price_tells_what_a_run_may_cost(limits, end):
    assert forecast("openai:gpt-4o", **limits) == GPT + end


def test_where_there_is_nothing_to_say_nothing_is_said():
    assert forecast("local:qwen", usd=5.0, tokens=100) == ""
    assert forecast("their:own", tokens=100) == ""


def test_a_limit_of_money_without_a_price_is_warned_of():
    said = forecast("their:own", usd=5.0)
    assert "price of their:own is unknown" in said
    assert "$5.00" in said
