"""Write the hash-locked list of packages that the editor extension installs its server from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "vscode-extension" / "server" / "requirements.txt"
EXTRAS = ("--extra", "local", "--extra", "mcp")
HEAD = "# Packages of agentinfra[local,mcp] with their hashes; written anew by: python scripts/lock_server.py\n"


def locked() -> str:
    """The list, of the newest versions that fit."""
    options = ["--universal", "--generate-hashes", "--no-annotate", "--no-header", "--python-version", "3.11"]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *options, *EXTRAS, "pyproject.toml"]
    return HEAD + subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout


if __name__ == "__main__":
    LOCK.parent.mkdir(exist_ok=True)
    LOCK.write_text(locked(), encoding="utf-8")
