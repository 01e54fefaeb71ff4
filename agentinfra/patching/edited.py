"""A reply that changes one file by a patch instead of sending it whole."""

from __future__ import annotations

from agentinfra.core.errors import PatchError
from agentinfra.patching.draft import draft
from agentinfra.patching.gate import canonical_path
from agentinfra.patching.patch import Format
from agentinfra.patching.read_patch import find_patch

_FORMATS = (Format.SEARCH_REPLACE, Format.V4A, Format.UNIFIED)


def edited(reply: str, path: str, current: str) -> str | None:
    """The file after the patch in a reply.

    Args:
        reply: A model's raw reply.
        path: The only file that it may change.
        current: That file's text; empty where there is none.

    Returns:
        The new text; None where the reply holds no search/replace block, V4A patch or unified diff.

    Raises:
        PatchError: It holds one that is broken, does not fit, or changes another file.
    """
    patch = find_patch(reply, _FORMATS)
    if patch is None or not patch.edits:
        return None
    others = [name for name in patch.paths if canonical_path(name) != path]
    if others:
        raise PatchError(f"The patch changes {', '.join(others)}", next_step=f"Change only {path}")
    text = draft(patch, {path: current or None}.get).texts.get(path, current)
    if text is None:
        raise PatchError(f"The patch deletes {path}", next_step="Send its new text")
    return text
