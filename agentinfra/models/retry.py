"""Asking again: with growing, scattered waits, as the provider wishes, and never after anything was told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from agentinfra.core.errors import ModelError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.heard import Heard
from agentinfra.models.wrapper_model import WrapperModel

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to go on trying; times in seconds.

    Attributes:
        tries: Most requests for one call, the first included.
        first_wait: Before the second try; doubled with each further one. A half of each wait is left to chance.
        longest_wait: Of one wait. A provider that wants to be left alone for longer is not asked again: somebody else
            should answer, or the person know.
        patience: No try begins later than this after the first.
    """

    tries: int = 4
    first_wait: float = 0.5
    longest_wait: float = 60.0
    patience: float = 120.0

    def wait(self, error: ModelError, tried: int, chance: float) -> float | None:
        """How long to wait before the next try; None where there is none.

        Args:
            error: Why the last one failed.
            tried: How many there were.
            chance: From 0 to 1, to scatter callers that failed together.
        """
        if not error.transient or tried >= self.tries:
            return None
        if error.retry_after is not None:
            # Not a moment sooner than the provider said; later, so that not all come back at once.
            return None if error.retry_after > self.longest_wait else error.retry_after + chance * self.first_wait
        return min(self.longest_wait, self.first_wait * 2 ** (tried - 1)) * (1 + chance) / 2


class Retrier:
    """Tries a call until it succeeds or the policy is at its end.

    Args:
        policy: How often and how long.
        seed: Of the chance in the waits; None takes another one each time.
        sleep: Waits.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        seed: int | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy or RetryPolicy()
        self._random = random.Random(seed)  # noqa: S311  (scatters waits, keeps no secret)
        self._sleep = sleep
        self._clock = clock

    async def run(self, ask: Callable[[], Awaitable[T]], heard: Heard | None = None) -> T:
        """Call until it succeeds.

        Args:
            ask: The call.
            heard: Knows whether anything of the reply was told.

        Raises:
            ModelError: The last try's; it says how many there were.
        """
        begun, tried = self._clock(), 0
        while True:
            tried += 1
            try:
                return await ask()
            except ModelError as error:
                wait = self._wait(error, tried, heard)
                if wait is None or self._clock() - begun + wait > self._policy.patience:
                    _tell_tries(error, tried)
                    raise
            await self._sleep(wait)

    def _wait(self, error: ModelError, tried: int, heard: Heard | None) -> float | None:
        if heard is not None and heard.anything:
            return None
        return self._policy.wait(error, tried, self._random.random())


class RetryingModel(WrapperModel):
    """Asks the inner model again when it fails with what may pass by itself, as long as nothing of a reply was told.

    Args:
        inner: The model; it must not try again by itself.
        retrier: How often and how long.
    """

    def __init__(self, inner: ChatModel, retrier: Retrier | None = None) -> None:
        super().__init__(inner)
        self._retrier = retrier or Retrier()

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request.

        Raises:
            ModelError: As of the inner model's last try.
        """
        heard = Heard(request)
        return await self._retrier.run(lambda: self._inner.complete(heard.request), heard)


def _tell_tries(error: ModelError, tried: int) -> None:
    if tried > 1:
        error.why = f"{error.why.rstrip('.')}; asked {tried} times".removeprefix("; ")
