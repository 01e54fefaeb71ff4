"""Serves one editor by the Agent Client Protocol over standard input and output; ``agentinfra acp`` starts it.

``python -P -m agentinfra_server.acp [OPTIONS]``, OPTIONS as JSON: fields of
:class:`~agentinfra.workflow.run_options.RunOptions` for every run.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from typing import Any

from agentinfra.protocols.json_rpc import LINE_BYTES
from agentinfra_server.acp.agent import Agent

LAST_WORDS_SECONDS = 5.0
REFUSED, TERMINATED = 2, 128 + signal.SIGTERM


class Input(asyncio.StreamReader):
    """Standard input, which tells when it ends.

    Args:
        on_end: Called at the end.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        super().__init__(limit=LINE_BYTES)
        self._on_end = on_end

    def feed_eof(self) -> None:
        """Take the end."""
        super().feed_eof()
        self._on_end()


async def serve(output: int, options: dict[str, Any]) -> None:
    """Serve until the editor closes standard input, or the process is to terminate; then all that it runs is stopped.

    Args:
        output: File descriptor of the standard output that the process was started with.
        options: What holds for every run.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(output, "wb"))

    def leave() -> None:
        # An editor that is done but reads nothing must not keep this process waiting for it.
        loop.call_later(LAST_WORDS_SECONDS, transport.abort)

    def terminate() -> None:
        leave()
        serving.cancel()

    reader = Input(leave)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    serving = asyncio.create_task(Agent(reader, writer, options).serve())
    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        await serving
    finally:
        writer.close()


def main() -> int:
    """Serve the editor that started this process.

    Returns:
        0 when it has left, 143 when the process was to terminate, 2 where there is no editor.
    """
    if not (_is_line(0) and _is_line(1)):
        print("agentinfra acp: standard input and output have to be an editor's pipes, not files", file=sys.stderr)
        return REFUSED
    options: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    output = os.dup(1)
    os.dup2(2, 1)  # what anything prints must not come between the messages
    try:
        asyncio.run(serve(output, options))
    except asyncio.CancelledError:
        return TERMINATED
    return 0


def _is_line(file: int) -> bool:
    """Whether somebody may be at the other end."""
    try:
        mode = os.fstat(file).st_mode
    except OSError:
        return False  # it is closed
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(file)


if __name__ == "__main__":
    sys.exit(main())
