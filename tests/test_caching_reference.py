"""The code of docs/reference/models-caching.md runs, and prints what stands there."""

import ast
import re
from pathlib import Path

from agentinfra.core.messages import ChatReply, Text, Usage
from agentinfra.models.scripted_model import ScriptedModel

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "models-caching.md"


async def test_the_references_code_prints_what_the_reference_says(tmp_path, capsys):
    blocks = re.findall(r"```(python|text)\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "text"]
    (_, code), (_, printed) = blocks
    answer = ChatReply((Text("42"),), "test:slow", Usage(12, 2, cost_usd=0.1))
    names = {"slow_model": ScriptedModel([answer], name="test:slow"), "folder": tmp_path}
    await eval(compile(code, str(REFERENCE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    assert capsys.readouterr().out == printed
