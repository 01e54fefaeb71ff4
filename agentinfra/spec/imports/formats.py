"""The formats that can be imported: the built-in ones, and those of installed packages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinfra.core.errors import AgentInfraError, ConfigError, InputError
from agentinfra.spec.imports.format import Imported, SpecFormat
from agentinfra.spec.imports.spec_kit import SpecKit
from agentinfra.spec.imports.task_master import TaskMaster

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

GROUP = "agentinfra.spec_formats"

_BUILT_IN: dict[str, Callable[[], SpecFormat]] = {"spec-kit": SpecKit, "task-master": TaskMaster}


def format_names() -> tuple[str, ...]:
    """Names of all formats, built-in ones first; no package is loaded."""
    return (*_BUILT_IN, *sorted(_installed().names - set(_BUILT_IN)))


def import_spec(path: Path, name: str | None = None) -> tuple[str, Imported]:
    """Read a specification of another tool.

    Args:
        path: A file or folder.
        name: The format; None takes the one that recognises the path.

    Returns:
        The format's name, and what it read.

    Raises:
        InputError: The path or the format is unknown, or several formats recognise it.
        SpecError: The source is broken; the message names the place.
        ConfigError: The format's package cannot be used.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist", next_step="Name a file or folder that another tool has written")
    name = name or _recognised(path)
    return name, _read(_format(name), name, path)


def _recognised(path: Path) -> str:
    found = [name for name in format_names() if _guarded(name, _format(name).recognises, path)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{path} may be {' or '.join(found)}", next_step="Say which with --format")
    raise InputError(
        f"{path} is in none of the known formats",
        why=f"Known are {', '.join(format_names())}",
        next_step="Name the folder of one feature, or the file itself, or say --format",
    )


def _format(name: str) -> SpecFormat:
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    found = tuple(_installed().select(name=name))
    if not found:
        raise InputError(f"There is no format {name!r}", next_step=f"Use one of {', '.join(format_names())}")
    if len(found) > 1:
        raise _broken(name, f"Several packages bring it: {', '.join(_package(entry) for entry in found)}")
    return next(_loaded(entry) for entry in found)


def _loaded(entry: EntryPoint) -> SpecFormat:
    try:
        made = entry.load()()
    except Exception as error:  # whatever foreign code does when it is imported
        raise _broken(entry.name, f"{_package(entry)}: {type(error).__name__}: {error}") from error
    lacking = [part for part in ("name", "recognises", "read") if not hasattr(made, part)]
    if lacking:
        raise _broken(entry.name, f"{_package(entry)}: its {type(made).__name__} has no {', '.join(lacking)}")
    return made


def _read(reader: SpecFormat, name: str, path: Path) -> Imported:
    imported = _guarded(name, reader.read, path)
    if not isinstance(imported, Imported):
        raise _broken(name, f"It read a {type(imported).__name__}, not an Imported")
    return imported


def _guarded(name: str, call: Callable[[Path], Any], path: Path) -> Any:
    try:
        return call(path)
    except AgentInfraError:
        raise
    except Exception as error:  # foreign code again
        raise _broken(name, f"{type(error).__name__}: {error}") from error


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _installed() -> EntryPoints:
    from importlib.metadata import entry_points  # noqa: PLC0415  (as much CPU as all of this package's own)

    return entry_points(group=GROUP)


def _broken(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"The format {name} cannot be used", why=why, next_step="Correct, update or uninstall the package"
    )
