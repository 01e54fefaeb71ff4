"""Serves one client by the Model Context Protocol over standard input and output; ``agentinfra mcp`` starts it.

``python -P -m agentinfra_server.mcp FOLDER [OPTIONS]``, OPTIONS as JSON: fields of
:class:`~agentinfra.workflow.run_options.RunOptions` for every run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from agentinfra_server.mcp.host import Host
from agentinfra_server.mcp.searching import Search
from agentinfra_server.mcp.tools import server


def serve_folder(folder: Path, options: dict[str, Any]) -> int:
    """Serve the client that started this process, until it closes standard input; the exit code.

    Args:
        folder: The workspace folder.
        options: What holds for every run.
    """
    server(Host(folder, options), Search(folder)).run()
    return 0


def main() -> int:
    """Serve what the arguments say; the exit code."""
    return serve_folder(Path(sys.argv[1]), json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})


if __name__ == "__main__":
    sys.exit(main())
