"""What is known of a workspace: its files, found by words and by meaning, and what was learnt in it.

The names below load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinfra.memory.context import Context
    from agentinfra.memory.indexing_process import IndexingProcess
    from agentinfra.memory.long_term_memory import LongTermMemory, Remembered
    from agentinfra.memory.recall import Recollection
    from agentinfra.memory.records import MemoryRecord
    from agentinfra.memory.scopes import Scope
    from agentinfra.memory.short_term_memory import Compaction, ShortTermMemory
    from agentinfra.memory.statement import Statement
    from agentinfra.memory.vector_memory import VectorDatabaseMemory
    from agentinfra.memory.vector_store import Match, NumpyVectorStore, VectorEntry, VectorStore
    from agentinfra.memory.workspace_memory import WorkspaceMemory

__all__ = [
    "Compaction",
    "Context",
    "IndexingProcess",
    "LongTermMemory",
    "Match",
    "MemoryRecord",
    "NumpyVectorStore",
    "Recollection",
    "Remembered",
    "Scope",
    "ShortTermMemory",
    "Statement",
    "VectorDatabaseMemory",
    "VectorEntry",
    "VectorStore",
    "WorkspaceMemory",
]

_HOMES = {
    "Compaction": "short_term_memory",
    "Context": "context",
    "IndexingProcess": "indexing_process",
    "LongTermMemory": "long_term_memory",
    "Match": "vector_store",
    "MemoryRecord": "records",
    "NumpyVectorStore": "vector_store",
    "Recollection": "recall",
    "Remembered": "long_term_memory",
    "Scope": "scopes",
    "ShortTermMemory": "short_term_memory",
    "Statement": "statement",
    "VectorDatabaseMemory": "vector_memory",
    "VectorEntry": "vector_store",
    "VectorStore": "vector_store",
    "WorkspaceMemory": "workspace_memory",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
