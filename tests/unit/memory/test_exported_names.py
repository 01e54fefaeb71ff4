import subprocess
import sys

import pytest

import agentinfra.memory as package


@pytest.mark.parametrize("name", package.__all__)
def test_every_exported_name_exists(name: str) -> None:
    assert getattr(package, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        package.Nothing  # noqa: B018


def test_the_package_and_the_command_load_nothing_heavy() -> None:
    program = (
        "import sys, agentinfra.memory, agentinfra.cli.memory\n"
        "print(*sorted({'numpy', 'apsw', 'sqlite_vec', 'tree_sitter', 'onnxruntime', 'watchdog'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
