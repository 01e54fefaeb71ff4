"""The models that can be chosen, and the pieces of answers of the editor's own."""

from __future__ import annotations

import asyncio

from agentinfra_server.features.answering import Handler, answering
from agentinfra_server.protocol import messages as wire
from agentinfra_server.session.connection import Connection


def handlers(server: Connection) -> dict[str, Handler]:
    """What answers the request and heeds the notification."""
    return {
        "agentinfra/models/list": answering(server, wire.ModelsListParams, list_models),
        "agentinfra/lm/chunk": server.editor.take_chunk,
    }


async def list_models(_server: Connection, _params: wire.ModelsListParams) -> wire.ModelsListResult:
    """What can be asked here: by a key of the environment, over this machine's servers, and embedded."""
    # Not before it is asked for.
    from agentinfra.models.catalog import DEFAULT_MODEL  # noqa: PLC0415
    from agentinfra.models.local_servers import find_local_servers  # noqa: PLC0415
    from agentinfra.models.model_manager import CLAUDE, model_choices  # noqa: PLC0415

    names = await asyncio.to_thread(model_choices, servers=await find_local_servers())
    hosted = ("openai:", CLAUDE)
    models = [
        _embedded(name) or wire.ModelInfo(id=name, source="api" if name.startswith(hosted) else "local")
        for name in names
    ]
    advised = _embedded(f"local:{DEFAULT_MODEL}", is_here=False)
    if advised is not None and advised.id not in names:
        models.append(advised)
    return wire.ModelsListResult(models=models)


def _embedded(name: str, *, is_here: bool = True) -> wire.ModelInfo | None:
    from agentinfra.models.catalog import CATALOG  # noqa: PLC0415  (as above)

    entry = CATALOG.get(name.removeprefix("local:"))
    if entry is None:
        return None
    return wire.ModelInfo(id=name, source="local", licence=entry.licence, size_bytes=entry.size, is_here=is_here)
