"""The models that an editor is offered."""

from __future__ import annotations

import os

from tests.server.editor import serving

NO_KEYS = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "ANTHROPIC_API_KEY": ""}
EMBEDDED, BYTES = "qwen2.5-coder-1.5b", 1_117_320_768


async def offered(tmp_path, **variables):
    folder = str(tmp_path / "models")
    async with serving(tmp_path, AGENTINFRA_MODEL_DIR=folder, **{**NO_KEYS, **variables}) as editor:
        await editor.initialize(tmp_path)
        return (await editor.result("agentinfra/models/list", {}))["models"]


async def test_the_embedded_model_is_offered_before_it_is_here_with_its_size_and_licence(tmp_path):
    advised = (await offered(tmp_path))[-1]
    assert advised == {
        "id": f"local:{EMBEDDED}",
        "source": "local",
        "licence": "Apache-2.0",
        "sizeBytes": BYTES,
        "isHere": False,
    }


async def test_what_is_here_is_offered_once_and_before_that_what_a_key_is_there_for(tmp_path):
    (tmp_path / "models").mkdir()
    with (tmp_path / "models" / f"{EMBEDDED}-instruct-q4_k_m.gguf").open("wb") as file:
        os.truncate(file.fileno(), BYTES)
    models = await offered(tmp_path, ANTHROPIC_API_KEY="no-real-key")
    assert models[0]["source"] == "api"
    assert models[0]["id"].startswith("anthropic:")
    embedded = [model for model in models if model["id"] == f"local:{EMBEDDED}"]
    assert [model["isHere"] for model in embedded] == [True]
