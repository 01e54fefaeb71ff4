import asyncio
import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from agentinfra.core.errors import ConfigError, ModelUnavailable
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.local_model import LocalModel
from agentinfra.models.local_process import LocalProcess

ENGINE = Path(__file__).with_name("tiny_engine.py")


def ask(text="Hello"):
    return ChatRequest((user(text),))


@pytest.fixture
def gguf(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF")
    return path


def make_model(gguf):
    command = (sys.executable, str(ENGINE), str(gguf.parent / "died"))
    return LocalModel(f"local:{gguf}", process=lambda path: LocalProcess(path, command=command))


def pid_of(reply):
    return int(reply.text.split()[0])


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_answers_free_of_charge_as_a_small_model(gguf):
    model = make_model(gguf)
    reply = await model.complete(ask())
    assert (reply.model, reply.usage.cost_usd) == (f"local:{gguf}", 0.0)
    assert (model.profile.prompts, model.profile.context_tokens, model.profile.tools) == ("compact", 8192, False)
    # Ctrl-C in the terminal reaches the run alone, which ends its children in order.
    assert os.getpgid(pid_of(reply)) != os.getpgid(0)
    await model.aclose()
    assert not is_alive(pid_of(reply))


async def test_models_of_one_file_share_a_child_that_ends_with_the_last(gguf):
    one, two = make_model(gguf), make_model(gguf)
    replies = await asyncio.gather(one.complete(ask()), two.complete(ask()))
    assert pid_of(replies[0]) == pid_of(replies[1])
    await one.aclose()
    assert pid_of(await two.complete(ask())) == pid_of(replies[0])
    await two.aclose()
    await two.aclose()
    assert not is_alive(pid_of(replies[0]))


async def test_callers_queue(gguf):
    model = make_model(gguf)
    replies = await asyncio.gather(*(model.complete(ask("wait")) for _ in range(3)))
    await model.aclose()
    ends = sorted(float(reply.text.split()[1]) for reply in replies)
    assert all(after - before > 0.15 for before, after in pairwise(ends))


async def test_a_child_that_dies_is_started_again_once(gguf):
    model = make_model(gguf)
    first = await model.complete(ask())
    second = await model.complete(ask("die once"))
    await model.aclose()
    assert pid_of(first) != pid_of(second)


async def test_it_can_be_used_again_after_closing(gguf):
    model = make_model(gguf)
    pids = set()
    for _ in range(2):
        pids.add(pid_of(await model.complete(ask())))
        await model.aclose()
    assert len(pids) == 2


async def test_the_catalogues_file_is_fetched_at_the_first_request(gguf):
    fetched = []

    async def fetch(name):
        fetched.append(name)
        return gguf

    command = (sys.executable, str(ENGINE), str(gguf.parent / "died"))
    model = LocalModel(
        "local:qwen2.5-coder-0.5b", fetch=fetch, process=lambda path: LocalProcess(path, command=command)
    )
    assert fetched == []
    await model.complete(ask())
    await model.complete(ask())
    await model.aclose()
    assert fetched == ["qwen2.5-coder-0.5b"]


async def test_a_file_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(ModelUnavailable, match="has no file"):
        await LocalModel(f"local:{tmp_path}/none.gguf").complete(ask())


def test_a_name_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(ConfigError, match=r"qwen2\.5-coder-1\.5b"):
        LocalModel("local:gpt-9")
