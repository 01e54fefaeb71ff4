"""The baseline: the same model, asked once for all files of an idea."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from idea_cases import Case
from idea_sides import Delivery, SideName

from agentinfra.core.errors import ModelError, ModelUnavailable
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, system, user
from agentinfra.patching.reply import CodeBlock, code_blocks

TEMPERATURE = 0.2
MOST_TOKENS = 16_000
SYSTEM_PROMPT = "You are an experienced Python programmer. You write complete, working files."
# The example is of another topic, and real: small models copy placeholders. The instruction comes last: it wins.
PROMPT = '''\
This is what a user asks for:

<request>
{idea}</request>

Write all files of it. Use only the Python standard library and exactly the file names of the request. Answer with \
every file in full, each in a code block of its own under a heading with its path, like in this answer to another \
request, which had two files:

### brightness.py
```python
def mix(first, second):
    """Return the mean of two brightness levels."""
    return (first + second) / 2
```

### show_brightness.py
```python
import sys

from brightness import mix

print(mix(float(sys.argv[1]), float(sys.argv[2])))
```

Handle every rule and every error of the request above. Write no tests and no explanations. Now write its files.
'''
_NAMED_FILE = re.compile(r"`([\w./-]+\.py)\b")


class OneCallSide:
    """The model, asked once for all files.

    Args:
        open_model: Makes the model; it is closed after each case, so that both sides pay for its start.
        minutes: Limit of the call.
    """

    name: SideName = "one-call"

    def __init__(self, open_model: Callable[[], ChatModel], *, minutes: float) -> None:
        self._open_model = open_model
        self._minutes = minutes

    @property
    def settings(self) -> Mapping[str, Any]:
        """Limit, temperature, and which prompt."""
        prompt = hashlib.sha256((SYSTEM_PROMPT + PROMPT).encode()).hexdigest()[:12]
        return {"minutes": self._minutes, "temperature": TEMPERATURE, "most_tokens": MOST_TOKENS, "prompt": prompt}

    async def deliver(self, case: Case, seed: int, folder: Path) -> Delivery:
        """Ask, and write the files of the reply.

        Raises:
            ModelUnavailable: The model cannot be reached at all.
        """
        tree, started = folder / "workspace", time.monotonic()
        tree.mkdir()
        model = self._open_model()
        try:
            async with asyncio.timeout(self._minutes * 60):
                reply = await model.complete(one_call_request(case, seed, model.profile.context_tokens))
        except ModelUnavailable:
            raise
        except (ModelError, TimeoutError) as error:
            return Delivery(tree, time.monotonic() - started, tries=1, note=str(error) or "no reply within the limit")
        finally:
            await model.aclose()
        (folder / "reply.md").write_text(reply.text, "utf-8")
        return _written(Delivery(tree, time.monotonic() - started, tries=1), reply, case)


def one_call_request(case: Case, seed: int, context_tokens: int) -> ChatRequest:
    """The one request; the reply may take half of the model's context."""
    return ChatRequest(
        (system(SYSTEM_PROMPT), user(PROMPT.format(idea=case.idea))),
        purpose="one call",
        temperature=TEMPERATURE,
        max_tokens=min(MOST_TOKENS, context_tokens // 2),
        seed=seed,
    )


def files_of_reply(text: str, idea: str) -> dict[str, str]:
    """The files of a reply by path; a block without a path is the first file that the idea names and that is missing.

    Paths that lead out of the folder are left out.
    """
    files: dict[str, str] = {}
    for block in code_blocks(text):
        path = _path_of(block, [name for name in _NAMED_FILE.findall(idea) if name not in files])
        if path and block.text.strip() and not Path(path).is_absolute() and ".." not in Path(path).parts:
            files[path] = block.text
    return files


def _path_of(block: CodeBlock, missing: list[str]) -> str:
    if block.path_hint or block.language not in ("", "python", "py", "python3"):
        return block.path_hint
    return missing[0] if missing else ""


def _written(delivery: Delivery, reply: ChatReply, case: Case) -> Delivery:
    notes = ["the reply was cut"] if reply.stop_reason == "length" else []
    files = files_of_reply(reply.text, case.idea)
    for name, text in files.items():
        path = delivery.tree / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            notes.append(f"{name} cannot be written: {error.strerror}")
    if not files:
        notes.append("the reply has no files")
    usage = reply.usage
    return replace(delivery, input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, note="; ".join(notes))
