"""What real editors said is said again, and answered in time.

The recordings are made by ``tests/server/record.py`` and ``tests/vscode/record.py``. Helix is not recorded: its
capabilities are copied by hand from its source, and what Neovim asks is asked with them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import Editor, serving
from tests.server.message_log import FROM_CLIENT, FROM_SERVER, read
from tests.server.record import FILES, RECORDINGS

PATIENCE = 20  # that of Helix, which is the least patient
RECORDED = ("neovim", "emacs", "vscode")
CANCELLED = "$/cancelRequest"
METHOD_NOT_FOUND = -32601
# What Helix says of itself in its request, as its client code (helix-lsp/src/client.rs) has it, without completion,
# signatures and formatting: no dynamic registration, no change annotations, no code lenses, diagnostics pulled.
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
        "fileOperations": {"willRename": True, "didRename": True},
    },
    "textDocument": {
        "hover": {"contentFormat": ["markdown"]},
        "rename": {"dynamicRegistration": False, "prepareSupport": True, "honorsChangeAnnotations": False},
        "codeAction": {
            "codeActionLiteralSupport": {
                "codeActionKind": {
                    "valueSet": [
                        "",
                        "quickfix",
                        "refactor",
                        "refactor.extract",
                        "refactor.inline",
                        "refactor.rewrite",
                        "source",
                        "source.organizeImports",
                    ]
                }
            },
            "isPreferredSupport": True,
            "disabledSupport": True,
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit", "command"]},
        },
        "inlayHint": {"dynamicRegistration": False},
        "diagnostic": {"dynamicRegistration": False, "relatedDocumentSupport": True},
        "publishDiagnostics": {"versionSupport": True, "tagSupport": {"valueSet": [1, 2]}},
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
}


@dataclass
class Played:
    """What came of a recording: the methods that were asked, and the answers that are unlike the recorded ones."""

    asked: Counter[str] = field(default_factory=Counter[str])
    unlike: list[tuple[Any, Any]] = field(default_factory=list[tuple[Any, Any]])


def alike(recorded: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether both went well or both failed; methods may have come to the server since."""
    was_unknown = recorded.get("error", {}).get("code") == METHOD_NOT_FOUND
    return was_unknown or ("error" in answer) == ("error" in recorded)


async def play(editor: Editor, lines: list[dict[str, Any]]) -> Played:
    """Say what the client said, each time after the answers that it had had by then."""
    played = Played()
    waiting: dict[Any, asyncio.Task[dict[str, Any]]] = {}
    given_up = {line["message"]["params"]["id"] for line in lines if line["message"].get("method") == CANCELLED}
    for line in lines:
        message = line["message"]
        method, number = message.get("method"), message.get("id")
        if line["from"] != FROM_CLIENT:
            if method is None:
                answer = await asyncio.wait_for(waiting.pop(number), PATIENCE)
                # What is cancelled is answered as well: by an error, or it was done before.
                if number not in given_up and not alike(message, answer):
                    played.unlike.append((number, answer))
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


@pytest.mark.parametrize("name", RECORDED)
async def test_every_request_of_a_recorded_editor_is_answered_in_time(tmp_path, folder, name):
    async with serving(tmp_path) as editor:
        played = await play(editor, read(RECORDINGS / f"{name}.jsonl", folder))
        assert played.unlike == []
        assert played.asked["textDocument/codeAction"] >= 2
        editor.notify("exit")  # Emacs ends its server so fast that its own is not always recorded
        assert await asyncio.wait_for(editor.process.wait(), PATIENCE) == 0


def of_helix(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A conversation made by hand: what was recorded of another, as Helix would have it."""
    made: list[dict[str, Any]] = []
    for line in lines:
        message = line["message"]
        made.append(line)
        if message.get("method") == "initialize":
            message["params"] |= {"capabilities": HELIX, "clientInfo": {"name": "helix", "version": "by hand"}}
        elif message.get("method") == "textDocument/didOpen":
            pulled = f"pull {len(made)}"
            document = {"uri": message["params"]["textDocument"]["uri"]}
            asked = {"id": pulled, "method": "textDocument/diagnostic", "params": {"textDocument": document}}
            made += [{"from": FROM_CLIENT, "message": asked}, {"from": FROM_SERVER, "message": {"id": pulled}}]
    return made


async def test_an_editor_with_the_capabilities_of_helix(tmp_path, folder):
    lines = of_helix(read(RECORDINGS / "neovim.jsonl", folder))
    async with serving(tmp_path) as editor:
        played = await play(editor, lines)
        assert played.unlike == []
        assert played.asked["textDocument/diagnostic"] == len(FILES)
        assert await asyncio.wait_for(editor.process.wait(), PATIENCE) == 0


def test_a_recording_names_no_place_and_has_a_whole_conversation():
    for name in RECORDED:
        text = (RECORDINGS / f"{name}.jsonl").read_text("utf-8")
        assert "/tmp" not in text
        methods = [line["message"].get("method") for line in read(RECORDINGS / f"{name}.jsonl", Path("/x"))]
        assert methods[0] == "initialize" and "shutdown" in methods
