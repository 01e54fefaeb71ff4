"""What a run makes of errors in its steps."""

from pathlib import Path
from typing import Any, cast

import pytest

from agentinfra.core.errors import RunStopped, WorkspaceError
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.run import Run
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts


@pytest.mark.parametrize(
    "error", [WorkspaceError("The branch is checked out", next_step="Switch"), OSError(28, "No space left on device")]
)
async def test_what_a_person_can_mend_stops_the_run_and_is_tried_again_on_resume(tmp_path: Path, error: Exception):
    absent = cast("Any", None)
    engine, log = MemoryEngine(), SqliteEventLog(tmp_path / "events.db")
    parts = RunParts(engine, log, git=absent, runner=absent, human=absent, files=absent, model_for=absent)
    run = Run("r1", RunOptions("an idea", tmp_path), parts)
    attempts: list[int] = []

    async def merge() -> str:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise error
        return "merged"

    async def work(_: Any) -> str:
        return await run.step("merge", merge)

    engine.register("job", work)
    with pytest.raises(RunStopped) as stopped:
        await engine.run("job", "r1", {})
    assert "agentinfra resume" in stopped.value.next_step
    assert await engine.run("job", "r1", {}) == "merged"
    assert len(attempts) == 2
    log.close()
