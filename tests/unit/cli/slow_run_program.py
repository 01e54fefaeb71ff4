"""A command like ``agentinfra plan --json`` whose run goes on for ever: python slow_run_program.py FOLDER [many]."""

import asyncio
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from agentinfra.cli import main
from agentinfra.cli.session import choose_view, drive
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog
from tests.unit.run_events import RUN


class Endless:
    def __init__(self, folder: Path) -> None:
        self.log = SqliteEventLog(folder / "events.db")

    async def plan(self, on_start: Callable[[str], None]) -> str:
        self.log.append(RUN, EventDraft("state_update", {"state": "planning"}))
        on_start(RUN)
        for number in itertools.count():
            await asyncio.sleep(0.02 if "many" in sys.argv else 3600)
            self.log.append(RUN, EventDraft("notice", {"level": "info", "text": f"{number} " + "x" * 10_000}))
        return RUN


def run() -> None:
    app = Endless(Path(sys.argv[1]))
    raise typer.Exit(asyncio.run(drive(app, app.plan, choose_view(json=True))))


commands = typer.Typer(pretty_exceptions_enable=False)
commands.command(context_settings={"allow_extra_args": True})(run)
main.commands = lambda: commands(args=[])
sys.exit(main.main())
