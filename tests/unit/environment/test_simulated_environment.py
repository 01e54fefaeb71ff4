from __future__ import annotations

import pytest

from agentinfra.core.errors import InputError
from agentinfra.environment import SimulatedEnvironment
from agentinfra.environment.base_environment import BaseEnvironment, Observation, RunCommand, WriteFiles

TEST = RunCommand(("pytest", "-q"))


def test_files_are_written_and_reset() -> None:
    world = SimulatedEnvironment({"a.py": "1"})
    assert world.step(WriteFiles({"b.py": "2", "a.py": "3"})).files == ("a.py", "b.py")
    assert world.files == {"a.py": "3", "b.py": "2"}
    assert world.reset() == Observation("", ("a.py",))
    assert world.files == {"a.py": "1"}


def test_commands_answer_from_the_script() -> None:
    world = SimulatedEnvironment(observations=[Observation("1 failed", ok=False), "1 passed"])
    seen = [world.step(TEST), world.step(TEST)]
    assert [(one.text, one.ok) for one in seen] == [("1 failed", False), ("1 passed", True)]
    with pytest.raises(InputError, match="No observation is left for pytest -q"):
        world.step(TEST)
    world.reset()
    assert world.step(TEST).text == "1 failed"


def test_chance_repeats_with_the_seed() -> None:
    def outcomes(seed: int) -> list[bool]:
        world = SimulatedEnvironment(observations=["ok"] * 40, failure_rate=0.5, seed=seed)
        first = [world.step(TEST).ok for _ in range(40)]
        world.reset()
        assert [world.step(TEST).ok for _ in range(40)] == first
        return first

    assert outcomes(1) == outcomes(1) != outcomes(2)


async def test_the_asynchronous_forms_do_the_same() -> None:
    world: BaseEnvironment = SimulatedEnvironment({"a.py": "1"}, ["ok"])
    assert (await world.astep(TEST)).text == "ok"
    await world.astep(WriteFiles({"b.py": "2"}))
    assert (await world.aobserve()).files == ("a.py", "b.py")
    assert (await world.areset()).files == ("a.py",)


def test_the_base_alone_is_no_environment() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseEnvironment()  # type: ignore[abstract]
