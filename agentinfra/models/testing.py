"""Fixtures for tests of agents: ``pytest_plugins = ["agentinfra.models.testing"]`` in a ``conftest.py``.

``recorded_model`` answers from a file beside the test; ``pytest --record-models`` asks the real model and writes that
file anew. ``no_real_requests`` makes every request to a real model an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from agentinfra.core.doors import wait
from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import ChatModel
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.real_requests import forbid_real_requests
from agentinfra.models.recorded_model import RecordingModel, ReplayModel

OPTION = "--record-models"
RecordedModel = Callable[[str | ChatModel], ChatModel]
"""Takes the model that is recorded, or its name; a test that asks several gets a file for each call."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--record-models``."""
    parser.getgroup("agentinfra").addoption(
        OPTION, action="store_true", help="ask the real models of recorded_model and write their recordings anew"
    )


@pytest.fixture
def no_real_requests() -> Generator[None]:
    """Let no model send a request during the test."""
    with forbid_real_requests():
        yield


@pytest.fixture
def recorded_model(request: pytest.FixtureRequest) -> Generator[RecordedModel]:
    """A model that answers from ``recordings/<module>/<test>.jsonl`` beside the test, byte for byte as it was recorded.

    Raises:
        InputError: There is no recording, and ``--record-models`` is not given.
    """
    made: list[ChatModel] = []
    recording = bool(request.config.getoption(OPTION))

    def model(inner: str | ChatModel) -> ChatModel:
        path = _place(request, len(made))
        made.append(_recorder(inner, path) if recording else _replay(path))
        return made[-1]

    yield model
    for one in made:
        wait(one.aclose(), "await model.aclose()")


def _place(request: pytest.FixtureRequest, number: int) -> Path:
    test = re.sub(r"[^\w.-]+", "_", request.node.name)
    suffix = f"-{number + 1}" if number else ""
    return request.path.parent / "recordings" / request.path.stem / f"{test}{suffix}.jsonl"


def _recorder(inner: str | ChatModel, path: Path) -> ChatModel:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return RecordingModel(ModelManager().get_model(inner) if isinstance(inner, str) else inner, path)


def _replay(path: Path) -> ChatModel:
    if not path.is_file():
        raise InputError(f"There is no recording {path}", next_step=f"Run the test once with pytest {OPTION}")
    return ReplayModel(path)
