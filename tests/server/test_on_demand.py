"""Messages whose handlers are loaded when they come are begun in the order in which they came."""

from __future__ import annotations

import asyncio
import sys
import time
from types import ModuleType
from typing import Any

from agentinfra_server.features.on_demand import deferred
from agentinfra_server.session.connection import Connection


def feature(name: str, seconds: float, begun: list[str]) -> ModuleType:
    """A module that takes so long to load, and notes what it is told."""

    def handlers(_server: Connection) -> dict[str, Any]:
        async def heed(word: str) -> None:
            begun.append(word)
            await asyncio.sleep(0)

        time.sleep(seconds)
        return {"heed": heed}

    made = ModuleType(name)
    made.__dict__["handlers"] = handlers
    return made


async def test_what_comes_while_a_module_loads_is_begun_after_it(monkeypatch):
    begun: list[str] = []
    for name, seconds in (("slow", 0.2), ("quick", 0.0)):
        full = f"agentinfra_server.features.{name}"
        monkeypatch.setitem(sys.modules, full, feature(full, seconds, begun))
    server, turn = Connection(), asyncio.Lock()
    slow, quick = (deferred(server, turn, name, "heed") for name in ("slow", "quick"))
    await quick("first")
    await asyncio.gather(*(handle(word) for handle, word in ((slow, "a"), (quick, "b"), (slow, "c"), (quick, "d"))))
    assert begun == ["first", "a", "b", "c", "d"]


async def test_a_message_that_is_given_up_while_its_module_loads_keeps_nobody_waiting(monkeypatch):
    begun: list[str] = []
    monkeypatch.setitem(sys.modules, "agentinfra_server.features.slow", feature("slow", 0.2, begun))
    handle = deferred(Connection(), asyncio.Lock(), "slow", "heed")
    given_up = asyncio.create_task(handle("a"))
    await asyncio.sleep(0.01)
    given_up.cancel()
    await asyncio.wait_for(handle("b"), 5)
    assert given_up.cancelled() and begun == ["b"]
