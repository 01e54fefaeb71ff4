"""The verbs about specifications: ``agentinfra spec …``."""

from __future__ import annotations

import typer

from agentinfra.cli import spec_check, spec_import, spec_trace

commands = typer.Typer(help="Specifications: check them, trace them, import them.", no_args_is_help=True)
commands.command()(spec_check.check)
commands.command()(spec_trace.trace)
commands.command("import")(spec_import.import_spec)
