"""Many runs in one start: they end as they would alone, and none reaches another."""

import pytest

from agentinfra.core.errors import InputError, SandboxError
from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.batch import run_each
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.unittest_runner import UnittestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap

RIGHT = "def double(n):\n    return n * 2\n"
TEST = "from mod import double\n\n\ndef test_double():\n    assert double(2) == 4\n    assert double(3) == 6\n"
SHORT = SandboxLimits(wall_seconds=4)
# One after the other in the same start: the runs of an odd number are not divided evenly.
IN_ONE_START = 3


class Counted:
    """A sandbox that counts its starts."""

    name = "counted"

    def __init__(self):
        self.starts = []
        self._inner = Bubblewrap()

    async def run(self, command):
        self.starts.append(command.argv[-2].rpartition("/")[2])
        return await self._inner.run(command)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "test_mod.py").write_text(TEST)
    return tmp_path


async def run(root, *sources, **options):
    sandbox = Counted()
    overlays = [{"mod.py": source} for source in sources]
    return await run_each(PytestRunner(sandbox), root, ["test_mod.py"], overlays, **options), sandbox.starts


def told(report):
    return report.exit_code, report.reason, [(one.id, one.outcome, one.message, one.kind) for one in report.tests]


async def test_each_ends_as_it_would_alone(root):
    sources = [
        RIGHT,
        "def double(n):\n    return 4\n",
        "",
        "def double(n",
        "raise SystemExit(0)\n",
        "import os\nos._exit(0)\n",
    ]
    together, starts = await run(root, *sources)
    assert starts == ["batch_child.py"] * 2
    alone = [await PytestRunner(Bubblewrap()).run(root, ["test_mod.py"], overlay={"mod.py": one}) for one in sources]
    assert [told(report) for report in together] == [told(report) for report in alone]
    assert [report.all_passed for report in together] == [True, False, False, False, False, False]
    assert list(root.iterdir()) == [root / "test_mod.py"]


async def test_other_python_runners_share_a_start_too(tmp_path):
    test = "import unittest\nfrom mod import double\nclass T(unittest.TestCase):\n    def test(self):\n"
    (tmp_path / "test_mod.py").write_text(f"{test}        self.assertEqual(double(2), 4)\n")
    overlays = [{"mod.py": RIGHT}, {"mod.py": RIGHT.replace("2", "3")}]
    sandbox = Counted()
    reports = await run_each(UnittestRunner(sandbox), tmp_path, ["test_mod.py"], overlays)
    assert [report.all_passed for report in reports] == [True, False]
    assert sandbox.starts == ["batch_child.py"]


async def test_no_implementation_is_no_run(root):
    assert await run(root) == ([], [])


async def test_an_endless_loop_costs_only_its_own_time(root):
    # In this one no signal is heeded.
    loop = "import collections, itertools\ndef double(n):\n    collections.deque(itertools.repeat(n), maxlen=0)\n"
    reports, _ = await run(root, RIGHT, loop, RIGHT, limits=SHORT)
    assert [report.all_passed for report in reports] == [True, False, True]
    assert reports[1].reason.startswith("timeout")


async def test_those_for_which_no_time_is_left_prove_nothing(root):
    slow = "import time\ntime.sleep(2)\n" + RIGHT
    reports, _ = await run(root, RIGHT, slow, RIGHT, limits=SHORT, seconds=1.5)
    assert reports[0].all_passed
    assert [report.reason.partition(":")[0] for report in reports] == ["", "no report", "no report"]


REACHES = """
import glob, os
for path in glob.glob("../../agentinfra-tests-*/project/mod.py"):
    if os.path.realpath(path) != os.path.realpath("mod.py"):
        with open(path, "w") as file:
            file.write("def double(n): return n * 2")
"""
FORGES = """
import glob, os
for path in glob.glob("../../agentinfra-tests-*/*.report"):
    with open(path) as file: text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("failed", "passed"))
"""
WAITS = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.3)
        for name in os.listdir("../.."):
            if name.startswith("agentinfra-tests-"):
                with open(f"../../{name}/project/mod.py", "w") as file:
                    file.write("def double(n): return n * 2")
    os._exit(0)
"""
KILLS = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
WRONG = "def double(n):\n    return n\n"


@pytest.mark.parametrize("attack", [REACHES, FORGES, WAITS])
@pytest.mark.parametrize("place", range(IN_ONE_START))
async def test_none_makes_another_pass(root, attack, place):
    sources = [WRONG] * IN_ONE_START
    sources[place] = attack + WRONG
    reports, _ = await run(root, *sources)
    assert not [report for report in reports if report.all_passed]


async def test_a_folder_that_was_touched_proves_nothing(root):
    reports, _ = await run(root, RIGHT, REACHES + RIGHT, RIGHT)
    assert [report.all_passed for report in reports] == [False, True, False]
    assert reports[0].reason and reports[2].reason


async def test_where_the_start_is_brought_down_each_runs_alone(root):
    reports, starts = await run(root, KILLS + RIGHT, WRONG, RIGHT)
    assert starts == ["batch_child.py", *["pytest_child.py"] * 3]
    assert [report.all_passed for report in reports][1:] == [False, True]


async def test_errors_come_out_as_they_are(root):
    with pytest.raises(InputError, match="leads out of the project"):
        await run_each(PytestRunner(Bubblewrap()), root, [], [{"mod.py": RIGHT}, {"../x.py": ""}])

    class Broken:
        name = "broken"

        async def run(self, command):
            raise SandboxError("It does not work here")

    with pytest.raises(SandboxError, match="does not work here"):
        await run_each(PytestRunner(Broken()), root, [], [{"mod.py": RIGHT}] * 5)


async def test_a_large_project_is_copied_less_often_at_once(root):
    size = sum(path.stat().st_size for path in root.iterdir())
    reports, starts = await run(root, *[RIGHT] * 5, copies_bytes=2 * size + 1)
    assert starts == ["batch_child.py"] * 3
    assert all(report.all_passed for report in reports)
