"""The same idea twice with --cache: the second run asks no model, pays nothing, and builds the same."""

from pathlib import Path

from agentinfra.models.reply_cache import ReplyCache
from tests.e2e.place import Outcome, Place
from tests.e2e.provider import SHORT, Provider


def plan(place: Place, provider: Provider) -> Outcome:
    place.environment["OPENAI_API_KEY"] = "x"
    outcome = place.agentinfra("plan", SHORT, "--init", "--yes", "--cache", *provider.options)
    assert outcome.code == 0, outcome.said
    return outcome


def test_the_same_idea_again_costs_nothing(place: Place, tmp_path: Path) -> None:
    again = Place(tmp_path / "again", {"XDG_CACHE_HOME": place.variables()["XDG_CACHE_HOME"]})
    with Provider() as provider:
        first = plan(place, provider)
        asked = len(provider.requests)
        second = plan(again, provider)
        assert len(provider.requests) == asked > 0
    assert "from cache" not in first.said
    assert f"0 tokens · $0.00 · {asked} replies from cache" in second.said
    totals = again.report()["totals"]
    assert totals["cached_replies"] == totals["calls"] == asked
    assert (totals["input_tokens"], totals["output_tokens"], totals["cost_usd"]) == (0, 0, 0.0)
    assert again.show(again.branch(), "sums.py") == place.show(place.branch(), "sums.py")
    figures = ReplyCache(place.root / "cache" / "agentinfra" / "replies").figures()
    assert (figures.replies, figures.hits, figures.misses) == (asked, asked, asked)
