"""Whether a failing test is new, failed before or is flaky: on real trees, with a runner that only reads them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.report import Outcome, TestOutcome, TestReport
from agentinfra.proof.triage import WHOLE_RUN, not_passed, run_again, triage
from agentinfra.security.sandbox.unsandboxed import Unsandboxed


class ReadingRunner:
    """Runs test files by reading them: ``test_a = False`` is a test that fails, a number one that fails so often.

    A file that holds "crash" brings the whole run down.
    """

    name = "reading"
    sandbox = Unsandboxed()

    def __init__(self) -> None:
        self.runs: list[tuple[str, tuple[str, ...]]] = []

    async def run(
        self,
        root: Path,
        tests: Sequence[str] = (),
        *,
        expected: int | None = None,
        limits: SandboxLimits | None = None,
        overlay: Mapping[str, str] | None = None,
    ) -> TestReport:
        del expected, limits, overlay
        self.runs.append((root.name, tuple(tests)))
        found: list[TestOutcome] = []
        for path in sorted(root.glob("test_*.py")):
            if tests and path.name not in tests:
                continue
            if "crash" in path.read_text():
                return TestReport((), 3, 0.0, reason="stopped: from inside")
            found += self._outcomes(path)
        failed = any(one.outcome == "failed" for one in found)
        return TestReport(tuple(found), 5 if not found else int(failed), 0.0)

    def _outcomes(self, path: Path) -> list[TestOutcome]:
        times = sum(name == path.parent.name for name, _ in self.runs)
        return [
            TestOutcome(f"{path.name}::{name}", _outcome(value, times), "it failed" if value is not True else "")
            for name, value in (ast.literal_eval(line) for line in path.read_text().splitlines())
        ]


def _outcome(value: bool | int, times: int) -> Outcome:
    good = value if isinstance(value, bool) else times > value
    return "passed" if good else "failed"


def tree(folder: Path, **files: dict[str, bool | int] | str) -> Path:
    folder.mkdir()
    for name, tests in files.items():
        lines = tests if isinstance(tests, str) else "\n".join(repr(pair) for pair in tests.items())
        (folder / f"{name}.py").write_text(lines)
    return folder


async def test_what_fails_on_the_base_too_is_no_news(tmp_path: Path) -> None:
    base = tree(tmp_path / "base", test_a={"test_old": False, "test_one": True})
    after = tree(tmp_path / "after", test_a={"test_old": False, "test_one": False})
    causes = await triage(ReadingRunner(), ["test_a.py::test_old", "test_a.py::test_one"], after, base)
    assert causes == {"test_a.py::test_old": "pre-existing", "test_a.py::test_one": "new"}


async def test_a_test_that_passes_once_in_its_repetitions_is_flaky(tmp_path: Path) -> None:
    base = tree(tmp_path / "base", test_a={"test_x": True, "test_y": True})
    after = tree(tmp_path / "after", test_a={"test_x": 1, "test_y": 5})
    causes = await triage(ReadingRunner(), ["test_a.py::test_x", "test_a.py::test_y"], after, base)
    assert causes == {"test_a.py::test_x": "flaky", "test_a.py::test_y": "new"}


async def test_a_test_that_the_base_does_not_have_is_new(tmp_path: Path) -> None:
    base = tree(tmp_path / "base", test_a={"test_old": True})
    after = tree(tmp_path / "after", test_a={"test_old": True, "test_more": False}, test_b={"test_b": False})
    causes = await triage(ReadingRunner(), ["test_a.py::test_more", "test_b.py::test_b"], after, base)
    assert set(causes.values()) == {"new"}


@pytest.mark.parametrize(
    ("before", "cause"),
    [({"test_a": "crash"}, "pre-existing"), ({"test_a": {"test_x": True}}, "new"), ({}, "new")],
    ids=["crashed before", "was sound", "had no tests"],
)
async def test_a_run_that_comes_to_nothing(tmp_path: Path, before: dict[str, str], cause: str) -> None:
    base, after = tree(tmp_path / "base", **before), tree(tmp_path / "after", test_a="crash")
    assert await triage(ReadingRunner(), [WHOLE_RUN], after, base) == {WHOLE_RUN: cause}


async def test_no_failure_no_run(tmp_path: Path) -> None:
    runner = ReadingRunner()
    assert await triage(runner, [], tmp_path, tmp_path) == {}
    assert runner.runs == []


async def test_only_the_files_in_question_are_run_and_repetition_stops_with_the_last(tmp_path: Path) -> None:
    base = tree(tmp_path / "base", test_a={"test_x": False}, test_b={"test_y": True})
    after = tree(tmp_path / "after", test_a={"test_x": False}, test_b={"test_y": True})
    runner = ReadingRunner()
    await triage(runner, ["test_a.py::test_x"], after, base)
    assert runner.runs == [("base", ("test_a.py",))]


async def test_a_required_test_that_is_gone_failed_and_another_one_did_not(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", test_a={"test_x": True})
    names = ["test_a.py::test_gone", "test_b.py::test_gone"]
    assert await run_again(ReadingRunner(), root, names) == {}
    assert set(await run_again(ReadingRunner(), root, names, required=names)) == set(names)


def report(*outcomes: tuple[str, Outcome], exit_code: int = 0, reason: str = "") -> TestReport:
    return TestReport(tuple(TestOutcome(*one) for one in outcomes), exit_code, 0.0, reason=reason)


def test_what_keeps_a_run_from_being_green() -> None:
    assert not_passed(report(("a", "passed"))) == {}
    assert set(not_passed(report(("a", "failed"), ("b", "skipped"), ("c", "passed"), exit_code=1))) == {"a", "b"}
    assert not_passed(report(reason="timeout: no result")) == {WHOLE_RUN: "timeout: no result"}
    assert not_passed(report()) == {WHOLE_RUN: "no tests ran"}
    assert set(not_passed(report(("a", "passed"), exit_code=2))) == {WHOLE_RUN}


def test_an_expected_test_must_be_there_unless_its_file_could_not_be_loaded() -> None:
    assert set(not_passed(report(("a.py::x", "passed")), ["a.py::x", "a.py::y"])) == {"a.py::y"}
    assert set(not_passed(report(("a.py", "error"), exit_code=1), ["a.py::y"])) == {"a.py"}
