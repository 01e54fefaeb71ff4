"""A run's own folder in the user's data: the draft of spec.md, the options, the log of model traffic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agentinfra.core.errors import EngineError, SpecError
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha
from agentinfra.workflow.change_request import ChangeRequest
from agentinfra.workflow.run_options import RunOptions

_PATHS = ("workspace", "record", "replay")
_TEST_CONFIGURATION = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py")


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """spec.md as the person left it."""

    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder of one run, mode 0700; nothing in it is a second truth beside the event log."""

    folder: Path

    @property
    def spec_path(self) -> Path:
        """Where the draft lies until the run's branch has it."""
        return self.folder / "spec.md"

    def create(self, options: RunOptions) -> None:
        """Make the folder and keep the options, so that the run can be resumed from anywhere."""
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        data = {name: str(value) if name in _PATHS and value else value for name, value in asdict(options).items()}
        (self.folder / "options.json").write_text(json.dumps(data, indent=1), encoding="utf-8")

    def options(self) -> RunOptions:
        """The options that the run was started with.

        Raises:
            EngineError: They are not there or cannot be read.
        """
        try:
            data: Mapping[str, Any] = json.loads((self.folder / "options.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EngineError(f"Run {self.folder.name} cannot be resumed", why=str(error)) from error
        values: dict[str, Any] = {
            name: Path(value) if name in _PATHS and value else value for name, value in data.items()
        }
        if values.get("change") is not None:
            values["change"] = ChangeRequest.from_json(values["change"])
        return RunOptions(**values)

    async def write_spec(self, text: str) -> Path:
        """Write the draft, unless a person's edited one is there from before an interruption."""
        if not self.spec_path.exists():
            await asyncio.to_thread(self.spec_path.write_text, text, encoding="utf-8")
        return self.spec_path

    async def replace_spec(self, text: str) -> None:
        """Put a new draft in the place of the old one, whole or not at all."""

        def replaced() -> None:
            new = self.spec_path.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            new.replace(self.spec_path)

        await asyncio.to_thread(replaced)

    async def read_spec(self) -> ApprovedText:
        """The draft as it stands.

        Raises:
            SpecError: It cannot be read as a specification.
        """
        try:
            text = await asyncio.to_thread(self.spec_path.read_text, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SpecError(f"{self.spec_path} cannot be read", why=str(error)) from error
        parse(text)
        return ApprovedText(text, body_sha(text))

    async def missing_test_configuration(self, git: GitWorkspace, start: str) -> dict[str, str]:
        """A pytest.ini that puts the repository on the import path, where the project configures no tests itself."""
        present = await git.list_files(start)
        if any(name in present for name in _TEST_CONFIGURATION):
            return {}
        return {"pytest.ini": "[pytest]\npythonpath = .\ntestpaths = tests\n"}


def with_seed(options: RunOptions, seed: int) -> RunOptions:
    """The options with a seed of their own, so that a resumed run asks the same."""
    return options if options.seed is not None else replace(options, seed=seed)
