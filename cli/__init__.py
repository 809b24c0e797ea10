"""`lcdb`: the command line of the whole project; `make` calls it."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

OURS = frozenset({"backups", "cli", "infra", "schema", "seed"})
# A shell that completes a command line runs `lcdb` without arguments, and has the line so far in one of the others.
COMPLETING, LINES = "_LCDB_COMPLETE", ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")


def main() -> None:
    """Run one command. What our packages raise on purpose is one line on stderr and exit status 1, no traceback.

    So is a command that is written wrong: 2 is for `schema plan` and `check` to say that a database differs.
    """
    # What is read below lives as long as the process: to search it for garbage, now and at the end, would take a tenth
    # of a second.
    gc.disable()
    # Else pydantic reads the metadata of every installed package, in search of plugins: a sixth of a command's start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    import typer

    app = _app(_first_word())
    gc.freeze()
    # Nor does what a command itself still reads, some 100,000 objects, wait for a search at every 700. A part sent to
    # the bucket leaves ten behind, none of them its bytes.
    gc.set_threshold(150_000, 20, 20)
    gc.enable()
    usage_error = typer.BadParameter.__base__
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        status = 1
    except Exception as error:
        if usage_error is not None and isinstance(error, usage_error):
            # Late: it brings rich's Markdown, which no command needs that is written right.
            from typer import rich_utils

            rich_utils.rich_format_error(error)  # type: ignore[arg-type]
        elif type(error).__module__.split(".", 1)[0] in OURS:
            print(error, file=sys.stderr)
        else:
            raise
        status = 1
    gc.freeze()
    if status:
        sys.exit(status)


def _first_word() -> str:
    """The word after `lcdb`, of the line that a shell completes where one does; empty where there is none."""
    if COMPLETING not in os.environ:
        return sys.argv[1] if len(sys.argv) > 1 else ""
    line = next((os.environ[name] for name in LINES if name in os.environ), "")
    return [*line.split(), "", ""][1]


def _app(word: str) -> typer.Typer:
    """The command that the first word names; all of them where it names none, for help and for complaints."""
    from cli.registry import COMMANDS, GROUPS, OPTIONS, gather, names_only

    if word in COMMANDS or word in GROUPS:
        return gather([word])
    if word in OPTIONS or COMPLETING in os.environ:
        return names_only()
    from cli.app import app

    return app
