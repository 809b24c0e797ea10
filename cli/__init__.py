"""`lcdb`: the command line of the whole project; `make` calls it."""

from __future__ import annotations

import sys

OURS = frozenset({"backups", "cli", "infra", "schema", "seed"})


def main() -> None:
    """Run one command. What our packages raise on purpose is one line on stderr and exit status 1, no traceback.

    So is a command that is written wrong: 2 is for `schema plan` and `check` to say that a database differs.
    """
    import typer

    from cli.app import app

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
    if status:
        sys.exit(status)
