import sys
from pathlib import Path

import numpy as np
import pytest

from agentinfra.core.errors import ConfigError, ModelUnavailable, ReplyError
from agentinfra.models.local_embedder import LocalEmbedder
from agentinfra.models.local_process import LocalProcess

ENGINE = Path(__file__).with_name("tiny_vectors.py")


@pytest.fixture
def gguf(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
async def make(gguf):
    """Makes embedders with a child of ours, and ends them; the children's options are noted."""
    made, told = [], []

    def child(path, **options):
        told.append(options)
        return LocalProcess(path, command=(sys.executable, str(ENGINE), str(gguf.parent / "died")), **options)

    def embedder(**options):
        made.append(LocalEmbedder(f"local:{gguf}", process=child, **{"dimensions": 2, **options}))
        return made[-1], told

    yield embedder
    for one in made:
        await one.aclose()
        await one.aclose()


async def test_texts_become_vectors_of_unit_length(make):
    embedder, told = make()
    found = await embedder.embed(["xxx", "x"])
    assert np.allclose(found, [[3 / 10**0.5, 1 / 10**0.5], [0.5**0.5, 0.5**0.5]], atol=1e-6)
    assert told == [{"context_tokens": 2048, "embeddings": "own"}]


async def test_the_name_tells_models_and_ways_of_using_them_apart(make):
    plain, mean, prefixed = make()[0], make(pooling="mean")[0], make(prefixes=("", "ask: "))[0]
    assert (plain.name, mean.name) == ("local:tiny.gguf", "local:tiny.gguf:mean")
    assert prefixed.name.startswith("local:tiny.gguf+")
    assert make(pooling="mean")[1][-1]["embeddings"] == "mean"


async def test_no_text_is_longer_than_what_the_model_reads_at_once(make):
    (cut,) = await make()[0].embed(["x" * 5000])
    assert round(cut[0] / cut[1]) == 2048 - 16


async def test_a_child_that_dies_is_started_again_once(make):
    embedder, _ = make()
    await embedder.embed(["x"])
    assert (await embedder.embed(["die once"])).shape == (1, 2)


async def test_vectors_of_another_length_are_told(make):
    with pytest.raises(ReplyError, match="dimensions=2"):
        await make(dimensions=768)[0].embed(["x"])


async def test_a_missing_file_and_a_wrong_name_are_errors_that_help(tmp_path):
    with pytest.raises(ModelUnavailable, match="is not there"):
        await LocalEmbedder(str(tmp_path / "none.gguf"), dimensions=2).embed(["x"])
    with pytest.raises(ConfigError, match=r"\.gguf"):
        LocalEmbedder("local:qwen2.5-coder-0.5b", dimensions=2)
