import os
import subprocess
import sys

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.onnx_runtime import import_or_explain

LOAD = "from agentinfra.memory.embedders.onnx_runtime import load_runtime; load_runtime().SessionOptions()"


def test_it_leaves_no_mark_on_the_machine(tmp_path):
    # Without the variables by which the library itself tells test machines from people's.
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", LOAD], env=environment | homes, check=True, timeout=60)
    assert list(tmp_path.rglob("*")) == []


def test_what_is_not_installed_is_an_error_that_says_how_to_get_it():
    with pytest.raises(ModelUnavailable, match=r"agentinfra\[embeddings\]"):
        import_or_explain("onnx_of_another_world")
