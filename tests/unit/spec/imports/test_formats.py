"""Which reader is taken, and formats that installed packages bring, each in an interpreter that has the package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError
from agentinfra.spec.imports.formats import format_names, import_spec

SOURCES = Path(__file__).parent / "sources"
CODE = """
from agentinfra.core.errors import SpecError
from agentinfra.spec.imports.format import Imported
from agentinfra.spec.requirements import Spec


class Notes:
    name = "notes"

    def recognises(self, path):
        if path.name == "odd.notes":
            raise KeyError("odd")
        return path.suffix in (".notes", ".json")

    def read(self, path):
        text = path.read_text()
        if text == "broken":
            raise SpecError("notes:1 cannot be imported", next_step="Mend it")
        if text == "wrong":
            return text
        if text == "bug":
            raise IndexError("list index out of range")
        return Imported(Spec(text, "", "", status="approved", id="run-1"))


class Half:
    name = "half"


no_format = 5
"""
PROGRAM = """
import json, sys
from pathlib import Path
from agentinfra.core.errors import AgentInfraError
from agentinfra.spec.imports.formats import format_names, import_spec

try:
    name, imported = import_spec(Path(sys.argv[1]), *sys.argv[2:])
    told = name, imported.spec_text, format_names()
except AgentInfraError as error:
    told = type(error).__name__, str(error), format_names()
print(json.dumps(told))
"""


@pytest.fixture
def ask(tmp_path):
    """Installs packages with these entry points, imports a file of this text, and returns what came of it."""

    def run(file, text, *packages, arguments=()):
        (tmp_path / "acme_notes.py").write_text(CODE)
        (tmp_path / file).write_text(text)
        for number, entries in enumerate(packages):
            meta = tmp_path / f"acme_{number}-1.0.dist-info"
            meta.mkdir()
            (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{number}\nVersion: 1.0\n")
            lines = "".join(f"{name} = {target}\n" for name, target in entries.items())
            (meta / "entry_points.txt").write_text(f"[agentinfra.spec_formats]\n{lines}")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / file), *arguments],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout)

    return run


def test_a_package_brings_a_format_and_cannot_bring_an_approval(ask):
    name, text, names = ask("tea.notes", "Tea", {"notes": "acme_notes:Notes"})
    assert (name, names) == ("notes", ["spec-kit", "task-master", "notes"])
    assert text == "---\nid:\nstatus: draft\napproved:\n---\n\n# Tea\n\n## Goal\n\n## Requirements\n"


@pytest.mark.parametrize(
    ("file", "text", "target", "kind", "why"),
    [
        ("a.notes", "broken", "acme_notes:Notes", "SpecError", "notes:1 cannot be imported. Mend it."),
        ("a.notes", "wrong", "acme_notes:Notes", "ConfigError", "It read a str, not an Imported"),
        ("a.notes", "bug", "acme_notes:Notes", "ConfigError", "IndexError: list index out of range"),
        ("odd.notes", "", "acme_notes:Notes", "ConfigError", "KeyError: 'odd'"),
        ("a.notes", "", "acme_notes:Half", "ConfigError", "acme-0: its Half has no recognises, read"),
        ("a.notes", "", "acme_notes:no_format", "ConfigError", "acme-0: TypeError: 'int' object is not callable"),
        ("a.notes", "", "acme_notes:Missing", "ConfigError", "acme-0: AttributeError"),
        ("a.notes", "", "no_such_module:Notes", "ConfigError", "acme-0: ModuleNotFoundError"),
        ("a.json", "{}", "acme_notes:Notes", "InputError", "may be task-master or notes. Say which with --format."),
    ],
)
def test_a_broken_package_is_named_with_what_is_wrong(ask, file, text, target, kind, why):
    found, message, _ = ask(file, text, {"notes": target})
    assert found == kind
    assert why in message


def test_a_broken_package_does_not_stand_in_the_way_of_a_format_that_is_named(ask):
    package = {"notes": "no_such_module:Notes"}
    assert ask("a.json", '{"tasks": []}', package, arguments=["task-master"])[0] == "task-master"


def test_two_packages_of_one_name_are_refused(ask):
    package = {"notes": "acme_notes:Notes"}
    kind, message, _ = ask("a.notes", "", package, package)
    assert (kind, "Several packages bring it: acme-0, acme-1" in message) == ("ConfigError", True)


def test_the_format_is_recognised():
    assert import_spec(SOURCES / "spec_kit" / "001-tea-timer")[0] == "spec-kit"
    assert import_spec(SOURCES / "task_master" / "tagged.json")[0] == "task-master"
    assert format_names()[:2] == ("spec-kit", "task-master")


def test_paths_that_are_nothing_or_nothing_known_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none does not exist\. Name a file or folder"):
        import_spec(tmp_path / "none")
    with pytest.raises(InputError, match=r"in none of the known formats\. Known are spec-kit, task-master"):
        import_spec(tmp_path)
