"""What real editors said is said again, and answered in time: the recordings are made by ``tests/server/record.py``."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import Editor, serving
from tests.server.message_log import FROM_CLIENT, read
from tests.server.record import FILES, RECORDINGS

PATIENCE = 20  # that of Helix, which is the least patient
# What Helix says of itself in its request, as its client code has it: no dynamic registration, few kinds of edits.
HELIX: Mapping[str, Any] = {
    "workspace": {
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": False},
        "workspaceFolders": True,
        "applyEdit": True,
        "symbol": {"dynamicRegistration": False},
        "executeCommand": {"dynamicRegistration": False},
        "inlayHint": {"refreshSupport": False},
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename", "delete"],
            "failureHandling": "abort",
            "normalizesLineEndings": False,
        },
        "didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": False},
    },
    "textDocument": {
        "hover": {"contentFormat": ["markdown"]},
        "rename": {"prepareSupport": True},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor", "source"]}},
            "isPreferredSupport": True,
            "disabledSupport": True,
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit", "command"]},
        },
        "publishDiagnostics": {"versionSupport": True, "tagSupport": {"valueSet": [1, 2]}},
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
}


@dataclass
class Played:
    """What came of a recording: the methods that were asked, and the answers that are unlike the recorded ones."""

    asked: Counter[str] = field(default_factory=Counter[str])
    unlike: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])


async def play(editor: Editor, lines: list[dict[str, Any]]) -> Played:
    """Say what the client said, each time after the answers that it had had by then."""
    played = Played()
    waiting: dict[Any, asyncio.Task[dict[str, Any]]] = {}
    for line in lines:
        message = line["message"]
        method, number = message.get("method"), message.get("id")
        if line["from"] != FROM_CLIENT:
            if method is None:
                answer = await asyncio.wait_for(waiting.pop(number), PATIENCE)
                if ("error" in answer) != ("error" in message):
                    played.unlike.append((method or "", answer))
        elif number is None:
            editor.notify(method, message.get("params"))
        elif method is not None:
            played.asked[method] += 1
            waiting[number] = asyncio.create_task(editor.request(method, message.get("params"), number))
            await asyncio.sleep(0)  # it is sent before what follows
    assert waiting == {}
    return played


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    for path, text in FILES.items():
        (made / path).write_text(text, "utf-8")
    return made


@pytest.mark.parametrize("name", ["neovim", "emacs"])
async def test_every_request_of_a_recorded_editor_is_answered_in_time(tmp_path, folder, name):
    async with serving(tmp_path) as editor:
        played = await play(editor, read(RECORDINGS / f"{name}.jsonl", folder))
        assert played.unlike == []
        assert played.asked["textDocument/codeAction"] >= 2
        editor.notify("exit")  # Emacs ends its server so fast that its own is not always recorded
        assert await asyncio.wait_for(editor.process.wait(), PATIENCE) == 0


async def test_an_editor_with_the_capabilities_of_helix(tmp_path, folder):
    lines = read(RECORDINGS / "neovim.jsonl", folder)
    (first,) = [line["message"] for line in lines if line["message"].get("method") == "initialize"]
    first["params"]["capabilities"] = HELIX
    async with serving(tmp_path) as editor:
        played = await play(editor, lines)
        assert played.unlike == []
        assert await asyncio.wait_for(editor.process.wait(), PATIENCE) == 0


def test_a_recording_names_no_place_and_has_a_whole_conversation():
    for name in ("neovim", "emacs"):
        text = (RECORDINGS / f"{name}.jsonl").read_text("utf-8")
        assert "/tmp" not in text
        methods = [line["message"].get("method") for line in read(RECORDINGS / f"{name}.jsonl", Path("/x"))]
        assert methods[0] == "initialize" and "shutdown" in methods
