"""Starts the server over standard input and output: ``agentinfra-server`` or ``python -P -m agentinfra_server``.

Without ``-P`` Python puts the opened folder first on its path and runs whatever ``asyncio.py`` lies there.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import BinaryIO

from agentinfra import __version__


def main() -> int:
    """Serve one editor until it leaves; the exit code is 0 when it said goodbye before."""
    parser = argparse.ArgumentParser(prog="agentinfra-server", description="AgentInfra's language server, over stdio.")
    parser.add_argument("--version", action="version", version=f"agentinfra-server {__version__}")
    parser.parse_args()
    # Only now: --version answers without the protocol's machinery.
    from agentinfra_server.server import create_server  # noqa: PLC0415

    server = create_server()
    server.start_io(sys.stdin.buffer, claim_stdout())
    return 0 if server.may_exit else 1


def claim_stdout() -> BinaryIO:
    """Take standard output for the protocol alone; what anything else prints goes to standard error."""
    sys.stdout.flush()
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return protocol


if __name__ == "__main__":
    sys.exit(main())
