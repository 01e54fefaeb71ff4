"""Serves one client by the Model Context Protocol over standard input and output; ``agentinfra mcp`` starts it.

``python -P -m agentinfra_server.mcp FOLDER [OPTIONS]``, OPTIONS as JSON: fields of
:class:`~agentinfra.workflow.run_options.RunOptions` for every run.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

REFUSED = 2


def serve_folder(folder: Path, options: dict[str, Any]) -> int:
    """Serve the client that started this process, until it closes standard input.

    Args:
        folder: The workspace folder.
        options: What holds for every run.

    Returns:
        0 when the client has left, 2 where it cannot be served; why is said on standard error.
    """
    if problem := _problem(folder):
        print(f"agentinfra mcp: {problem}", file=sys.stderr)
        return REFUSED
    # Only now: the protocol's package is an extra.
    from agentinfra_server.mcp.host import Host  # noqa: PLC0415
    from agentinfra_server.mcp.searching import Search  # noqa: PLC0415
    from agentinfra_server.mcp.tools import server  # noqa: PLC0415

    server(Host(folder, options), Search(folder)).run()
    return 0


def _problem(folder: Path) -> str:
    if find_spec("mcp") is None:
        return 'the protocol\'s package is not installed; pip install "agentinfra[mcp]"'
    if not folder.is_dir():
        return f"{folder} is no folder; name one with --workspace"
    return ""


def main() -> int:
    """Serve what the arguments say; the exit code."""
    return serve_folder(Path(sys.argv[1]), json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})


if __name__ == "__main__":
    sys.exit(main())
