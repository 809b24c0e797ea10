"""What a provider says while it works, such as a download that takes a while: one line each, seen by the user.

A provider of the CLI's has stderr alone, where the words of Pulumi's language host are as well: the prefix tells these
lines from those.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

PREFIX = "lifecompanion: "


def _to_stderr(line: str) -> None:
    print(PREFIX + line, file=sys.stderr, flush=True)


_show: Callable[[str], None] = _to_stderr


def notify(line: str) -> None:
    """Show the user one line."""
    _show(line)


def show_by(show: Callable[[str], None]) -> None:
    """Where providers run in this very process: let their lines go to `show`, without the prefix."""
    global _show  # noqa: PLW0603 one process has one screen
    _show = show
