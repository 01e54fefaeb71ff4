from __future__ import annotations

from typing import Any

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.messages import ToolSpec
from agentinfra.tools import BaseTool

NOTHING: dict[str, Any] = {"type": "object", "properties": {}}


class Plain(BaseTool):
    def run(self, word: str = "") -> str:
        return word.upper()


class Waiting(BaseTool):
    async def arun(self, word: str = "") -> str:
        return word.upper()


@pytest.mark.parametrize("kind", [Plain, Waiting])
class TestEitherForm:
    def test_overriding_one_serves_scripts(self, kind: type[BaseTool]) -> None:
        assert kind("shout", "Shouts", NOTHING).run(word="a") == "A"
        assert kind("shout", "Shouts", NOTHING).run("a") == "A"

    async def test_overriding_one_serves_coroutines(self, kind: type[BaseTool]) -> None:
        assert await kind("shout", "Shouts", NOTHING).arun(word="a") == "A"


def test_the_spec_is_what_a_model_sees() -> None:
    assert Plain("shout", "Shouts", NOTHING).spec == ToolSpec("shout", "Shouts", NOTHING)


async def test_inside_a_loop_the_asynchronous_form_is_named() -> None:
    with pytest.raises(InputError, match=r"await shout\.arun"):
        Waiting("shout", "Shouts", NOTHING).run(word="a")


def test_a_tool_that_does_nothing_says_so() -> None:
    with pytest.raises(InputError, match="idle does nothing yet"):
        BaseTool("idle", "Idles", NOTHING).run()
