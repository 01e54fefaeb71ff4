"""The code of docs/reference/embedders.md runs, and prints what stands there."""

import ast
import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "embedders.md"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)


def test_each_piece_of_code_has_its_output():
    assert len(EXAMPLES) == REFERENCE.read_text(encoding="utf-8").count("```python") == 3


@pytest.mark.parametrize(("code", "printed"), EXAMPLES)
async def test_the_references_code_prints_what_the_reference_says(code, printed, capsys):
    running = eval(compile(code, str(REFERENCE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})
    if running is not None:
        await running
    assert capsys.readouterr().out == printed
