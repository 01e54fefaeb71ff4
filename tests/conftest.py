"""What every suite needs of its process."""

from __future__ import annotations

import signal

# Shells start background jobs with Ctrl-C ignored, and children inherit that: tests that press it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
