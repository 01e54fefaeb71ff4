"""Limits of one model call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one request, in seconds; a call that is tried again has them anew.

    Attributes:
        connect: To reach the server.
        first: From the request to the first piece of the answer; long prompts take long to read.
        silence: Between two pieces of the answer.
        whole: For the whole answer.
    """

    connect: float = 5.0
    first: float = 300.0
    silence: float = 120.0
    whole: float = 600.0
