"""The program that runs inside the sandbox and becomes a command of the project's, in the project's folder."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Become the command that the order names; "python" is the Python that runs this."""
    file = Path(sys.argv[1])
    order = json.loads(file.read_text("utf-8"))
    file.unlink()
    first, *rest = order["argv"]
    os.chdir(order["root"])
    try:
        os.execvp(sys.executable if first == "python" else first, [first, *rest])  # noqa: S606 - no shell is meant
    except OSError as error:
        sys.exit(f"{first}: {error.strerror}")


if __name__ == "__main__":
    main()
