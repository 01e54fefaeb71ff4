import pytest

from agentinfra.cli.exit_codes import ExitCode, error_code, run_code
from agentinfra.core import errors
from agentinfra.workflow.run_state import reduce
from tests.unit.run_events import RunEvents, finished


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("x"), 2),
        (errors.ConfigError("x"), 2),
        (errors.SpecError("x"), 2),
        (errors.WorkspaceError("the base is dirty"), 2),
        (errors.PatchError("x"), 2),
        (errors.SandboxError("x"), 3),
        (errors.ModelUnavailable("x"), 3),
        (errors.EngineError("x"), 3),
        (errors.StoreError("x"), 3),
        (OSError(28, "No space left on device"), 3),
        (errors.RunStopped("x"), 130),
        (errors.ReplyError("x"), 1),
        (errors.BudgetExceeded("x"), 1),
        (ValueError("x"), 1),
    ],
)
def test_every_error_has_its_code(error: Exception, code: int) -> None:
    assert error_code(error) == code


def test_a_run_is_done_unfinished_or_stopped() -> None:
    assert run_code(reduce(finished().events)) is ExitCode.DONE
    assert run_code(reduce(finished(blocked=True).events)) is ExitCode.UNFINISHED
    assert run_code(reduce(RunEvents().begin().add("state_update", state="failed").events)) is ExitCode.UNFINISHED
    assert run_code(reduce(RunEvents().begin().add("state_update", state="stopped").events)) is ExitCode.STOPPED
