"""The package of the extension, as a shop of extensions takes it, and the bounds of the source that it is made of."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import zipfile
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.build_extension import WHEEL

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"
SOURCES = [*(EXTENSION / "src").rglob("*.ts")]
WRITTEN = [path for path in SOURCES if path.name != "protocol.ts"]
NODE = WHEEL / "bin" / "node"
HELD = {
    "package.json",
    "package.nls.json",
    "package.nls.de.json",
    "package.nls.zh-cn.json",
    "readme.md",
    "changelog.md",
    "LICENSE.txt",
    "dist/extension.js",
    "dist/demo.jsonl",
    "dist/demo_idea.md",
    "dist/server/requirements.txt",
    "dist/webview/details.js",
    "dist/webview/details.css",
    "dist/webview/codicon.css",
    "dist/webview/codicon.ttf",
    "media/icon.png",
    "media/activity.svg",
    "media/screenshot-dark.png",
    "l10n/bundle.l10n.json",
    "l10n/bundle.l10n.de.json",
    "l10n/bundle.l10n.zh-cn.json",
}
FOLDERS = ("dist/server/", "dist/webview/", "media/", "l10n/")


@pytest.fixture
def package(vsix: Path) -> Generator[zipfile.ZipFile]:
    with zipfile.ZipFile(vsix) as opened:
        yield opened


def test_it_holds_what_it_needs_and_no_more(package: zipfile.ZipFile):
    names = {name.removeprefix("extension/") for name in package.namelist() if name.startswith("extension/")}
    assert names >= HELD
    assert len([name for name in names if name.endswith(".whl")]) == 1
    assert {name for name in names - HELD if not name.startswith(FOLDERS)} == set()


def test_it_is_small(package: zipfile.ZipFile):
    sizes = {one.filename.removeprefix("extension/"): one for one in package.infolist()}
    assert sizes["dist/extension.js"].file_size <= 550_000
    page = sum(one.file_size for name, one in sizes.items() if name.endswith(("details.js", "details.css")))
    assert page <= 150_000
    assert sum(one.compress_size for name, one in sizes.items() if not name.endswith(".whl")) <= 2_000_000
    assert all(one.file_size <= 150_000 for name, one in sizes.items() if name.startswith("media/"))


def test_it_names_no_place_of_the_machine_that_built_it(package: zipfile.ZipFile):
    assert not [name for name in package.namelist() if name.endswith(".map")]
    for name in package.namelist():
        if name.endswith((".js", ".json", ".css", ".md", ".txt", ".vsixmanifest")):
            text = package.read(name).decode()
            assert str(ROOT) not in text, name
            assert str(Path.home()) + "/" not in text, name
            assert "sourceMappingURL=data:" not in text, name


def test_its_icon_and_pictures_are_there(package: zipfile.ZipFile):
    manifest = json.loads(package.read("extension/package.json"))
    icon = package.read("extension/" + manifest["icon"])
    assert int.from_bytes(icon[16:20], "big") >= 128  # the width, in a PNG's header
    readme = package.read("extension/readme.md").decode()
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme)
    assert pictures
    assert {f"extension/{path}" for path in pictures} <= set(package.namelist())


def test_the_readme_and_the_changelog_are_up_to_date(package: zipfile.ZipFile):
    manifest = json.loads(package.read("extension/package.json"))
    assert f"## [{manifest['version']}]" in package.read("extension/changelog.md").decode()
    readme = package.read("extension/readme.md").decode()
    settings = set(re.findall(r"^\| `(agentinfra\.[\w.]+)`", readme, re.MULTILINE))
    assert settings == set(manifest["contributes"]["configuration"]["properties"])
    texts = json.loads(package.read("extension/package.nls.json"))
    titles = {texts[one["title"].strip("%")] for one in manifest["contributes"]["commands"]}
    assert set(re.findall(r"\*\*AgentInfra: ([^*]+)\*\*", readme)) <= titles


def test_the_source_is_short():
    lines = {path: path.read_text("utf-8").splitlines() for path in WRITTEN}
    assert sum(map(len, lines.values())) <= 2500
    lengths = [(length, f"{path.name}: {head}") for path in WRITTEN for head, length in functions(lines[path])]
    assert len(lengths) > 200
    assert max(lengths) <= (50, "~"), max(lengths)


def test_the_source_is_typed():
    texts = {path.name: LITERAL.sub("", path.read_text("utf-8")) for path in SOURCES}
    assert [name for name, text in texts.items() if re.search(r"(?<!\.)\bany\b", text)] == []
    assert [path.name for path in SOURCES if "@ts-" in path.read_text("utf-8")] == []
    assert json.loads((EXTENSION / "tsconfig.json").read_text("utf-8"))["compilerOptions"]["strict"] is True


def test_the_measure_of_functions_finds_a_long_one():
    lines = ["class A {", "  private b(): void {", *["    c();"] * 60, "  }", "}"]
    assert functions(lines) == [("private b(): void {", 62)]


LITERAL = re.compile(r"//[^\n]*|/\*.*?\*/|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
BEGIN = re.compile(
    r"^( *)(?!\}|if\b|for\b|while\b|switch\b|else\b|try\b|do\b|class\b|return \{)(\S.*(?:\)|=>)(?:: .+)? \{)$"
)


def functions(lines: list[str]) -> list[tuple[str, int]]:
    """Each function with a block of its own, by its first line, and its length in lines, both ends included."""
    found = []
    for at, line in enumerate(lines):
        if begun := BEGIN.match(line):
            end = next(to for to in range(at + 1, len(lines)) if lines[to].startswith(begun[1] + "}"))
            found.append((begun[2], end - at + 1))
    return found


class Shop(BaseHTTPRequestHandler):
    """As much of an Open VSX registry as publishing asks."""

    taken: list[int]

    def do_GET(self) -> None:
        self._tell({"version": "1.3.0", "maxExtensionSize": 512 * 2**20, "maxSize": 512 * 2**20})

    def do_POST(self) -> None:
        size = 0
        while chunk := int(self.rfile.readline(), 16):  # it comes in pieces, without a length
            size += len(self.rfile.read(chunk))
            self.rfile.readline()
        self.rfile.readline()
        self.taken.append(size)
        self._tell({"namespace": "agentinfra", "name": "agentinfra", "version": "0", "targetPlatform": "universal"})

    def _tell(self, answer: dict[str, object]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_ovsx_publishes_it(vsix: Path):
    shop = type("OneShop", (Shop,), {"taken": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [NODE, ROOT / "node_modules" / "ovsx" / "bin" / "ovsx", "publish", vsix, "--pat", "a-token"]
        command += ["--registryUrl", f"http://127.0.0.1:{server.server_port}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        server.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
    assert shop.taken == [vsix.stat().st_size]
