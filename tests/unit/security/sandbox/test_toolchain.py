import sys
from pathlib import Path

import pytest

from agentinfra.core.errors import SandboxError
from agentinfra.security.sandbox.toolchain import OLDEST_NODE, SITE, find_node, find_toolchain


@pytest.fixture(autouse=True)
def fresh():
    find_toolchain.cache_clear()
    yield
    find_toolchain.cache_clear()


def test_the_interpreter_is_the_base_one_not_the_link_in_a_virtual_environment():
    python = find_toolchain().python
    assert python.exists()
    assert python.is_relative_to(Path(sys.base_prefix).resolve())
    assert python.name == f"python{sys.version_info.major}.{sys.version_info.minor}"


def test_pytest_and_what_it_needs_are_mounted_read_only_side_by_side():
    mounts = [mount for mount in find_toolchain().mounts if mount.target.parent == SITE]
    assert {"pytest", "_pytest", "pluggy", "py.py"} <= {mount.target.name for mount in mounts}
    assert all(mount.source.exists() and not mount.writable for mount in mounts)


def test_packages_of_the_base_installation_are_hidden():
    hidden = find_toolchain().hidden
    assert all(folder.is_dir() and folder.name in ("site-packages", "dist-packages") for folder in hidden)
    standard = Path(sys.base_prefix).resolve() / "lib" / find_toolchain().python.name / "site-packages"
    assert (standard in hidden) == standard.is_dir()


def test_an_installation_that_contains_the_home_folder_is_refused(monkeypatch):
    monkeypatch.setenv("HOME", str(Path(sys.base_prefix) / "lib"))
    with pytest.raises(SandboxError, match="contains the home folder"):
        find_toolchain()


def test_a_prefix_without_an_interpreter_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    with pytest.raises(SandboxError, match="does not exist"):
        find_toolchain()


@pytest.fixture
def node_on_path(tmp_path, monkeypatch):
    def put(script):
        (tmp_path / "node").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "node").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path / "node"

    return put


def test_the_node_on_the_path_is_taken_if_it_is_new_enough(node_on_path):
    node = node_on_path(f"echo v{OLDEST_NODE}.0.1")
    assert find_node() == node


@pytest.mark.parametrize("script", ["echo v18.20.4", "exit 1", "echo nonsense"])
def test_a_node_that_is_too_old_or_broken_is_passed_over(node_on_path, script):
    node = node_on_path(script)
    assert find_node() != node


def test_a_node_that_is_only_a_link_is_followed(node_on_path):
    node = node_on_path(f"echo v{OLDEST_NODE + 1}.0.0")
    real = node.rename(node.parent / "real")
    node.symlink_to(real)
    assert find_node() == real
