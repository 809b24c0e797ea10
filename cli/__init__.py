"""`lcdb`: the command line of the whole project; `make` calls it."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

# The packages whose exceptions are messages for the user.
OURS = frozenset({"backups", "cli", "infra", "schema", "seed"})
# A shell that completes a command line runs `lcdb` without arguments, sets the first variable, and passes the line so
# far in one of the others: bash in COMP_WORDS, other shells in the last.
COMPLETING, LINES = "_LCDB_COMPLETE", ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")


def main() -> None:
    """Run one command. An exception of our packages prints its message to stderr, without a traceback; exit status 1.

    Wrong options and arguments have exit status 1 too: 2 is how `schema plan` and `check` say that a database differs.
    """
    # Else pydantic searches the metadata of every installed package for plugins: a sixth of a command's start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with _importing_without_collection():
        import typer

        app = _app(_first_word())
    usage_error = typer.BadParameter.__base__
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        status = 1
    except Exception as error:
        if usage_error is not None and isinstance(error, usage_error):
            # Imported late: it brings rich's Markdown, which only this message needs.
            from typer import rich_utils

            rich_utils.rich_format_error(error)  # type: ignore[arg-type]
        elif type(error).__module__.split(".", 1)[0] in OURS:
            print(error, file=sys.stderr)
        else:
            raise
        status = 1
    if status:
        sys.exit(status)


@contextmanager
def _importing_without_collection() -> Iterator[None]:
    """Keep the garbage collector from searching what is imported here, now and when the process ends.

    Modules live as long as the process, so a search of them finds nothing. Without these settings `lcdb --help` takes
    26 % more user CPU and `lcdb backup run --help` 21 % more (medians of 20 paired runs). Afterwards the collector is
    on, but searches at 150,000 new objects and not at 700: a command imports some 100,000 more. Memory does not suffer:
    a part sent to the bucket leaves ten objects for the collector, and none of them holds the part's bytes.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(150_000, 20, 20)
    gc.enable()
    atexit.register(gc.freeze)


def _first_word() -> str:
    """The word after `lcdb`, or in the line that a shell wants completed; empty where there is none."""
    if COMPLETING not in os.environ:
        return sys.argv[1] if len(sys.argv) > 1 else ""
    line = next((os.environ[name] for name in LINES if name in os.environ), "")
    return [*line.split(), "", ""][1]


def _app(word: str) -> typer.Typer:
    """Build the command line of the one command that `word` names; of all where it names none, for help and errors."""
    from cli.registry import COMMANDS, GROUPS, OPTIONS, gather, names_only

    if word in COMMANDS or word in GROUPS:
        return gather([word])
    if word in OPTIONS or COMPLETING in os.environ:
        return names_only()
    return gather()
