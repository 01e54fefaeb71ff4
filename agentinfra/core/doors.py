"""Doors between synchronous and asynchronous code.

The library is async at heart; the specification's synchronous names are doors to it. A door works from a plain
script (on one background loop, so that connections opened by one call serve the next) and from a thread that
asynchronous code started with :func:`in_thread` (on the loop that it came from). Inside a running event loop a
door would block that loop, so it raises and names the asynchronous method instead.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cache, partial
from typing import Any, TypeVar

from agentinfra.core.errors import InputError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

CLEANUP_SECONDS = 5.0  # how long an interrupted door waits for its work to end processes and close files


class _Home:
    """The loop that doors of one thread lead to, and what went through them and is not over."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._open: dict[concurrent.futures.Future[Any], Coroutine[Any, Any, Any]] = {}
        self._closed = False
        self._guard = threading.Lock()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        with self._guard:
            if self._closed:
                coroutine.close()
                raise asyncio.CancelledError
            future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
            self._open[future] = coroutine
        future.add_done_callback(lambda over: self._open.pop(over, None))
        return future

    async def aclose(self) -> None:
        """Cancel what is open and wait for its end; from now on nothing gets through."""
        with self._guard:
            self._closed = True
            going = dict(self._open)
        for future in going:
            future.cancel()
        await _until_over(*going.values())


_home: contextvars.ContextVar[_Home | None] = contextvars.ContextVar("home", default=None)


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
    home = _home.get() or _background()
    future = home.submit(coroutine)
    try:
        return future.result()
    except concurrent.futures.CancelledError:
        # The asynchronous one is no Exception: a person's `except Exception` does not take it for a failure.
        raise asyncio.CancelledError from None
    except BaseException:
        # Ctrl-C in a script reaches only this thread; the work must end with it.
        if future.cancel():
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_until_over(coroutine), home.loop).result(CLEANUP_SECONDS)
        raise


async def _until_over(*coroutines: Coroutine[Any, Any, Any]) -> None:
    await asyncio.sleep(0)  # one that was handed over just now becomes a task first
    tasks = [task for task in asyncio.all_tasks() if task.get_coro() in coroutines]
    if tasks:
        await asyncio.wait(tasks, timeout=CLEANUP_SECONDS)


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run a person's synchronous method in a thread of its own, its doors leading back to this loop.

    The shared thread pool is not used: doors nest (a planner's method waits for an engineer's), and a pool that is
    full of waiting callers never frees the thread that the innermost one needs. A thread cannot be stopped from
    outside: when the caller is cancelled, what the thread waits for is cancelled, and its next door is closed.
    """
    home = _Home(asyncio.get_running_loop())
    done: asyncio.Future[T] = home.loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        _home.set(home)
        settle = partial(_settle, done, *_outcome(function, *arguments))
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            home.loop.call_soon_threadsafe(settle)

    threading.Thread(target=context.run, args=(work,), daemon=True, name=f"agentinfra-{_name(function)}").start()
    try:
        return await done
    except asyncio.CancelledError:
        await home.aclose()
        raise


def _outcome(function: Callable[..., T], *arguments: object) -> tuple[T | None, BaseException | None]:
    try:
        return function(*arguments), None
    except StopIteration as error:
        # It means something else to whoever awaits, who would never hear of it.
        stopped = RuntimeError(f"{_name(function)} raised StopIteration")
        stopped.__cause__ = error
        return None, stopped
    except BaseException as error:  # handed to the awaiting task, whatever it is
        return None, error


def _settle(done: asyncio.Future[T], result: T | None, error: BaseException | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)  # pyright: ignore[reportArgumentType]  # T may itself be optional


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", "call"))


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@cache
def _background() -> _Home:
    home = _Home(asyncio.new_event_loop())
    threading.Thread(target=_serve, args=(home.loop,), daemon=True, name="agentinfra-loop").start()
    return home


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        # These two end a loop as well as the task that raised them; the caller of the door waits for the task's.
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()
