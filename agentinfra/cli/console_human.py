"""The person at the terminal: questions one at a time, the approval of the specification, permissions."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agentinfra.cli.terminal import ReadLine
from agentinfra.core.errors import InputError, RunStopped
from agentinfra.security.clean import clean_line, clean_text
from agentinfra.spec.requirements import Question

DETAIL_CHARACTERS = 1_000_000
UNDECIDED = "No preference: take the simplest reading"


class ConsoleHuman:
    """Asks at a terminal; implements :class:`agentinfra.workflow.run_options.Human`.

    Args:
        console: Where questions are printed.
        read_line: Reads an answer; None where nobody can be asked.
        yes: Take recommended answers and approve the specification without asking; permissions are asked all the same.
        paused: Makes room on the terminal while a person is asked.
    """

    def __init__(
        self,
        console: Console,
        read_line: ReadLine | None,
        *,
        yes: bool = False,
        paused: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._console = console
        self._read_line = read_line
        self._yes = yes
        self._paused = paused
        # Tasks run side by side, but a person answers one question at a time.
        self._turn = asyncio.Lock()

    async def answer(self, question: Question) -> str:
        """Ask the question; Enter takes the recommended answer, a number an option, anything else is own words.

        Raises:
            InputError: Nobody can be asked.
            RunStopped: The person closed the input.
        """
        if self._yes:
            return _recommended(question)
        read_line = self._reader("a question", question.text)
        async with self._turn:
            with self._paused():
                self._show_question(question)
                while not (answer := pick_answer(question, await self._ask("Your answer", read_line))):
                    self._console.print("  There is no such option; its number, or your own words.", style="yellow")
        return answer

    async def approve(self, spec_path: Path) -> bool:
        """Ask for approve, edit or reject until it is one of the first and the last.

        Raises:
            InputError: Nobody can be asked.
            RunStopped: The person closed the input.
        """
        if self._yes:
            return True
        read_line = self._reader("the approval of the specification", str(spec_path))
        async with self._turn:
            with self._paused():
                self._say("\nThe specification is ready: ", str(spec_path), "bold")
                while True:
                    choice = (await self._ask("approve, edit or reject?", read_line)).strip().lower()
                    if choice in ("a", "approve", "r", "reject"):
                        return choice[0] == "a"
                    if choice in ("e", "edit"):
                        await self._edit(spec_path, read_line)

    async def permit(self, title: str, detail: str) -> bool:
        """Ask for a permission; no is the default, and the answer where nobody can be asked.

        Raises:
            RunStopped: The person closed the input.
        """
        if self._read_line is None:
            self._say("Not permitted, since nobody can be asked: ", title, "yellow")
            return False
        async with self._turn:
            with self._paused():
                self._say("\nPermission: ", title, "bold")
                self._show_detail(detail)
                reply = await self._ask("Allow this? [y/N]", self._read_line)
        return reply.strip().lower() in ("y", "yes")

    def _reader(self, what: str, detail: str) -> ReadLine:
        if self._read_line is None:
            raise InputError(
                f"Nobody can be asked for {what}: {clean_line(detail)}",
                why="Standard input is not a terminal",
                next_step="Pass --yes (it takes recommended answers and approves the specification) or use a terminal",
            )
        return self._read_line

    async def _ask(self, prompt: str, read_line: ReadLine) -> str:
        self._console.print(prompt, style="bold cyan", markup=False, end=" › ")
        self._console.file.flush()
        try:
            return await read_line()
        except EOFError as error:
            self._console.print()
            raise RunStopped("Stopped: the input was closed", next_step="agentinfra resume") from error

    def _say(self, lead: str, text: str, style: str) -> None:
        self._console.print(Text.assemble((lead, style), clean_line(text, 2_000)), soft_wrap=True)

    def _show_question(self, question: Question) -> None:
        self._say(f"\n{clean_line(question.id)} · ", question.text, "bold")
        if question.why:
            self._say("  why: ", question.why, "dim")
        for number, option in enumerate(question.options, 1):
            mark = " (recommended)" if option == question.recommended else ""
            self._say(f"  {number}  ", option + mark, "cyan")
        if question.recommended:
            self._say("  Enter takes: ", question.recommended, "dim")

    def _show_detail(self, detail: str) -> None:
        shown = clean_text(detail, DETAIL_CHARACTERS)
        self._console.print(Text(shown), soft_wrap=True)
        if shown != detail:
            self._console.print("Control or invisible characters in it are not shown.", style="yellow")

    async def _edit(self, path: Path, read_line: ReadLine) -> None:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if not editor:
            await self._ask("Edit the file in any editor, save it, then press Enter", read_line)
            return
        try:
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), str(path))
        except (OSError, ValueError) as error:
            self._say(f"{editor} does not start: ", str(error), "yellow")
            return
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()


def pick_answer(question: Question, reply: str) -> str:
    """What a typed line means: the recommendation, an option by number or text, or the person's own words.

    Returns:
        The answer, or "" where the line is none: nothing to take, or a number without an option.
    """
    reply = reply.strip()
    if not reply:
        return question.recommended
    if reply in question.options or not question.options or not reply.isdecimal():
        return reply
    number = int(reply)
    return question.options[number - 1] if 1 <= number <= len(question.options) else ""


def _recommended(question: Question) -> str:
    return question.recommended or next(iter(question.options), UNDECIDED)
