"""Tools that a model may call, each a thin and bounded door to one thing outside the agent."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinfra.tools.base_tool import BaseTool
    from agentinfra.tools.custom_tool import tool
    from agentinfra.tools.documentation_tool import DocumentationTool
    from agentinfra.tools.file_system_tool import FileSystemTool
    from agentinfra.tools.web_search_tool import WebSearchTool

__all__ = ["BaseTool", "DocumentationTool", "FileSystemTool", "WebSearchTool", "tool"]

_MODULES = {
    "BaseTool": "base_tool",
    "DocumentationTool": "documentation_tool",
    "FileSystemTool": "file_system_tool",
    "WebSearchTool": "web_search_tool",
    "tool": "custom_tool",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
