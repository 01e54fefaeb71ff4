"""The code of docs/reference/models-budget.md runs, and prints what stands there."""

import ast
import re
from pathlib import Path

from agentinfra.core.messages import ChatReply, Text, Usage
from agentinfra.models.scripted_model import ScriptedModel

GUIDE = Path(__file__).parents[1] / "docs" / "reference" / "models-budget.md"
ANSWER = ChatReply((Text("Seven"),), "openai:gpt-4o", Usage(120, 200, cost_usd=0.0023))


async def test_the_guides_code_prints_what_the_guide_says(capsys):
    blocks = re.findall(r"```(python|text)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "text"] * 4
    names = {"inner": ScriptedModel(lambda _: ANSWER, name="openai:gpt-4o"), "__name__": "guide"}
    for (_, code), (_, printed) in zip(blocks[::2], blocks[1::2], strict=True):
        running = eval(compile(code, str(GUIDE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if running is not None:
            await running
        assert capsys.readouterr().out == printed
