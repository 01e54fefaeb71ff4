"""The code of docs/how-to/remember-and-search.md runs, and prints what stands there."""

import ast
import asyncio
import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "how-to" / "remember-and-search.md"


def test_the_guides_code_prints_what_the_guide_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(python|text)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "text"] * (len(blocks) // 2)
    names = {"__name__": "guide"}
    for (_, code), (_, printed) in zip(blocks[::2], blocks[1::2], strict=True):
        running = eval(compile(code, str(GUIDE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if running is not None:
            asyncio.run(running)
        assert capsys.readouterr().out == printed
    asyncio.run(names["memory"].aclose())
    assert (tmp_path / "memory.db").exists()
