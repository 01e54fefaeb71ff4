"""The application: what it leaves behind when it cannot begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentinfra.app import App
from agentinfra.core.errors import EngineError
from agentinfra.workflow.durable import DbosEngine
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.unattended import Unattended


async def test_a_second_run_in_a_workspace_at_work_leaves_nothing_behind(tmp_path: Path) -> None:
    app = App(tmp_path / "work", Unattended(), data=tmp_path / "data")
    engine = DbosEngine(app.folder / "engine.db")
    await engine.open()
    try:
        before = sorted(tmp_path.rglob("runs"))
        with pytest.raises(EngineError):
            await app.plan(RunOptions("an idea", tmp_path / "work", yes=True, init=True), lambda _: None)
        assert sorted(tmp_path.rglob("runs")) == before
        assert app.runs() == []
    finally:
        await engine.close()
        await app.aclose()
