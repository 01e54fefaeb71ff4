"""Real pytest runs in the real sandbox, cheating code included."""

import json
import os
import tempfile
import textwrap

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import SandboxLimits, SandboxResult
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.security.sandbox.unsandboxed import Unsandboxed

TEST = "from shifts import minutes\n\n\ndef test_minutes():\n    assert minutes(2) == 120\n"
QUICK = SandboxLimits(wall_seconds=8)


@pytest.fixture
def project(tmp_path):
    """A folder made from keyword arguments; dots and slashes are spelt ``__`` and ``___``."""
    root = tmp_path / "project"
    root.mkdir()

    def make(files):
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(textwrap.dedent(text))
        return root

    return make


async def run(root, *tests, **more):
    return await PytestRunner(Bubblewrap()).run(root, tests, **{"limits": QUICK, **more})


def outcomes(report):
    return {test.id.rpartition("::")[2]: (test.outcome, test.kind) for test in report.tests}


async def test_a_passing_run(project):
    root = project({"shifts.py": "def minutes(hours):\n    return hours * 60\n", "tests/test_shifts.py": TEST})
    report = await run(root, expected=1)
    assert report.all_passed and report.reason == "" and report.exit_code == 0
    assert [test.id for test in report.tests] == ["tests/test_shifts.py::test_minutes"]
    assert report.tests[0].location == "tests/test_shifts.py:4"
    assert "1 passed" in report.stdout_tail


EVERY_OUTCOME = """\
import pytest
import shifts

@pytest.fixture
def shift():
    return shifts.Shift(1, 2)

def test_passes(): assert shifts.Shift()
def test_wrong_value(): assert shifts.minutes(1) == 60
def test_no_error_raised():
    with pytest.raises(ValueError):
        shifts.minutes(-1)
def test_told_to_fail(): pytest.fail("not good")
def test_missing_function(): shifts.hours(1)
def test_missing_method(): shifts.Shift().minutes()
def test_missing_module(): import rota
def test_missing_result(): shifts.minutes(1)[0]
def test_missing_attribute_of_the_result(): shifts.minutes(1).total
def test_own_name_missing(): nobody_wrote_this()
def test_own_type_error(): len(5)
def test_own_attribute_error(): "".nothing()
class TestOwn:
    def test_own_method_missing(self): self.assert_equal(1, 1)
def test_no_such_fixture(nothing): pass
def test_setup_fails(shift): pass
@pytest.mark.skip(reason="later")
def test_skipped(): assert False
@pytest.mark.xfail
def test_expected_to_fail(): assert False
@pytest.mark.xfail
def test_unexpectedly_passes(): assert True
@pytest.mark.parametrize("hours", [1, 2])
def test_many(hours): assert hours == 1
"""
KINDS = {
    "test_passes": ("passed", ""),
    "test_wrong_value": ("failed", "assertion"),
    "test_no_error_raised": ("failed", "assertion"),
    "test_told_to_fail": ("failed", "assertion"),
    "test_missing_function": ("failed", "missing"),
    "test_missing_method": ("failed", "missing"),
    "test_missing_module": ("failed", "missing"),
    "test_missing_result": ("failed", "missing"),
    "test_missing_attribute_of_the_result": ("failed", "missing"),
    "test_own_name_missing": ("failed", "broken"),
    "test_own_type_error": ("failed", "broken"),
    "test_own_attribute_error": ("failed", "broken"),
    "test_own_method_missing": ("failed", "broken"),
    "test_no_such_fixture": ("error", "broken"),
    "test_setup_fails": ("error", "broken"),
    "test_skipped": ("skipped", ""),
    "test_expected_to_fail": ("xfailed", ""),
    "test_unexpectedly_passes": ("xfailed", ""),
    "test_many[1]": ("passed", ""),
    "test_many[2]": ("failed", "assertion"),
}


async def test_every_outcome_is_told_with_its_kind(project):
    shifts = "class Shift:\n    pass\n\n\ndef minutes(hours):\n    pass\n"
    report = await run(project({"shifts.py": shifts, "test_all.py": EVERY_OUTCOME}))
    assert report.reason == "" and report.exit_code == 1
    assert outcomes(report) == KINDS
    messages = {test.id: test.message for test in report.tests}
    assert messages["test_all.py::test_wrong_value"].startswith("assert None == 60\n")
    assert messages["test_all.py::test_skipped"] == "Skipped: later"


async def test_a_failing_teardown_is_an_error_of_a_test_that_had_passed(project):
    test = "import pytest\n@pytest.fixture\ndef thing():\n    yield\n    1 / 0\ndef test_it(thing):\n    pass\n"
    report = await run(project({"test_it.py": test}))
    assert outcomes(report) == {"test_it": ("error", "broken")}
    assert not report.all_passed


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (None, "missing"),
        ("def hours(): pass", "missing"),
        ("import rota", "missing"),
        ("def minutes(", "broken"),
        ("1 / 0", "broken"),
    ],
)
async def test_a_file_that_cannot_be_collected_is_told_with_its_kind(project, code, kind):
    files = {"test_a.py": TEST, "test_b.py": "def test_b():\n    pass\n"}
    report = await run(project(files if code is None else {**files, "shifts.py": code}))
    assert outcomes(report) == {"test_a.py": ("error", kind), "test_b": ("passed", "")}
    assert report.reason == ""


async def test_messages_hold_nothing_that_differs_from_run_to_run(project):
    test = "from shifts import Shift\ndef test_it():\n    assert Shift() == 1\n"
    root = project({"shifts.py": "class Shift: pass", "test_it.py": test, "test_gone.py": "import gone"})
    first, second = await run(root), await run(root)
    assert [one.message for one in first.tests] == [one.message for one in second.tests]
    assert "agentinfra-tests" not in str(first.tests) and "/lib/python3" not in str(first.tests)


async def test_only_the_named_tests_are_run(project):
    root = project({"test_a.py": "def test_1(): pass\ndef test_2(): pass", "test_b.py": "def test_3(): pass"})
    assert list(outcomes(await run(root, "test_a.py::test_2", "test_b.py"))) == ["test_2", "test_3"]


async def test_a_src_folder_and_packages_are_importable(project):
    files = {"src/shifts/__init__.py": "from shifts.core import minutes", "tests/deep/test_a.py": TEST}
    report = await run(project({**files, "src/shifts/core.py": "def minutes(hours): return hours * 60"}))
    assert report.all_passed


async def test_the_folder_itself_is_not_touched_by_a_run(project):
    test = "import pathlib\ndef test_it():\n    pathlib.Path('new').touch()\n    pathlib.Path(__file__).unlink()\n"
    root = project({"test_it.py": test, ".git/config": "[core]"})
    before = sorted(root.rglob("*"))
    assert (await run(root)).all_passed
    assert sorted(root.rglob("*")) == before


async def test_folders_too_deep_for_python_are_cleaned_up(project, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deep = "import os\nfor _ in range(1200):\n    os.mkdir('deep')\n    os.chdir('deep')\n"
    report = await run(project({"test_it.py": f"{deep}def test_it(): pass"}))
    assert report.reason == ""
    assert list(tmp_path.iterdir()) == [tmp_path / "project"]


async def test_an_overlay_replaces_files_for_one_run_only(project):
    root = project({"shifts.py": "def minutes(hours): pass", "test_a.py": TEST})
    overlay = {"shifts.py": "def minutes(hours): return hours * 60", "new/folder/x.py": ""}
    assert (await run(root, overlay=overlay)).all_passed
    assert not (await run(root)).all_passed
    assert not (root / "new").exists()


@pytest.mark.parametrize("path", ["../escaped.py", "/tmp/escaped.py", "link/escaped.py"])
async def test_an_overlay_does_not_lead_out(project, tmp_path, path):
    root = project({"test_a.py": "def test_a(): pass"})
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out"):
        await run(root, overlay={path: "x"})
    assert not (tmp_path / "escaped.py").exists()


async def test_no_tests_is_no_success(project):
    report = await run(project({"shifts.py": ""}))
    assert (report.tests, report.exit_code, report.reason, report.all_passed) == ((), 5, "", False)


async def test_the_projects_settings_do_not_reach_the_runner(project):
    files = {"pytest.ini": "[pytest]\naddopts = --deselect test_a.py::test_2\n", "pyproject.toml": "nonsense ["}
    report = await run(project({**files, "test_a.py": "def test_1(): pass\ndef test_2(): assert 0"}))
    assert outcomes(report) == {"test_1": ("passed", ""), "test_2": ("failed", "assertion")}


async def test_an_endless_loop_costs_one_test_not_the_report(project):
    root = project(
        {
            "shifts.py": "def minutes(hours):\n    while True: pass\n",
            "test_a.py": TEST,
            "test_b.py": "def test_b(): pass",
        }
    )
    report = await run(root)
    assert report.reason == ""
    assert outcomes(report) == {"test_minutes": ("failed", "broken"), "test_b": ("passed", "")}
    assert "an endless loop?" in report.tests[0].message


async def test_code_that_swallows_everything_does_not_swallow_the_time_limit_of_the_run(project):
    swallowing = "        try: time.sleep(1)\n        except BaseException: pass\n"
    code = f"import time\ndef minutes(hours):\n    while True:\n{swallowing}"
    report = await run(project({"shifts.py": code, "test_a.py": TEST}), limits=SandboxLimits(wall_seconds=2))
    assert report.reason == "timeout: no result after 2 s"
    assert report.tests == () and not report.all_passed


async def test_huge_output_does_not_hide_the_outcome(project):
    code = "def minutes(hours):\n    print('x' * 5_000_000)\n    return 1\n"
    report = await run(project({"shifts.py": code, "test_a.py": TEST}))
    assert outcomes(report) == {"test_minutes": ("failed", "assertion")}
    assert len(report.stdout_tail) <= 4000 and len(report.tests[0].message) <= 4000


CHEATS = {
    "exits at import": ("import os; os._exit(0)", "no report"),
    "exits in a call": ("import os\ndef minutes(hours): os._exit(0)", "no report"),
    "exits from a thread": (
        "import os, threading\ndef minutes(hours):\n    threading.Timer(0, os._exit, [0]).start()\n    while 1: pass",
        "no report",
    ),
    "kills itself": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "no report"),
    "leaves with sys.exit at import": ("import sys; sys.exit(0)", "stopped"),
    "interrupts": ("raise KeyboardInterrupt", "stopped"),
    "ends pytest": ("import pytest\ndef minutes(hours): pytest.exit('fine', returncode=0)", "stopped"),
    "leaves a report of its own": (
        """
        import json, os
        result = {"collected": ["test_a.py::test_minutes"], "exit_code": 0, "tests": [
            {"id": "test_a.py::test_minutes", "outcome": "passed", "message": "", "seconds": 0.1, "kind": ""}]}
        with open("../report.json", "w") as file:
            json.dump(result, file)
        os._exit(0)
        """,
        "forged report",
    ),
    "reads its order to forge the report": (
        """
        import json, os
        name = json.load(open("../order.json"))["report"]
        result = {"collected": ["test_a.py::test_minutes"], "exit_code": 0, "tests": [
            {"id": "test_a.py::test_minutes", "outcome": "passed", "message": "", "seconds": 0.1, "kind": ""}]}
        with open(name, "w") as file:
            json.dump(result, file)
        os._exit(0)
        """,
        None,
    ),
    "patches what writes the report": (
        """
        import json, os, pathlib
        json.dumps = lambda *_, **__: '{"collected": [], "exit_code": 0, "tests": []}'
        pathlib.Path.write_text = lambda *_: None
        os._exit = lambda *_: None
        def minutes(hours): return 1
        """,
        None,
    ),
    "cleans up behind itself": (
        "import atexit, os\natexit.register(os._exit, 0)\ndef minutes(hours): return 1",
        None,
    ),
    "shadows pytest": ("def minutes(hours): return 1", None),
}


@pytest.mark.parametrize("name", CHEATS)
async def test_cheating_code_gains_nothing(project, name):
    code, reason = CHEATS[name]
    files = {"shifts.py": code, "test_a.py": TEST}
    if name == "shadows pytest":
        files |= {"pytest.py": "", "_pytest/__init__.py": "", "sitecustomize.py": "import os; os._exit(0)"}
    report = await run(project(files), expected=1)
    assert not report.all_passed
    if reason is None:
        assert report.reason == "" and [test.outcome for test in report.tests if test.outcome != "passed"]
    else:
        assert report.reason.startswith(reason) and report.tests == ()


async def test_a_number_of_tests_that_was_not_expected_is_unsound(project):
    report = await run(project({"test_a.py": "def test_1(): pass"}), expected=2)
    assert report.reason == "forged report: 1 tests are reported, 2 were expected"


async def test_the_code_sees_an_ordinary_run_and_nothing_of_the_runner(project):
    test = """
        import importlib.util, os, sys
        def test_it():
            assert sys.argv == ["pytest"]
            assert sys.path[0] == os.getcwd() == os.path.dirname(__file__)
            assert importlib.util.find_spec("runner") is None
    """
    assert (await run(project({"test_it.py": test}))).all_passed


async def test_a_file_that_cannot_be_collected_explains_the_missing_tests(project):
    report = await run(project({"shifts.py": "def minutes(", "test_a.py": TEST}), expected=1 + 1)
    assert report.reason == "" and report.tests[0].message.startswith("SyntaxError: ")


async def test_a_long_message_keeps_its_first_line_and_its_end(project):
    report = await run(project({"test_a.py": "def test_a():\n    assert False, 'first' + 'x' * 9000 + 'last'"}))
    message = report.tests[0].message
    assert len(message) <= 4000 and message.startswith("AssertionError: first") and "xlast" in message[-40:]


async def test_a_folder_that_cannot_be_copied_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be copied"):
        await run(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="named pipe"):
        await run(tmp_path)


async def test_without_a_sandbox_the_report_is_the_same(project):
    root = project({"shifts.py": "def minutes(hours): return 1", "test_a.py": TEST})
    unsandboxed = await PytestRunner(Unsandboxed()).run(root, limits=QUICK)
    sandboxed = await run(root)
    assert [(test.id, test.message, test.kind) for test in unsandboxed.tests] == [
        (test.id, test.message, test.kind) for test in sandboxed.tests
    ]


class Forging:
    """A sandbox whose command leaves the given bytes as its report."""

    name = "forging"

    def __init__(self, content, exit_code=0):
        self.content = content
        self.exit_code = exit_code

    async def run(self, command):
        order = json.loads((command.scratch / "order.json").read_text())
        (command.scratch / order["report"]).write_bytes(self.content)
        return SandboxResult(self.exit_code, "", "", 0.1)


def content(**changes):
    test = {"id": "t::a", "outcome": "passed", "message": "", "seconds": 0.1, "kind": ""}
    return json.dumps({"collected": ["t::a"], "exit_code": 0, "tests": [test], **changes}).encode()


def one(**changes):
    return [{"id": "t::a", "outcome": "passed", "message": "", "seconds": 0.1, "kind": "", **changes}]


@pytest.mark.parametrize(
    ("data", "exit_code", "reason"),
    [
        (content(), 0, ""),
        (content()[:40], 0, "corrupt report"),
        (b"\xff\xfe", 0, "corrupt report"),
        (b"[]", 0, "corrupt report"),
        (b"{}", 0, "corrupt report"),
        (b"7", 0, "corrupt report"),
        (content(tests=one(outcome="great")), 0, "corrupt report"),
        (content(tests=one(id=7)), 0, "corrupt report"),
        (content(tests=one(extra=7)), 0, "corrupt report"),
        (content(tests=7), 0, "corrupt report"),
        (content(collected=7), 0, "corrupt report"),
        (content(collected=[["t::a"]]), 0, "stopped"),
        (b"[" * 100_000, 0, "corrupt report"),
        (content(tests=[7]), 0, "corrupt report"),
        (content(exit_code=1), 0, "forged report"),
        (content(), 1, "forged report"),
        (content(exit_code=1), 1, "forged report"),
        (content(exit_code=5), 5, "forged report"),
        (content(tests=one(outcome="failed")), 0, "forged report"),
        (content(collected=["t::a", "t::b"]), 0, "stopped"),
        (content(exit_code=3), 3, "stopped"),
        (content() + b" " * (17 << 20), 0, "corrupt report"),
    ],
)
async def test_reports_are_read_strictly(project, data, exit_code, reason):
    report = await PytestRunner(Forging(data, exit_code)).run(project({"a.py": ""}))
    assert report.reason.partition(":")[0] == reason
    assert report.all_passed == (not reason)
