"""CodeActionAgent: one question of an editor about one place of one file, answered by a change or a text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.code_action_patch import changed_files
from agentinfra.agents.code_actions import INTENTS, ActionAnswer, ActionRequest
from agentinfra.agents.prompt_files import load
from agentinfra.core.errors import ConfigError, InputError, PatchError, ReplyError
from agentinfra.core.interfaces import ChatModel, ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.core.token_estimate import text_tokens
from agentinfra.patching.module import Module

MAX_TOKENS = {"compact": 1200, "full": 6000}
SHARE = 0.4
"""The share of a model's context that a file may fill; of a longer one the lines around the place are shown."""
_TOLD = ("explain", "review")
_BLOCK_FORM = """\
Reply with one Python code block that holds the new or changed definitions, complete, with the imports that they need, \
and nothing else."""
_PATCH_FORM = """\
Reply with one or more blocks of this form and nothing else; the old lines exactly as they stand, enough of them to be \
found; no old lines for a new file:

{path}
<<<<<<< SEARCH
old lines
=======
new lines
>>>>>>> REPLACE"""


class CodeActionAgent(BaseAgent):
    """Fixes, implements, writes tests, explains or reviews; an object for each request.

    :meth:`arun` takes an :class:`~agentinfra.agents.code_actions.ActionRequest` and returns an
    :class:`~agentinfra.agents.code_actions.ActionAnswer`; a reply that cannot be used is sent back once.
    """

    max_steps = 2

    def __init__(
        self,
        name: str = "AgentInfra",
        model: ChatModel | None = None,
        tools: Sequence[Any] | None = None,
        **seats: Any,
    ) -> None:
        super().__init__(name, model, tools, **seats)
        self._complaint: PatchError | None = None
        self._steps = 0

    async def aperceive(self, input_data: ActionRequest) -> ActionRequest:
        """Take the request.

        Raises:
            InputError: There is no such action, or no place for the tests.
        """
        if input_data.what not in INTENTS:
            raise InputError(f"There is no action {input_data.what!r}", next_step=f"Use one of {', '.join(INTENTS)}")
        if input_data.what == "tests" and not input_data.test_path:
            raise InputError("Nobody said where the tests belong", next_step="Name a test file")
        return input_data

    async def adecide(self) -> ChatReply:
        """Ask the model.

        Raises:
            ConfigError: There is none.
            ModelError: It failed.
        """
        if self.model is None:
            raise ConfigError(f"Agent {self.name} has no model", next_step="Give it one")
        return await self.model.complete(self._request(self.perceived, self.model.profile))

    async def aact(self) -> ActionAnswer | None:
        """Read the reply; None to ask once more.

        Raises:
            PatchError: The second reply cannot be used either.
            ReplyError: There is nothing in it to read.
        """
        request: ActionRequest = self.perceived
        text: str = self.decision.text
        if request.what in _TOLD:
            if not text.strip():
                raise ReplyError(f"{self.decision.model} answered nothing", next_step="Try again, or another model")
            return ActionAnswer(text=text.strip() + "\n")
        self._steps += 1
        try:
            return ActionAnswer(files=changed_files(text, _own_texts(request), self._wanted(request)))
        except PatchError as error:
            if self._steps == self.max_steps:
                raise
            self._complaint = error
            return None

    def _request(self, asked: ActionRequest, profile: ModelProfile) -> ChatRequest:
        size = profile.prompts
        room = int(profile.context_tokens * SHARE)
        # A small model works on whatever it sees.
        alone = definition(asked) if size == "compact" and asked.what not in _TOLD else ""
        shown = alone or excerpt(asked, room, numbered=asked.what == "review")
        place = f"in `{asked.symbol}`" if alone else describe_place(asked)
        values = {"file": asked.path, "code": shown, "place": place}
        if asked.what not in _TOLD:
            values |= {"complaint": self._said(), "form": _form(asked, size)}
        if asked.what == "fix":
            values["problems"] = "\n".join(f"- {one}" for one in asked.problems)
        if asked.what == "tests":
            values |= {"test_file": asked.test_path, "current": asked.test_text}
        return ChatRequest(
            load(asked.what, size).render(**values),
            purpose=f"{asked.what} {asked.path}",
            temperature=0.7 if self._complaint else 0.0,
            max_tokens=MAX_TOKENS[size],
            seed=self._steps,
        )

    def _wanted(self, asked: ActionRequest) -> tuple[str, ...]:
        """The definitions that a block of code has to bring."""
        is_alone = asked.what == "fix" and self.model is not None and self.model.profile.prompts == "compact"
        return (asked.symbol,) if asked.symbol and (is_alone or asked.what == "implement") else ()

    def _said(self) -> str:
        if self._complaint is None:
            return ""
        return f"An earlier answer could not be used. {self._complaint}\n"


def describe_place(asked: ActionRequest) -> str:
    """Where a request's place is, in words."""
    lines = f"in line {asked.first}" if asked.first == asked.last else f"in lines {asked.first} to {asked.last}"
    return f"{lines}, in `{asked.symbol}`" if asked.symbol else lines


def excerpt(asked: ActionRequest, tokens: int, *, numbered: bool = False) -> str:
    """A request's file, or as many whole lines around its place as fit.

    Args:
        asked: The request.
        tokens: The most to show.
        numbered: Whether each line begins with its number.
    """
    lines = asked.text.splitlines()
    shown = [f"{number:>4}| {line}" for number, line in enumerate(lines, 1)] if numbered else lines
    sizes = [text_tokens(line + "\n") for line in shown]
    first, last = min(asked.first - 1, len(lines)), min(asked.last, len(lines))
    room = tokens - sum(sizes[first:last])
    while room > 0 and (first > 0 or last < len(lines)):
        if last < len(lines):
            room -= sizes[last]
            last += room >= 0
        if first > 0 and room > 0:
            room -= sizes[first - 1]
            first -= room >= 0
    above = [f"… {first} lines above are left out"] if first else []
    below = [f"… {len(lines) - last} lines below are left out"] if last < len(lines) else []
    return "\n".join([*above, *shown[first:last], *below])


def definition(asked: ActionRequest) -> str:
    """The definition of Python that is meant, with what the file imports; "" where that cannot be told."""
    name = asked.symbol.partition(".")[0]
    try:
        module = Module(asked.text.replace("\r\n", "\n"), asked.path)
    except PatchError:
        return ""
    if not asked.path.endswith(".py") or name not in module.statements:
        return ""
    imports = "\n".join(map(ast.unparse, module.imports))
    return f"{imports}\n\n\n{module.text(name)}".strip()


def _own_texts(asked: ActionRequest) -> dict[str, str]:
    """What may change: the tests' file for tests, else the file itself."""
    return {asked.test_path: asked.test_text} if asked.what == "tests" else {asked.path: asked.text}


def _form(asked: ActionRequest, size: str) -> str:
    path = next(iter(_own_texts(asked)))
    # Small models do not repeat old lines exactly.
    return _BLOCK_FORM if size == "compact" and path.endswith(".py") else _PATCH_FORM.replace("{path}", path)
