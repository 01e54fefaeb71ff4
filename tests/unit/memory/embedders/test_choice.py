"""Which embedders a setting means, with and without a model's file."""

import subprocess
import sys

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.choice import has_minilm, tiers_called
from agentinfra.memory.embedders.minilm_file import minilm_file


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def pull():
    minilm_file().parent.mkdir(parents=True)
    minilm_file().write_bytes(b"")


def names(setting):
    return tuple(one and one.name for one in tiers_called(setting))


def test_without_minilm_only_who_asks_for_it_by_name_gets_it():
    assert not has_minilm()
    assert names("words") == (None, None)
    assert names("static") == names("auto") == ("static-256-v1", None)
    assert names("minilm") == ("static-256-v1", "minilm-l6-int8")


def test_once_it_is_there_the_best_means_it():
    pull()
    assert has_minilm()
    assert names("auto") == ("static-256-v1", "minilm-l6-int8")
    assert names("static") == ("static-256-v1", None)


async def test_minilm_that_is_not_there_says_what_to_do():
    with pytest.raises(ModelUnavailable, match="agentinfra models pull minilm"):
        await tiers_called("minilm").better.embed(["tea"])


WITHOUT = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "onnxruntime" else found(name, *rest)
from agentinfra.memory.embedders.choice import has_minilm
print(has_minilm())
"""


def test_a_file_that_nothing_can_run_is_not_minilm():
    pull()
    answer = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True)
    assert answer.stdout == "False\n"
