from agentinfra.core.interfaces import SandboxResult
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.runner import TestRunner


class Noting:
    """A sandbox that notes where it is to run, and leaves no report."""

    def __init__(self, name):
        self.name = name
        self.scratches = []

    async def run(self, command):
        self.scratches.append(command.scratch)
        return SandboxResult(0, f"at {command.scratch}/project/x.py", "", 0.1)


async def test_a_runner_can_be_moved_and_the_first_one_stays(make_project, tmp_path):
    root, desks = make_project({"a.py": ""}), tmp_path / "desks"
    desks.mkdir()
    here, there = Noting("here"), Noting("there")
    runner: TestRunner = PytestRunner(here)
    moved = runner.moved(there, desks)
    report = await moved.run(root)
    assert (moved.name, moved.sandbox.name, runner.sandbox.name) == ("pytest", "there", "here")
    assert [path.parent for path in there.scratches] == [desks] and here.scratches == []
    assert list(desks.iterdir()) == []
    assert report.reason == "no report: the process ended before its tests did (exit code 0)"
    assert report.stdout_tail == "at x.py"
