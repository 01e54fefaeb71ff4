"""Where the file of the MiniLM embedder lies. Light, for those who only want to know whether it is there."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def minilm_file() -> Path:
    """The file that ``agentinfra models pull minilm`` builds, in the user's cache, whether or not it is there."""
    return Path(platformdirs.user_cache_dir("agentinfra")) / "embedders" / "minilm-l6-int8.onnx"
