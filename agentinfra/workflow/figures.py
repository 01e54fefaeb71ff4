"""Numbers as people read them, the same in every view: times, tokens, money."""

from __future__ import annotations

from agentinfra.workflow.run_state import Totals


def duration(seconds: float) -> str:
    """Seconds as ``41 s``, ``3:12`` or ``1:02:03``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def tokens(count: int) -> str:
    """A number of tokens as ``950``, ``4.2k`` or ``1.3M``."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k" if count < 999_950 else f"{count / 1_000_000:.1f}M"


def money(usd: float) -> str:
    """US dollars to the cent; what is less than one is said to be so."""
    return "<$0.01" if 0 < usd < 0.005 else f"${usd:.2f}"


def cost(totals: Totals, model: str) -> str:
    """What a run's calls cost.

    Args:
        totals: The run's totals.
        model: ``provider:model``; what runs here costs nothing, and that is said.
    """
    if totals.cost_usd is None:
        return "cost unknown"
    return "local, $0" if model.startswith("local:") and not totals.cost_usd else money(totals.cost_usd)


def caching(totals: Totals) -> str:
    """``62% of input cached, 3 replies from cache``: what the caches saved; "" where they saved nothing.

    The share is that of the providers' prompt caches in the tokens read; replies come from the project's own cache.
    """
    share = round(100 * totals.cached_tokens / max(1, totals.input_tokens))
    saved = [f"{share}% of input cached"] if share else []
    if totals.cached_replies:
        replies = "1 reply" if totals.cached_replies == 1 else f"{totals.cached_replies:,} replies"
        saved.append(f"{replies} from cache")
    return ", ".join(saved)


def count(number: int, noun: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
