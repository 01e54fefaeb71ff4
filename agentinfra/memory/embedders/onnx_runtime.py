"""The one way to ONNX Runtime: without its telemetry."""

from __future__ import annotations

import importlib
import os
from typing import Any

from agentinfra.core.errors import ModelUnavailable


def load_runtime(module: str = "onnxruntime") -> Any:
    """Import ONNX Runtime, or a part of it, such that it neither reports what it runs nor marks this machine.

    Args:
        module: The module to import.

    Raises:
        ModelUnavailable: It is not installed.
    """
    # Read once, when the library is loaded; it would write an identifier and a database into the user's cache then.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    runtime = import_or_explain("onnxruntime")
    # For the case that somebody has loaded it before.
    runtime.disable_telemetry_events()
    return import_or_explain(module)


def import_or_explain(module: str) -> Any:
    """Import a module of the extra ``embeddings``; they are heavy, and have no types.

    Raises:
        ModelUnavailable: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModelUnavailable(
            "The MiniLM embedder cannot be used",
            why=f"{error}",
            next_step='Install what it needs with: pip install "agentinfra[embeddings]"',
        ) from error
