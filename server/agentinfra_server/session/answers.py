"""Answers by hand: what a person writes under the questions of a specification counts when it is saved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentinfra.spec.document import question_of
from agentinfra.spec.markdown import one_line
from agentinfra.spec.spec_source import read_spec
from agentinfra_server.session.spec_documents import spec_path

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection


class Answers:
    """Takes the answers out of saved specifications of runs.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server

    async def saved(self, uri: str) -> None:
        """A document was saved: its run goes on with the answers that it waits for."""
        path = spec_path(uri)
        document = self._server.workspace.text_documents.get(uri)
        waiting = [one for one in self._server.runs.questions.waiting() if one.kind == "question"]
        if path is None or path.name != "spec.md" or document is None or not waiting:
            return
        owner = await asyncio.to_thread(self._server.run_documents.place, path)
        run = owner[1] if owner else ""
        said = await asyncio.to_thread(_answers, document.source)
        for one in waiting:
            answer = said.get(one_line(one.message))
            if one.run_id == run and answer:
                self._server.runs.questions.settle(run, one.question_id, answer)


def _answers(text: str) -> dict[str, str]:
    """What is answered, by the words of the question: its number may be another one in another document."""
    questions = (question_of(one) for one in read_spec(text).questions)
    return {one_line(one.text): one.answer for one in questions if one.answer}
