"""The options and arguments that several commands of `lcdb` share, each with its one name, variable and help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schema.model.change.step import Hazard

StackOption = Annotated[str | None, typer.Option("--stack", "-s", envvar="STACK", metavar="NAME",
                                                 help="The stack: dev, embedded, test, prod or one of your own.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DsnOption = Annotated[str | None, typer.Option("--dsn", envvar="LCDB_DSN", metavar="DSN", show_envvar=True, help=(
    "A database of your own in place of the stack's; put it in the variable to keep its password out of sight."))]

# Of `lcdb schema`.
DeclaredOption = Annotated[Path | None, typer.Option("--declared", metavar="FILE.py", help=(
    "A Python file with DECLARED = (Table(...), ...), or a function declared(), in place of the stack's schema."))]
SqlOption = Annotated[Path | None, typer.Option("--sql", metavar="DIR", help=(
    "A folder of CREATE statements in files *.sql, in place of Python declarations; needs a login that may CREATEDB."))]
AllowOption = Annotated[list[Hazard] | None, typer.Option("--allow", help="Allow a hazard by its name.")]
ProtectOption = Annotated[list[str] | None, typer.Option("--protect", metavar="NAME", help=(
    "An object that is not dropped, whatever is allowed."))]
SkipOption = Annotated[bool, typer.Option("--skip-unsupported", help=(
    "Leave out what the server's edition cannot have, in place of refusing it."))]

# Of `lcdb backup`.
ConfigOption = Annotated[Path | None, typer.Option("--config", envvar="LCDB_BACKUP_CONFIG", metavar="FILE", help=(
    "Settings in place of the stack's, as `lcdb backup config` prints them; mode 600."))]
IdArgument = Annotated[str | None, typer.Argument(metavar="ID", help=(
    "The backup, or the beginning of its id; the newest without."))]
SuperuserDsnOption = Annotated[str | None, typer.Option("--dsn", envvar="LCDB_DSN", metavar="DSN", help=(
    "A superuser's login to the server to use, in place of the stack's."))]
FirstOption = Annotated[bool, typer.Option("--as-first-written", help=(
    "Look past everything that was deleted or written over since, as after an attack."))]
ImageOption = Annotated[str | None, typer.Option("--image", help="Image with the server and PostgreSQL's programs.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=64, metavar="NUMBER", help=(
    "Connections of a logical backup or restore that work side by side."))]
