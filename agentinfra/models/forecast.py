"""What a run may cost, before it begins. Pure."""

from __future__ import annotations

from agentinfra.core.messages import Usage
from agentinfra.models.amounts import money
from agentinfra.models.prices import cost_of

_MILLION = 1_000_000
_SAMPLE = 10_000  # few enough for the price of a usual prompt where long ones cost more


def forecast(model: str, *, usd: float | None = None, tokens: int | None = None) -> str:
    """One line for people: the model's prices, and what they come to within the limits.

    Args:
        model: ``provider:model``.
        usd: The limit of money.
        tokens: The limit of tokens.

    Returns:
        The line; "" where there is nothing to say: the model is free, or its price is unknown and money is not limited.
    """
    read, written = _million(model, Usage(_SAMPLE, 0)), _million(model, Usage(0, _SAMPLE))
    if read is None or written is None:
        unknown = f"The price of {model} is unknown, so the limit of {money(usd or 0.0)} ends the run after one call"
        return "" if usd is None else f"{unknown}, unless it tells the price itself"
    if not read and not written:
        return ""
    bounds = [usd, None if tokens is None else tokens / _MILLION * max(read, written)]
    most = min((bound for bound in bounds if bound is not None), default=None)
    end = "there is no limit of money or tokens" if most is None else f"the run costs at most about {money(most)}"
    return f"{model} costs {money(read)} a million tokens read and {money(written)} written; {end}"


def _million(model: str, usage: Usage) -> float | None:
    cost = cost_of(model, usage)
    return None if cost is None else cost * _MILLION / _SAMPLE
