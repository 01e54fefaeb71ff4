"""The guide to the VS Code extension names what there is."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "how-to" / "use-in-vscode.md").read_text("utf-8")
MANIFEST = json.loads((ROOT / "vscode-extension" / "package.json").read_text("utf-8"))
TEXTS = json.loads((ROOT / "vscode-extension" / "package.nls.json").read_text("utf-8"))


def test_it_names_every_setting():
    named = set(re.findall(r"^\| `(agentinfra\.[\w.]+)`", GUIDE, re.MULTILINE))
    assert named == set(MANIFEST["contributes"]["configuration"]["properties"])


def test_the_commands_that_it_names_are_in_the_palette():
    titles = {TEXTS[one["title"].strip("%")] for one in MANIFEST["contributes"]["commands"]}
    named = set(re.findall(r"\*AgentInfra: ([^*]+)\*", GUIDE))
    assert len(named) >= 6
    assert named <= titles


def test_the_views_that_it_names_are_there():
    views = {TEXTS[one["name"].strip("%")] for one in MANIFEST["contributes"]["views"]["agentinfra"]}
    assert views <= set(re.findall(r"\*\*([^*]+)\*\*", GUIDE))
