"""What a repository's settings files ask of its style: line length, quotes, formatters, the oldest Python. Pure."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast

SETTINGS_FILES = ("pyproject.toml", "ruff.toml", ".ruff.toml", "setup.cfg", "tox.ini", ".flake8", ".editorconfig")
_FORMATTERS = ("black", "ruff", "isort", "yapf", "autopep8", "mypy", "pyright")
_VALUE = re.compile(r"[\w.<>=!~^*, +-]{1,60}")
_GLOBS = ("*.py", "*.{py}", "*")


def settings_lines(settings: Mapping[str, str]) -> list[str]:
    """What the settings say, one line each; what cannot be read says nothing.

    Args:
        settings: Text by path; those of :data:`SETTINGS_FILES` are known.
    """
    project = _toml(settings.get("pyproject.toml", ""))
    own = {name: _ini(settings.get(name, "")) for name in ("setup.cfg", "tox.ini", ".flake8", ".editorconfig")}
    tools = _table(project, "tool")
    ruff = _table(project, "tool", "ruff") or _toml(settings.get("ruff.toml", "") or settings.get(".ruff.toml", ""))
    return [*_length(tools, ruff, own), *_quotes(ruff, tools), *_used(tools, ruff), *_python(project, own)]


def _length(tools: Mapping[str, Any], ruff: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    editor = [_table(own[".editorconfig"], glob).get("max_line_length") for glob in _GLOBS]
    found: list[object] = [
        ruff.get("line-length"),
        _table(tools, "black").get("line-length"),
        *(_table(own[name], "flake8").get("max-line-length") for name in (".flake8", "setup.cfg", "tox.ini")),
        *editor,
    ]
    lengths = [str(one) for one in found if str(one).isdecimal()]
    if lengths:
        yield f"Lines have at most {lengths[0]:.6} characters."


def _quotes(ruff: Mapping[str, Any], tools: Mapping[str, Any]) -> Iterator[str]:
    style = _table(ruff, "format").get("quote-style")
    if _table(tools, "black").get("skip-string-normalization") is True:
        return
    if style in ("single", "double"):
        yield f"The formatter makes all quotes {style}."


def _used(tools: Mapping[str, Any], ruff: Mapping[str, Any]) -> Iterator[str]:
    used = [name for name in _FORMATTERS if name in tools or (name == "ruff" and ruff)]
    if used:
        yield f"Its settings name these tools: {', '.join(used)}."


def _python(project: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    asked = _table(project, "project").get("requires-python") or _table(own["setup.cfg"], "options").get(
        "python_requires"
    )
    if isinstance(asked, str) and _VALUE.fullmatch(asked):
        yield f"It has to run on Python {asked}."


def _table(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """A table in a table; empty where there is none, or something else of its name."""
    for name in names:
        found = data.get(name)
        data = cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
    return data


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _ini(text: str) -> Mapping[str, Any]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        # Settings of editors may begin before the first section.
        parser.read_string(text if text.lstrip().startswith("[") else f"[top]\n{text}")
    except configparser.Error:
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}
