"""How requests that are refused stand in the log: in a line, without what was asked."""

from __future__ import annotations

import logging

from pygls.exceptions import JsonRpcException, JsonRpcInternalError


class InOneLine(logging.Filter):
    """For pygls' own logger, which tells of every refusal with its trace and the whole request, prompts included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a refusal; of a defect the trace stays, without the request."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, JsonRpcException) and not isinstance(error, JsonRpcInternalError):
            record.msg, record.args, record.exc_info = "Refused: %s", (error.message,), None
        elif error is not None:
            record.msg, record.args = "A request failed: %s", (type(error).__name__,)
        return True


_IN_ONE_LINE = InOneLine()


def log_refusals_in_one_line() -> None:
    """Have pygls do so in this process; a second call changes nothing."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_IN_ONE_LINE)
