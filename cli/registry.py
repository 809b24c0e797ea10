"""Where each command of `lcdb` is, so that one can be read without the others: all of them take a third of a second."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

COMMANDS = {"up": "stacks", "preview": "stacks", "refresh": "stacks", "destroy": "stacks", "report": "stacks",
            "env": "stacks", "connect": "database", "outputs": "database", "seed": "seed"}
GROUPS = ("schema", "backup")
# What ends `lcdb` itself, whatever command follows.
OPTIONS = frozenset({"--version", "--install-completion", "--show-completion"})


def gather(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """A command line of these commands and groups, all of them unless told which; no other's module is read."""
    app = _itself()
    for name in names:
        if name in GROUPS:
            app.add_typer(import_module(f"cli.commands.{name}").app, name=name)
        else:
            app.command(name)(getattr(import_module(f"cli.commands.{COMMANDS[name]}"), name))
    return app


def names_only() -> typer.Typer:
    """A command line that knows all names and does nothing, for a shell that completes one: no module is read."""
    app = _itself()
    for name in (*COMMANDS, *GROUPS):
        app.command(name)(_nothing)
    return app


def _itself() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=(
        "The database of LifeCompanion as code. Without --stack: dev where a Docker engine answers, else embedded."))
    # Without it, a command line of one command would be that command, and its name an argument.
    app.callback()(_options)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"lcdb {version('lifecompanion-database')}")
        raise typer.Exit


def _options(*, version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True,
                                                      help="Print the version.")] = False) -> None:
    pass


def _nothing() -> None:
    pass
