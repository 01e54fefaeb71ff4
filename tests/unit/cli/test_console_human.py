import asyncio
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from agentinfra.cli.console_human import UNDECIDED, ConsoleHuman, pick_answer
from agentinfra.core.errors import InputError, RunStopped
from agentinfra.spec.requirements import Question

UNITS = Question("Q-1", "Which unit?", "It decides the formula", ("kilometres", "miles"), "kilometres")
OPEN = Question("Q-2", "Anything else?")


class Person:
    """Types the lines one after the other, then closes the input."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.screen = io.StringIO()
        self.console = Console(file=self.screen, width=80)
        self.pauses: list[str] = []

    async def read(self) -> str:
        await asyncio.sleep(0)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.pauses.append("in")
        yield
        self.pauses.append("out")

    def human(self, *, yes: bool = False) -> ConsoleHuman:
        return ConsoleHuman(self.console, self.read, yes=yes, paused=self.paused)

    @property
    def saw(self) -> str:
        return self.screen.getvalue()


def nobody(*, yes: bool = False) -> ConsoleHuman:
    return ConsoleHuman(Console(file=io.StringIO()), None, yes=yes)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("", "kilometres"),
        ("2", "miles"),
        (" miles ", "miles"),
        ("nautical miles", "nautical miles"),
        ("3", ""),
        ("0", ""),
    ],
)
def test_what_a_typed_line_means(typed: str, answer: str) -> None:
    assert pick_answer(UNITS, typed) == answer


def test_numbers_that_are_options_or_free_answers_are_themselves() -> None:
    sizes = Question("Q", "Size?", options=("10", "2"))
    assert pick_answer(sizes, "2") == "2"
    assert pick_answer(OPEN, "7") == "7"
    assert pick_answer(OPEN, "") == ""


async def test_a_question_shows_options_recommendation_and_reason() -> None:
    person = Person("2")
    assert await person.human().answer(UNITS) == "miles"
    for shown in (
        "Q-1 · Which unit?",
        "It decides the formula",
        "1  kilometres (recommended)",
        "2  miles",
        "Enter takes",
    ):
        assert shown in person.saw
    assert person.pauses == ["in", "out"]


async def test_a_question_is_asked_until_there_is_an_answer() -> None:
    person = Person("9", "", "none")
    assert await person.human().answer(Question("Q", "?", options=("a", "b"))) == "none"
    assert person.saw.count("There is no such option") == 2


async def test_questions_come_one_at_a_time() -> None:
    person = Person("1", "fine")
    human = person.human()
    answers = await asyncio.gather(human.answer(UNITS), human.answer(OPEN))
    assert answers == ["kilometres", "fine"]
    assert person.pauses == ["in", "out", "in", "out"]
    assert person.saw.index("Your answer") < person.saw.index("Anything else?")


async def test_yes_takes_what_is_recommended_and_approves_without_asking() -> None:
    human = nobody(yes=True)
    assert await human.answer(UNITS) == "kilometres"
    assert await human.answer(Question("Q", "?", options=("a", "b"))) == "a"
    assert await human.answer(OPEN) == UNDECIDED
    assert await human.approve(Path("spec.md"))


async def test_yes_never_grants_a_permission() -> None:
    assert not await nobody(yes=True).permit("Run make", "make")
    person = Person("n", "", "y", "YES")
    human = person.human(yes=True)
    assert [await human.permit("Run make", "make all") for _ in range(4)] == [False, False, True, True]
    assert "make all" in person.saw


async def test_where_nobody_can_be_asked_nothing_hangs() -> None:
    with pytest.raises(InputError, match="Which unit") as caught:
        await nobody().answer(UNITS)
    assert "--yes" in caught.value.next_step
    with pytest.raises(InputError):
        await nobody().approve(Path("spec.md"))
    assert not await nobody().permit("Run make", "make")


@pytest.mark.parametrize(("typed", "approved"), [("a", True), ("Approve", True), ("r", False), ("reject", False)])
async def test_an_approval_needs_a_clear_word(typed: str, approved: bool) -> None:
    person = Person("", "what?", typed)
    assert await person.human().approve(Path("/data/spec.md")) is approved
    assert "/data/spec.md" in person.saw
    assert person.saw.count("approve, edit or reject?") == 3


async def test_edit_opens_the_persons_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tmp_path / "spec.md"
    spec.write_text("draft")
    editor = tmp_path / "editor.py"
    editor.write_text("import sys, pathlib\npathlib.Path(sys.argv[1]).write_text('edited')\n")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{editor}'")
    assert await Person("e", "a").human().approve(spec)
    assert spec.read_text() == "edited"


async def test_without_a_working_editor_the_file_can_be_edited_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    broken = Person("edit", "a")
    assert await broken.human().approve(Path("spec.md"))
    assert "does not start" in broken.saw
    monkeypatch.delenv("VISUAL")
    monkeypatch.delenv("EDITOR", raising=False)
    by_hand = Person("edit", "", "a")
    assert await by_hand.human().approve(Path("spec.md"))
    assert "press Enter" in by_hand.saw


async def test_a_closed_input_stops_the_run() -> None:
    for ask in (Person().human().answer(OPEN), Person().human().approve(Path("s")), Person().human().permit("t", "d")):
        with pytest.raises(RunStopped):
            await ask


async def test_a_waiting_question_can_be_cancelled() -> None:
    async def never() -> str:
        await asyncio.sleep(3600)
        return ""

    human = ConsoleHuman(Console(file=io.StringIO()), never)
    asking = asyncio.create_task(human.answer(OPEN))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_hostile_text_is_shown_plain() -> None:
    person = Person("x", "n")
    human = person.human()
    await human.answer(Question("Q\x1b[2J", "a\x1b]0;t\x07b [red]c[/red]\nforged line", "\u202ewhy"))
    await human.permit("run [bold]it\x07", "rm \u202e-rf\nsecond line")
    assert not set(person.saw) & {"\x1b", "\x07", "\u202e"}
    assert "ab [red]c[/red] forged line" in person.saw
    assert "rm -rf\nsecond line" in person.saw
    assert "invisible characters" in person.saw
