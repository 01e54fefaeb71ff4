"""Projects to run tests in."""

import textwrap

import pytest


@pytest.fixture
def make_project(tmp_path):
    """Make a folder from texts by path."""
    root = tmp_path / "project"
    root.mkdir()

    def make(files):
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(textwrap.dedent(text))
        return root

    return make
