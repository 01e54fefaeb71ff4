from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["agentinfra.tools", "agentinfra.environment"])
def test_names_are_there_and_loading_them_is_light(package: str) -> None:
    program = f"""
import sys, {package} as package
loaded = [name for name in sys.modules if name.startswith(package.__name__ + ".")]
assert not loaded, loaded
for name in package.__all__:
    assert getattr(package, name).__name__ == name
heavy = {{"git", "pydantic"}} & set(sys.modules)
assert not heavy, heavy
try:
    package.nothing
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "has no attribute 'nothing'" in done.stdout
