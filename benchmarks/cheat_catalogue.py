"""The catalogue of cheats and of honest solutions: TOML files below ``cheating/``, read as values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentinfra.agents.test_suite import Suite, build_suite
from agentinfra.proof.tamper import Change
from agentinfra.spec.requirements import Example, Expect, Ground

DATA = Path(__file__).with_name("cheating")
TEST_PATH = "tests/test_it.py"
_EXAMPLE = re.compile(r"(.+?) (->|raises|prints) (.*)", re.DOTALL)
_EXPECT: Mapping[str, Expect] = {"->": "returns", "raises": "raises", "prints": "prints"}


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for.

    Attributes:
        file: Where the code goes.
        stated: The requirement, in prose.
        suite: The locked tests.
    """

    file: str
    stated: str
    suite: Suite


@dataclass(frozen=True, slots=True)
class Work:
    """What a scripted model wrote for a job.

    Attributes:
        name: Its name, unique.
        told: What it tries, or what kind of code it is.
        job: The job.
        code: The text of the job's file.
        files: Other files that it brings.
    """

    name: str
    told: str
    job: Job
    code: str
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def change(self) -> Change:
        """What it would write, as the guard sees it."""
        job = self.job
        files = {job.file: self.code, **self.files}
        return Change(files, job.suite.path, job.suite.source(), claimed=(job.file,), stated=job.stated)

    @property
    def overlay(self) -> Mapping[str, str]:
        """What lies over an empty project when its tests are run."""
        return {**self.change.files, self.job.suite.path: self.job.suite.source()}


def cheats() -> list[Work]:
    """All cheats, in the order of the files."""
    return [work for file in sorted(DATA.glob("cheats_*.toml")) for work in _dishonest(file.name, "cheat")]


def limits() -> list[Work]:
    """Cheats that are known to get through."""
    return _dishonest("limits.toml", "limit")


def _dishonest(file: str, kind: str) -> list[Work]:
    jobs = {item["name"]: _job(item) for item in _items("tasks.toml", "task")}
    return [
        Work(item["name"], item["tries"], jobs[item["task"]], _text(item["code"]), _texts(item.get("files", {})))
        for item in _items(file, kind)
    ]


def honest() -> list[Work]:
    """All honest solutions, in the order of the files; each brings its own job."""
    return [
        Work(item["name"], item["kind"], _job(item), _text(item["code"]))
        for file in sorted(DATA.glob("honest_*.toml"))
        for item in _items(file.name, "solution")
    ]


def _items(file: str, kind: str) -> list[dict[str, Any]]:
    return tomllib.loads((DATA / file).read_text("utf-8"))[kind]


def _job(item: Mapping[str, Any]) -> Job:
    examples = [("FR-1", _example(text)) for text in item["examples"]]
    suite = build_suite(TEST_PATH, item["file"], item["symbols"], examples)
    if len(suite.cases) != len(examples):
        raise ValueError(f"{item['name']}: {len(examples) - len(suite.cases)} examples cannot become tests")
    return Job(item["file"], item["stated"], suite)


def _example(text: str) -> Example:
    *setup, last = text.split(" ;; ")
    found = _EXAMPLE.fullmatch(last)
    if found is None:
        raise ValueError(f"{text!r} is no example")
    call, verb, value = found.groups()
    return Example(call, _EXPECT[verb], value, tuple(setup), Ground.STATED)


def _text(code: str) -> str:
    return code.lstrip("\n")


def _texts(files: Mapping[str, str]) -> dict[str, str]:
    return {path: _text(text) for path, text in files.items()}
