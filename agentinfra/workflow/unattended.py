"""The human of a run that nobody watches."""

from __future__ import annotations

from pathlib import Path

from agentinfra.spec.requirements import Question


class Unattended:
    """Takes recommended answers and approves specifications; permits nothing."""

    async def answer(self, question: Question) -> str:
        """The recommended answer."""
        return question.recommended

    async def approve(self, spec_path: Path) -> bool:  # noqa: ARG002 (the file is approved as it stands)
        """Yes."""
        return True

    async def permit(self, title: str, detail: str) -> bool:  # noqa: ARG002 (nothing is looked at)
        """No: silence denies."""
        return False
