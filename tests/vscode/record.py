"""Record what VS Code says to the server: ``python -m tests.vscode.record vscode-extension/dist/agentinfra.vsix``.

The editor is the one that ``make test SUITES=vscode`` installs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.server.record import FILES, ROOT, keep, logged, project_in
from tests.vscode.workbench import CodeServer, Workbench, opened

HOME = Path(__file__).parent
SHOWN_MS = 2000
"""So long the editor asks for all that it shows of a file."""


def look_at(workbench: Workbench, name: str, word: str) -> None:
    """Open a file, point at a word, ask for what can be done there, write something and save."""
    page = workbench.page
    workbench.open(name)
    line = page.locator(".view-line").filter(has_text=word).first
    line.locator("span", has_text=word).last.hover()
    page.wait_for_timeout(SHOWN_MS)
    line.click()
    page.keyboard.press("Control+.")
    page.wait_for_timeout(SHOWN_MS)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+End")
    page.keyboard.type("# Mine 😀\n")
    page.keyboard.press("Control+S")
    page.wait_for_timeout(SHOWN_MS)


def work(workbench: Workbench) -> None:
    """What a person does with the files of the folder; the server runs once the panel was shown."""
    workbench.show("AgentInfra")
    workbench.page.wait_for_timeout(SHOWN_MS)
    for name, word in zip(FILES, ("NotImplementedError", "T-1", "FR-1"), strict=True):
        look_at(workbench, name, word)
    page = workbench.page
    workbench.command("Go to Symbol in Editor")
    page.wait_for_timeout(SHOWN_MS)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+T")
    page.keyboard.type("brew")
    page.wait_for_timeout(SHOWN_MS)
    page.keyboard.press("Escape")


def keep_own(log: Path, project: Path) -> None:
    """Leave out the files of the editor itself, such as its settings, which it tells of as of all others."""
    others = f'"uri": "file://{project.parent}/user-data'
    lines = [line for line in log.read_text("utf-8").splitlines(keepends=True) if others not in line]
    log.write_text("".join(lines), "utf-8")
    keep("vscode", log, project)


def main(vsix: Path) -> None:
    """Run the editor with the extension in a folder of its own, and keep what was said."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        project, log = project_in(place), place / "log.jsonl"
        server = CodeServer(
            HOME, place, {"agentinfra.server.command": logged(log)}, {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""}
        )
        server.install(vsix)
        with server.running(), opened(server, project) as workbench:
            work(workbench)
            workbench.command("AgentInfra: Restart the server")  # the server is told to leave
            workbench.until(lambda: '"shutdown"' in log.read_text("utf-8"))
        keep_own(log, project)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
