"""Questions of runs that wait for a person, who may answer in several places; the first answer counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from agentinfra_server.protocol.messages import QuestionParams


@dataclass
class OpenQuestion:
    """A question and the answer that it waits for; None where it was left open."""

    params: QuestionParams
    answer: asyncio.Future[str | None]


@dataclass
class Questions:
    """All that are open, oldest first."""

    _open: dict[tuple[str, str], OpenQuestion] = field(default_factory=dict[tuple[str, str], OpenQuestion])

    def open(self, params: QuestionParams) -> OpenQuestion:
        """Put a question; one with the same ids takes its place, and the older one is left open."""
        key = (params.run_id, params.question_id)
        known = self._open.pop(key, None)
        if known is not None and not known.answer.done():
            known.answer.set_result(None)
        question = self._open[key] = OpenQuestion(params, asyncio.get_running_loop().create_future())
        question.answer.add_done_callback(lambda _: self._forget(key, question))
        return question

    def settle(self, run: str, question: str, answer: str | None) -> bool:
        """Answer a question; False where it is not open any more."""
        known = self._open.get((run, question))
        if known is None or known.answer.done():
            return False
        known.answer.set_result(answer)
        return True

    def waiting(self, run: str | None = None) -> list[QuestionParams]:
        """What is open, of one run or of all."""
        waiting = [one.params for one in self._open.values() if not one.answer.done()]
        return [one for one in waiting if run in (None, one.run_id)]

    def _forget(self, key: tuple[str, str], question: OpenQuestion) -> None:
        if self._open.get(key) is question:
            del self._open[key]
