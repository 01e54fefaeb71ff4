"""Starts the server: ``agentinfra-server`` or ``python -P -m agentinfra_server``, over standard input and output.

For debugging, ``--tcp PORT`` and ``--ws PORT`` listen on loopback instead, and print the address and a token.
``--mcp FOLDER`` serves an assistant by the Model Context Protocol instead, for editors that know only this command.

Without ``-P`` Python puts the opened folder first on its path and runs whatever ``asyncio.py`` lies there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO, cast

from agentinfra import __version__

SWITCH_SECONDS = 0.001
"""How long a thread that computes may hold up the one that talks with the editor; Python's own is 0.005."""


def main() -> int:
    """Serve one editor until it leaves; the exit code is 0 when it said goodbye before."""
    parser = argparse.ArgumentParser(prog="agentinfra-server", description="AgentInfra's language server, over stdio.")
    door = parser.add_mutually_exclusive_group()
    door.add_argument("--tcp", type=int, metavar="PORT", help="listen on loopback instead; 0 is any free port")
    door.add_argument("--ws", type=int, metavar="PORT", help="the same over WebSocket")
    door.add_argument("--mcp", metavar="FOLDER", help="serve an assistant of this folder by the Model Context Protocol")
    parser.add_argument("--version", action="version", version=f"agentinfra-server {__version__}")
    given = parser.parse_args()
    if given.tcp is not None or given.ws is not None:
        return listen(given.tcp, given.ws)
    if given.mcp is not None:
        from agentinfra_server.mcp.__main__ import serve_folder  # noqa: PLC0415

        return serve_folder(Path(given.mcp), {"init": True})
    # Only now: --version answers without the protocol's machinery.
    from agentinfra_server.output import PatientOutput  # noqa: PLC0415
    from agentinfra_server.server import create_server  # noqa: PLC0415
    from agentinfra_server.stdio import serve  # noqa: PLC0415

    sys.setswitchinterval(SWITCH_SECONDS)
    server = create_server()
    output = PatientOutput(claim_stdout(), on_lost=end_now)
    serve(server, sys.stdin.buffer, cast("BinaryIO", output))
    return 0 if server.may_exit else 1


def listen(tcp: int | None, ws: int | None) -> int:
    """Serve one editor over a socket; the same exit codes.

    Args:
        tcp: The port for TCP; None for WebSocket.
        ws: The port for WebSocket.
    """
    import asyncio  # noqa: PLC0415  (an editor's server does without these until it needs them)

    from agentinfra_server.listening import Listener  # noqa: PLC0415
    from agentinfra_server.server import create_server  # noqa: PLC0415

    listener = Listener(create_server, sys.stdout)
    try:
        asyncio.run(listener.tcp(tcp) if tcp is not None else listener.websocket(ws or 0))
    except (KeyboardInterrupt, SystemExit):
        pass  # the editor has said "exit", or a person has
    except OSError as error:
        print(f"agentinfra-server: {error}", file=sys.stderr)
        return 2
    return 0 if listener.may_exit else 1


def end_now() -> None:
    """End although the client still holds standard input open; runs end with this process, and can be resumed."""
    print("agentinfra-server: the client reads nothing any more", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)


def claim_stdout() -> BinaryIO:
    """Take standard output for the protocol alone; what anything else prints goes to standard error."""
    sys.stdout.flush()
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return protocol


if __name__ == "__main__":
    sys.exit(main())
