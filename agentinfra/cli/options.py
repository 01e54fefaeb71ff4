"""Arguments and options of the verbs, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HERE = Path()

Idea = Annotated[str | None, typer.Argument(help="What to build, in your words.")]
Change = Annotated[
    bool,
    typer.Option("--change", help="Build what your edit of spec.md asks for, after a run was accepted; keep the rest."),
]
IdeaFile = Annotated[
    Path | None, typer.Option("--idea-file", "-f", help="Read the idea from a file; - is standard input.")
]
Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="Folder of the git repository.", show_default="this folder")
]
NewWorkspace = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="Where to build it.", show_default="a new folder")
]
Init = Annotated[bool, typer.Option("--init", help="Make the folder a git repository where it is none.")]
Model = Annotated[str | None, typer.Option("--model", "-m", help="provider:name, such as local:qwen2.5-coder-1.5b.")]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="An OpenAI-compatible endpoint.")]
Mode = Annotated[
    str, typer.Option("--mode", help="plan, review, auto-edit or unattended: how far it may go without asking.")
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Take recommended answers and approve the spec; never grants permissions.")
]
BudgetUsd = Annotated[float | None, typer.Option("--budget-usd", help="Most money to spend, in dollars.")]
BudgetRequests = Annotated[int | None, typer.Option("--budget-requests", help="Most model requests to make.")]
BudgetTokens = Annotated[int | None, typer.Option("--budget-tokens", help="Most tokens to use, read and written.")]
BudgetMinutes = Annotated[float, typer.Option("--budget-minutes", help="Longest time; what is proven by then stays.")]
MaxAttempts = Annotated[int | None, typer.Option("--max-attempts", help="Tries per task, before it is blocked.")]
Planner = Annotated[str | None, typer.Option("--planner", help="Your own planner, as module:Class.")]
Record = Annotated[Path | None, typer.Option("--record", help="Write the model traffic to this file.")]
Replay = Annotated[Path | None, typer.Option("--replay", help="Answer model calls from this record.")]
Cache = Annotated[bool, typer.Option("--cache", help="Keep model replies on disk, and take from there what is known.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Sampling seed.")]
Unsandboxed = Annotated[
    bool, typer.Option("--unsandboxed", help="Run generated code without a sandbox where there is none. Dangerous.")
]
Json = Annotated[bool, typer.Option("--json", help="Print events as JSON, one a line, and nothing else.")]

RunArgument = Annotated[str | None, typer.Argument(metavar="[RUN]", help="Id of a run; the newest one by default.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Id of a run; the newest one by default.")]
SomeTasks = Annotated[list[str], typer.Argument(metavar="TASK...", help="Task ids such as T-2.")]
OneTask = Annotated[str, typer.Argument(metavar="TASK", help="A task id such as T-2.")]
Note = Annotated[str, typer.Option("--note", help="What its models are told, in your words.", show_default=False)]
Words = Annotated[str, typer.Argument(metavar="TEXT", help="What the models are told, in your words.")]
TaskOption = Annotated[str, typer.Option("--task", help="For this task; for all by default.", show_default=False)]
Now = Annotated[bool, typer.Option("--now", help="Withdraw the request that a model is answering, and ask it anew.")]
UndoneTasks = Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Task ids; all undone by default.")]
Tasks = Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Task ids such as T-2; all by default.")]
RecordFile = Annotated[Path, typer.Argument(metavar="FILE", help="A record made by plan --record.")]
RecordIdea = Annotated[str | None, typer.Argument(help="The recorded run's idea, where the file does not hold it.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write one self-contained page to this file.")]
ReportJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
