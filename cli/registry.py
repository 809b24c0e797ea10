"""The commands of `lcdb` by name: the module of one is imported without the others, of which all take 0.3 s."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

COMMANDS = {"up": "stacks", "preview": "stacks", "refresh": "stacks", "destroy": "stacks", "report": "stacks",
            "env": "stacks", "connect": "database", "outputs": "database", "seed": "seed"}
GROUPS = ("schema", "backup")
# Options of `lcdb` itself, which do their work and end it, whatever command follows.
OPTIONS = frozenset({"--version", "--install-completion", "--show-completion"})


def gather(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """Build the command line of these commands and groups, by default of all; imports their modules and no other."""
    app = _make_root()
    for name in names:
        if name in GROUPS:
            app.add_typer(import_module(f"cli.commands.{name}").app, name=name)
        else:
            app.command(name)(getattr(import_module(f"cli.commands.{COMMANDS[name]}"), name))
    return app


def names_only() -> typer.Typer:
    """Build a command line of all names whose commands do nothing, for a shell that completes a name; imports none."""
    app = _make_root()
    for name in (*COMMANDS, *GROUPS):
        app.command(name)(_do_nothing)
    return app


def _make_root() -> typer.Typer:
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


def _do_nothing() -> None:
    pass
