"""Prompts are files: ``prompts/<name>.<size>.md``, versioned, in a compact and a full size with one output contract.

A file is front matter with its version, then one section a message, headed ``# system`` or ``# user``; ``$name`` marks
are filled at rendering. What comes from people or other models is filled in whole and never parsed again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from agentinfra.core.errors import ConfigError
from agentinfra.core.messages import Message, Text

_SECTION = re.compile(r"^# (system|user|assistant)\n", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\nversion: (\d+)\n---\n")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A loaded prompt file.

    Attributes:
        name: ``plan.compact`` and the like.
        version: Raised with every change of meaning.
        sections: Role and template text of each message.
    """

    name: str
    version: int
    sections: tuple[tuple[str, str], ...]

    def render(self, **values: str) -> tuple[Message, ...]:
        """Fill the marks.

        Raises:
            ConfigError: A mark has no value.
        """
        try:
            return tuple(
                Message(role, (Text(Template(text).substitute(values).strip()),))  # pyright: ignore[reportArgumentType]  # the pattern admits roles only
                for role, text in self.sections
            )
        except KeyError as missing:
            raise ConfigError(f"Prompt {self.name} has no value for ${missing.args[0]}") from missing


@cache
def load(name: str, size: str) -> Prompt:
    """Read a prompt file.

    Args:
        name: "plan", "examples", "cases", "code", …
        size: "compact" or "full".

    Raises:
        ConfigError: There is no such file, or it has no version.
    """
    label = f"{name}.{size}"
    resource = files("agentinfra.agents").joinpath("prompts", f"{label}.md")
    if not resource.is_file():
        raise ConfigError(f"There is no prompt file {label}.md", next_step="Reinstall agentinfra")
    text = resource.read_text(encoding="utf-8")
    head = _FRONT_MATTER.match(text)
    if head is None:
        raise ConfigError(f"Prompt file {label}.md does not begin with its version")
    pieces = _SECTION.split(text[head.end() :])
    return Prompt(label, int(head.group(1)), tuple(zip(pieces[1::2], pieces[2::2], strict=True)))
