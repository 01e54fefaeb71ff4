from pathlib import Path

import pytest

from agentinfra.models.catalog import CATALOG, MINILM, PackageSource, installed_models, models_folder


@pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry):
    assert len(bytes.fromhex(entry.sha256)) == 32
    assert entry.licence == "Apache-2.0"
    assert entry.file.endswith(".gguf")
    for source in entry.sources:
        if isinstance(source, PackageSource):
            assert (source.parts - 1) * source.part_bytes < entry.size <= source.parts * source.part_bytes
        else:
            assert source.url.startswith("https://")
            assert source.url.endswith(entry.file)


def test_minilm_is_one_whole_wheel_of_a_pinned_version_and_no_language_model():
    (source,) = MINILM.sources
    assert (source.member, source.parts, source.part_bytes) == ("", 1, MINILM.size)
    assert "==" in source.requirement
    assert len(bytes.fromhex(MINILM.sha256)) == 32
    assert MINILM.name not in CATALOG


def test_the_folder_is_the_users_cache_or_what_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("AGENTINFRA_MODEL_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_folder() == tmp_path / "agentinfra" / "models"
    monkeypatch.setenv("AGENTINFRA_MODEL_DIR", "/somewhere")
    assert models_folder() == Path("/somewhere")


def test_a_model_is_installed_when_its_file_has_full_size(tmp_path):
    small = CATALOG["qwen2.5-coder-0.5b"]
    assert installed_models(tmp_path) == ()
    with (tmp_path / small.file).open("wb") as file:
        file.truncate(small.size)
    (tmp_path / CATALOG["qwen2.5-coder-1.5b"].file).write_bytes(b"half")
    assert installed_models(tmp_path) == ("qwen2.5-coder-0.5b",)
