"""Settings: a user's file, tightened by a workspace's, checked when they are read.

The user's file is ``config.toml`` in the user's configuration folder; a workspace's is ``.agentinfra/settings.toml``.
A workspace is somebody else's text until it is trusted: of its file only a planner is read, and that is imported only
where the user's own settings trust the folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentinfra.core.errors import ConfigError

DATA_VARIABLE = "AGENTINFRA_DATA_DIR"
CONFIG_VARIABLE = "AGENTINFRA_CONFIG"


ModelName = Annotated[str, Field(min_length=1)]
AtLeastOne = Annotated[int, Field(ge=1)]
EmbedderName = Literal["auto", "words", "static", "minilm"]
"""How files are compared by meaning: not at all, by word vectors, also by MiniLM, or by the best that is installed."""


class ProviderLimits(BaseModel):
    """A ``[models.limits.PROVIDER]`` table; None means no limit.

    Attributes:
        concurrency: Requests in flight at once.
        requests_per_minute: In any sixty seconds.
        tokens_per_minute: In any sixty seconds, read and written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    concurrency: AtLeastOne | None = None
    requests_per_minute: AtLeastOne | None = None
    tokens_per_minute: AtLeastOne | None = None


class ModelSettings(BaseModel):
    """The ``[models]`` table.

    Attributes:
        default: ``provider:model`` for runs that name none.
        aliases: Names that mean another model, such as ``"openai:o1" = "local:qwen2.5-coder-1.5b"``.
        fallbacks: Who is asked where a model cannot answer, in order, by the model's name.
        limits: What a provider may be asked, by its name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: str | None = None
    aliases: dict[str, str] = {}
    fallbacks: dict[str, Annotated[tuple[ModelName, ...], Field(min_length=1)]] = {}
    limits: dict[str, ProviderLimits] = {}


class IndexSettings(BaseModel):
    """The ``[index]`` table.

    Attributes:
        embedder: How the workspace's files are compared by meaning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    embedder: EmbedderName = "auto"


class Settings(BaseModel):
    """Everything that can be set.

    Attributes:
        models: Which models answer.
        index: How files are searched.
        max_attempts: Tries that a task has before it is BLOCKED.
        parallel: Tasks at once.
        planner: ``module:Class`` of a project's own planner.
        trusted: Folders whose own code may be imported.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: ModelSettings = ModelSettings()
    index: IndexSettings = IndexSettings()
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    parallel: Annotated[int, Field(ge=1, le=64)] = 2
    planner: str | None = None
    trusted: tuple[str, ...] = ()


def load_settings(workspace: Path, *, own_planner: bool = True) -> Settings:
    """Read the user's settings, and a trusted workspace's planner.

    Args:
        workspace: Folder of the repository.
        own_planner: Whether the workspace's planner is wanted; False where the person named one.

    Raises:
        ConfigError: A file cannot be read, or holds an unknown or wrong value.
    """
    user = _validated(_read(user_config_file()), user_config_file())
    if user.planner is not None or not own_planner:
        return user
    own_file = workspace / ".agentinfra" / "settings.toml"
    planner = _read(own_file).get("planner")
    if planner is None:
        return user
    if not isinstance(planner, str):
        raise ConfigError(f"planner in {own_file} is no text", next_step="Write it as module:Class")
    if str(workspace.resolve()) not in {str(Path(folder).expanduser().resolve()) for folder in user.trusted}:
        raise ConfigError(
            f"{own_file} names a planner of its own, and the folder is not trusted",
            why="Its code would run with your rights",
            next_step=f'Add "{workspace.resolve()}" to trusted in {user_config_file()}, or pass --planner yourself',
        )
    return user.model_copy(update={"planner": planner})


def user_config_file() -> Path:
    """Where the user's settings are."""
    return Path(os.environ.get(CONFIG_VARIABLE) or user_config_path("agentinfra") / "config.toml")


def data_folder() -> Path:
    """Where runs are kept; ``AGENTINFRA_DATA_DIR`` moves it."""
    return Path(os.environ.get(DATA_VARIABLE) or user_data_path("agentinfra"))


def workspace_folder(workspace: Path, data: Path | None = None) -> Path:
    """Where everything about a workspace is kept: a folder of its own in the data folder.

    Args:
        workspace: The repository's folder.
        data: Instead of the user's data folder.
    """
    place = workspace.resolve()
    readable = re.sub(r"[^A-Za-z0-9]+", "-", place.name).strip("-") or "workspace"
    name = f"{readable[:40]}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:12]}"
    return (data or data_folder()) / "workspaces" / name


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read", why=str(error), next_step="Correct or remove it") from error


def _validated(data: dict[str, Any], path: Path) -> Settings:
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{place} in {path} is wrong", why=first["msg"], next_step="Correct it") from error
