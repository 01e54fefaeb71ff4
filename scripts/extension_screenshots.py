"""Copy the pictures that the readme of the editor extension shows from where its tests have left them.

``make test SUITES=vscode`` takes them (``vscode-extension/dist/screenshots``); look at them, then run this.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

EXTENSION = Path(__file__).resolve().parent.parent / "vscode-extension"
SHOWN = {"vscode-dark.png": "screenshot-dark.png"}
MOST_BYTES = 150_000


def main() -> int:
    """Copy them; 1 where one is missing or too big for the package."""
    for taken, shown in SHOWN.items():
        picture = EXTENSION / "dist" / "screenshots" / taken
        if not picture.is_file() or picture.stat().st_size > MOST_BYTES:
            print(f"{picture} is missing, or larger than {MOST_BYTES:,} bytes", file=sys.stderr)
            return 1
        shutil.copyfile(picture, EXTENSION / "media" / shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
