"""The code of docs/how-to/index-another-language.md runs, and prints what stands there."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs" / "how-to" / "index-another-language.md"


def test_the_guides_code_prints_what_the_guide_says(capsys):
    blocks = re.findall(r"```(python|text)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "text"] * 2
    names = {"__name__": "guide"}
    for (_, code), (_, printed) in zip(blocks[::2], blocks[1::2], strict=True):
        exec(compile(code, str(GUIDE), "exec"), names)
        assert capsys.readouterr().out == printed
