"""A real GGUF file as an embedder: fetched if need be, started, asked, ended."""

import numpy as np
import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.models.catalog import CATALOG
from agentinfra.models.download import ensure_model
from agentinfra.models.local_embedder import LocalEmbedder

pytestmark = pytest.mark.live

NAME = "qwen2.5-coder-0.5b"


async def test_a_chat_models_tokens_pooled_are_vectors():
    embedder = LocalEmbedder(str(await ensure_model(CATALOG[NAME])), dimensions=896, pooling="mean")
    try:
        file, lines, matrix, empty = await embedder.embed(
            ["open a file", "read the lines of a file", "the eigenvalues of a matrix", ""]
        )
    finally:
        await embedder.aclose()
    assert np.linalg.norm(empty) == pytest.approx(1, abs=1e-4)
    assert file @ lines > file @ matrix


async def test_another_length_is_told():
    embedder = LocalEmbedder(str(await ensure_model(CATALOG[NAME])), dimensions=768, pooling="mean")
    try:
        with pytest.raises(ReplyError, match="dimensions=896"):
            await embedder.embed(["x"])
    finally:
        await embedder.aclose()
