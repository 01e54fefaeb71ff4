"""Doors between synchronous and asynchronous code.

The library is async at heart; the specification's synchronous names are doors to it. A door works from a plain
script (on one background loop, so that connections opened by one call serve the next) and from a thread that
asynchronous code started with :func:`in_thread` (on the loop that it came from). Inside a running event loop a
door would block that loop, so it raises and names the asynchronous method instead.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, TypeVar

from agentinfra.core.errors import InputError

T = TypeVar("T")

_home_loop: contextvars.ContextVar[asyncio.AbstractEventLoop | None] = contextvars.ContextVar("home_loop", default=None)


F = TypeVar("F", bound=Callable[..., Any])


def door(method: F) -> F:
    """Mark a synchronous method as a door, so that a subclass's own version of it can be told apart."""
    method.__dict__["is_door"] = True
    return method


def is_overridden(owner: object, name: str) -> bool:
    """Whether a subclass or the instance replaced the door of that name."""
    return not getattr(getattr(owner, name), "is_door", False)


def wait(coroutine: Coroutine[Any, Any, T], instead: str) -> T:
    """Run the coroutine to its end and return its result; the body of every synchronous method.

    Args:
        coroutine: What to run.
        instead: The asynchronous call that a caller inside an event loop should make, such as ``await agent.arun()``.

    Raises:
        InputError: Called inside a running event loop.
    """
    if _is_in_loop():
        coroutine.close()
        raise InputError(
            "A synchronous method was called inside a running event loop",
            why="It would stop every other task of that loop",
            next_step=f"Call `{instead}`",
        )
    future = asyncio.run_coroutine_threadsafe(coroutine, _home_loop.get() or _background_loop())
    try:
        return future.result()
    except BaseException:
        # Ctrl-C in a script reaches only this thread; the work must end with it.
        future.cancel()
        raise


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run a person's synchronous method in a thread of its own, its doors leading back to this loop.

    The shared thread pool is not used: doors nest (a planner's method waits for an engineer's), and a pool that is
    full of waiting callers never frees the thread that the innermost one needs.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # pyright: ignore[reportArgumentType]  # T may itself be optional

    def work() -> None:
        _home_loop.set(loop)
        try:
            result = function(*arguments)
        except BaseException as error:  # handed to the awaiting task, whatever it is
            loop.call_soon_threadsafe(settle, None, error)
        else:
            loop.call_soon_threadsafe(settle, result, None)

    threading.Thread(target=context.run, args=(work,), daemon=True, name=f"agentinfra-{function!r:.40}").start()
    return await done


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@cache
def _background_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="agentinfra-loop").start()
    return loop
