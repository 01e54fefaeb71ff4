"""The code of docs/how-to/structured-output.md runs, and prints what stands there."""

import ast
import re
from pathlib import Path

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, Text, TextDelta, Usage
from agentinfra.models.scripted_model import ScriptedModel

GUIDE = Path(__file__).parents[1] / "docs" / "how-to" / "structured-output.md"
PIECES = ('{"name": "Pan', 'cakes", "minutes": 15, ', '"ingredients": ["flour", "mi', 'lk", "egg"]}')


class Writer:
    """Says the recipe in pieces."""

    name = "test:writer"
    profile = ModelProfile()

    async def complete(self, request):
        for piece in PIECES if request.on_delta else ():
            await request.on_delta(TextDelta(piece))
        return ChatReply((Text("".join(PIECES)),), self.name, Usage(20, 30))

    async def aclose(self):
        pass


async def test_the_guides_code_prints_what_the_guide_says(capsys):
    blocks = re.findall(r"```(python|text)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "text"] * 3
    wrong = '{"name": "x", "minutes": "soon", "ingredients": []}'
    names = {"model": Writer(), "stubborn_model": ScriptedModel([wrong, wrong]), "__name__": "guide"}
    for (_, code), (_, printed) in zip(blocks[::2], blocks[1::2], strict=True):
        running = eval(compile(code, str(GUIDE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if running is not None:
            await running
        assert capsys.readouterr().out == printed
