"""The child process that runs a GGUF model: ``python -P -m agentinfra.models.local_server --model PATH``.

The key that clients must send comes as the first line of standard input; the end of standard input means that the
parent is gone, and ends this process too. Standard output carries exactly one JSON line, ``{"url": …}`` or
``{"error": …}``. The engine writes its own log to descriptors 1 and 2, so the real standard output is moved away
before it loads.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the model until standard input ends.

    Returns:
        The exit code: 0 after serving, 1 when the model could not be loaded.
    """
    options = _options(argv)
    report = _claim_stdout()
    key = sys.stdin.readline().strip()
    # The parent may die while the model is being loaded.
    watcher = threading.Thread(target=_end_with_parent, daemon=True)
    watcher.start()
    try:
        server = _serve(options, key)
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        _say(report, {"error": f"{type(error).__name__}: {error}"})
        return 1
    _say(report, {"url": f"{server.listening_address}/v1"})
    watcher.join()
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve a GGUF model on the loopback interface.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--context", type=int, default=8192, help="tokens")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--embeddings", choices=("own", "mean", "cls", "last"), help="give vectors, pooled like this")
    return parser.parse_args(argv)


def _claim_stdout() -> int:
    report = os.dup(1)
    os.dup2(2, 1)
    return report


def _serve(options: argparse.Namespace, key: str) -> Any:
    engine: Any = importlib.import_module("xllamacpp")
    params = engine.CommonParams()
    params.model.path = str(options.model)
    params.n_ctx = options.context
    params.n_parallel = 1
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.api_keys = [key]
    params.ui = False
    if options.embeddings:
        params.embedding = True
        # A text is read in one piece; without this its bound would be the engine's own.
        params.n_batch = params.n_ubatch = options.context
        if options.embeddings != "own":
            params.pooling_type = engine.llama_pooling_type[f"LLAMA_POOLING_TYPE_{options.embeddings.upper()}"]
    return engine.Server(params)


def _say(report: int, message: dict[str, str]) -> None:
    os.write(report, (json.dumps(message) + "\n").encode())
    os.close(report)


def _end_with_parent() -> None:
    sys.stdin.read()
    # The engine's own threads do not listen; there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
