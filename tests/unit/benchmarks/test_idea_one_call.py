"""The baseline: what is asked of the model, and what is made of its reply."""

import asyncio
from dataclasses import replace

import pytest
from idea_one_call import OneCallSide, files_of_reply, one_call_request

from agentinfra.core.errors import ModelUnavailable, ReplyError
from agentinfra.core.messages import ChatReply, Text, Usage
from agentinfra.models.scripted_model import ScriptedModel

REPLY = """Here you are.

### levels.py
```python
def mix(first, second):
    return 1
```

**docs/use.md**
```markdown
Use it.
```
"""


class Kept(ScriptedModel):
    """Says whether it was closed."""

    closed = 0

    async def aclose(self):
        self.closed += 1


def side_of(*replies, minutes=1.0):
    model = Kept(list(replies))
    return OneCallSide(lambda: model, minutes=minutes), model


async def test_the_files_of_one_reply_are_delivered_with_its_tokens(levels_case, tmp_path):
    side, model = side_of(ChatReply((Text(REPLY),), "x:y", Usage(70, 30)))
    made = await side.deliver(levels_case, 5, tmp_path)
    assert (made.tree / "levels.py").read_text() == "def mix(first, second):\n    return 1\n"
    assert (made.tree / "docs" / "use.md").read_text() == "Use it.\n"
    assert (made.input_tokens, made.output_tokens, made.tries, made.tasks) == (70, 30, 1, 0)
    assert made.note == ""
    assert (len(model.requests), model.closed) == (1, 1)


def test_the_request_quotes_the_idea_and_never_the_tests(levels_case):
    request = one_call_request(levels_case, 5, 8192)
    assert levels_case.idea in request.messages[-1].text
    assert "test_mix" not in request.messages[-1].text
    assert (request.seed, request.temperature, request.max_tokens) == (5, 0.2, 4096)
    assert one_call_request(levels_case, 5, 1_000_000).max_tokens == 16_000


def test_an_idea_with_braces_is_quoted_as_it_is(levels_case):
    request = one_call_request(replace(levels_case, idea="{x} {idea} {"), 1, 8192)
    assert "<request>\n{x} {idea} {</request>" in request.messages[-1].text


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (ReplyError("It broke off"), "It broke off"),
        ("I would rather not.\n```\n```", "no files"),
        (ChatReply((Text(REPLY),), "x:y", stop_reason="length"), "the reply was cut"),
        (
            "### levels.py\n```\na = 1\n```\n### levels.py/deep.py\n```\na = 1\n```",
            "levels.py/deep.py cannot be written",
        ),
    ],
)
async def test_what_went_wrong_is_noted(levels_case, tmp_path, reply, note):
    side, model = side_of(reply)
    made = await side.deliver(levels_case, 1, tmp_path)
    assert note in made.note and made.tree.is_dir()
    assert model.closed == 1


async def test_a_call_beyond_the_limit_delivers_nothing(levels_case, tmp_path):
    class Slow(Kept):
        async def complete(self, request):
            await asyncio.sleep(60)
            return await super().complete(request)

    model = Slow([REPLY])
    made = await OneCallSide(lambda: model, minutes=0.002).deliver(levels_case, 1, tmp_path)
    assert made.note == "no reply within the limit" and not list(made.tree.iterdir())
    assert model.closed == 1


async def test_a_model_that_cannot_be_reached_is_no_result(levels_case, tmp_path):
    side, model = side_of(ModelUnavailable("No server"))
    with pytest.raises(ModelUnavailable):
        await side.deliver(levels_case, 1, tmp_path)
    assert model.closed == 1


@pytest.mark.parametrize(
    ("reply", "files"),
    [
        ("```python\na = 1\n```", {"levels.py": "a = 1\n"}),
        ("```python\na = 1\n```\n```python\nb = 1\n```", {"levels.py": "a = 1\n", "room/light.py": "b = 1\n"}),
        (
            "### room/light.py\n```python\nb = 1\n```\n```python\na = 1\n```",
            {"room/light.py": "b = 1\n", "levels.py": "a = 1\n"},
        ),
        ("```bash\npython levels.py\n```", {}),
        ("### ../out.py\n```python\na = 1\n```\n### /tmp/out.py\n```python\na = 1\n```", {}),
    ],
)
def test_blocks_find_their_files(reply, files):
    assert files_of_reply(reply, "Write `levels.py` and `room/light.py`.") == files


def test_the_settings_tell_one_limit_from_another():
    assert side_of(minutes=1.0)[0].settings != side_of(minutes=2.0)[0].settings
