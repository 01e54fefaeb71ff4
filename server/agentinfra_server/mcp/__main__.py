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


def main() -> int:
    """Serve the client that started this process, until it closes standard input."""
    folder = Path(sys.argv[1])
    options: dict[str, Any] = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    server(Host(folder, options), Search(folder)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
