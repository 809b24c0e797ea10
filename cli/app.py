"""The commands of `lcdb`, gathered."""

from __future__ import annotations

import typer

from cli import backup, database, schema, seed, stacks

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
    "The database of LifeCompanion as code. Without --stack: dev where a Docker engine answers, else embedded."))
for command in (stacks.up, stacks.preview, stacks.refresh, stacks.destroy, stacks.report, stacks.env,
                database.connect, database.outputs, seed.seed):
    app.command()(command)
app.add_typer(schema.app, name="schema")
app.add_typer(backup.app, name="backup")
