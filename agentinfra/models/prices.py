"""What a call cost, from the price list of ``genai-prices`` where that package is installed."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from agentinfra.core.messages import Usage

_SELLERS = {"anthropic": "anthropic", "openai": "openai", "openai-chat": "openai", "openai-responses": "openai"}


def cost_of(model: str, usage: Usage) -> float | None:
    """Price of a call in US dollars; None where it is unknown, never 0 for want of knowledge.

    Args:
        model: ``provider:model``; only OpenAI's and Anthropic's own prices are known, and that ``local:`` is free.
        usage: Tokens; input_tokens include those from and into the prompt cache.
    """
    provider, _, name = model.partition(":")
    if provider == "local":
        return 0.0
    prices, seller = _price_list(), _SELLERS.get(provider)
    if prices is None or seller is None:
        return None
    tokens = prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    try:
        return float(prices.calc_price(tokens, model_ref=name, provider_id=seller).total_price)
    except (LookupError, ValueError):  # a model that is not listed, or a server whose numbers contradict each other
        return None


@cache
def _price_list() -> Any:
    try:
        return importlib.import_module("genai_prices")
    except ModuleNotFoundError:
        return None
