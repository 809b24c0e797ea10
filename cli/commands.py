"""Where each command of `lcdb` is, so that one can be read without the others: all of them take a third of a second."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

import typer

COMMANDS = {"up": "stacks", "preview": "stacks", "refresh": "stacks", "destroy": "stacks", "report": "stacks",
            "env": "stacks", "connect": "database", "outputs": "database", "seed": "seed"}
GROUPS = ("schema", "backup")


def gather(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """A command line of these commands and groups, all of them unless told which; no other's module is read."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
        "The database of LifeCompanion as code. Without --stack: dev where a Docker engine answers, else embedded."))
    # Without it, a command line of one command would be that command, and its name an argument.
    app.callback()(_nothing)
    for name in names:
        if name in GROUPS:
            app.add_typer(import_module(f"cli.{name}").app, name=name)
        else:
            app.command(name)(getattr(import_module(f"cli.{COMMANDS[name]}"), name))
    return app


def _nothing() -> None:
    pass
