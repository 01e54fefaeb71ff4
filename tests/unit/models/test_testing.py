"""The fixtures for tests of users' own agents, in pytest runs of their own."""

import os
import subprocess
import sys

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.models.real_requests import VARIABLE, forbid_real_requests, require_real_requests

CONFTEST = 'pytest_plugins = ["agentinfra.models.testing"]\n'
SETTINGS = "[pytest]\nasyncio_mode = auto\n"
RECORDED = """
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models import FunctionModel

asked = []


def answer(request):
    asked.append(request)
    return request.messages[-1].text.upper()


async def test_shouts(recorded_model):
    model = recorded_model(FunctionModel(answer, name="my:model"))
    reply = await model.complete(ChatRequest((user("{word}"),)))
    assert (reply.text, model.name) == ("{word}".upper(), "my:model")
    assert len(asked) == {asked}
"""


def run(folder, *options, **env):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **env}
    )
    return done.returncode, done.stdout + done.stderr


def write(folder, test, **values):
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_shout.py").write_text(test.format(**values))


def test_a_recorded_model_answers_from_its_file_without_the_model(tmp_path):
    write(tmp_path, RECORDED, word="loud", asked=1)
    code, said = run(tmp_path, "--record-models")
    assert code == 0, said
    assert (tmp_path / "recordings" / "test_shout" / "test_shouts.jsonl").is_file()
    write(tmp_path, RECORDED, word="loud", asked=0)
    code, said = run(tmp_path)
    assert code == 0, said


def test_another_question_than_the_recorded_one_fails_and_a_new_recording_replaces_the_old(tmp_path):
    write(tmp_path, RECORDED, word="loud", asked=1)
    assert run(tmp_path, "--record-models")[0] == 0
    write(tmp_path, RECORDED, word="louder", asked=0)
    code, said = run(tmp_path)
    assert code == 1
    assert "RecordingMismatch" in said
    write(tmp_path, RECORDED, word="louder", asked=1)
    assert run(tmp_path, "--record-models")[0] == 0
    text = (tmp_path / "recordings" / "test_shout" / "test_shouts.jsonl").read_text()
    assert "LOUDER" in text
    assert 'LOUD"' not in text


def test_a_missing_recording_says_how_to_make_it(tmp_path):
    write(tmp_path, RECORDED, word="loud", asked=0)
    code, said = run(tmp_path)
    assert code == 1
    assert "Run the test once with pytest --record-models" in said


FORBIDDEN = """
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models import FunctionModel, OpenAIChatModel

ASK = ChatRequest((user("Hi"),))


{fixture}
async def test_no_request_leaves():
    assert (await FunctionModel(lambda request: "yes").complete(ASK)).text == "yes"
    model = OpenAIChatModel("test:m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelUnavailable, match="forbidden"):
        await model.complete(ASK)
"""


@pytest.mark.parametrize(
    ("fixture", "env"), [('@pytest.mark.usefixtures("no_real_requests")', {}), ("", {VARIABLE: "forbid"})]
)
def test_where_real_requests_are_forbidden_none_leaves(tmp_path, fixture, env):
    write(tmp_path, FORBIDDEN, fixture=fixture)
    code, said = run(tmp_path, **env)
    assert code == 0, said


def test_the_switch_nests_and_ends():
    with forbid_real_requests():
        with forbid_real_requests():
            pass
        with pytest.raises(ModelUnavailable, match="A test's fixture"):
            require_real_requests()
    require_real_requests()
