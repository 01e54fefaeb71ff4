"""Which embedders take part: a fast one at once, and a better one as time allows."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from agentinfra.core.config import EmbedderName
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.embedders.minilm_file import minilm_file
from agentinfra.memory.embedders.static import StaticEmbedder


class Tiers(NamedTuple):
    """The embedders of an index.

    Attributes:
        first: Gives chunks their vectors as they are indexed; None for words alone.
        better: Compares the best candidates a second time, and gives chunks their vectors in idle time; None for none.
    """

    first: Embedder | None = None
    better: Embedder | None = None


def tiers_called(name: EmbedderName) -> Tiers:
    """The embedders that a setting means."""
    if name == "words":
        return Tiers()
    return Tiers(StaticEmbedder(), _minilm() if name == "minilm" or (name == "auto" and has_minilm()) else None)


def has_minilm() -> bool:
    """Whether MiniLM can be used: its file was pulled, and what runs it is installed."""
    return minilm_file().is_file() and all(find_spec(module) for module in ("onnxruntime", "tokenizers"))


def _minilm() -> Embedder:
    from agentinfra.memory.embedders.minilm import MiniLMEmbedder  # noqa: PLC0415  (only where it is wanted)

    return MiniLMEmbedder()
