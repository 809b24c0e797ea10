"""`lcdb`: the command line of the whole project; `make` calls it."""

from __future__ import annotations

import sys

OURS = frozenset({"backups", "cli", "infra", "schema", "seed"})


def main() -> None:
    """Run one command. What our packages raise on purpose is one line on stderr and exit status 1, no traceback."""
    from cli.app import app

    try:
        app()
    except Exception as error:
        if type(error).__module__.split(".", 1)[0] not in OURS:
            raise
        print(error, file=sys.stderr)
        sys.exit(1)
