"""Lines that a provider shows the user while it works, such as the start of a long download.

A provider that the CLI runs can only write to stderr, as Pulumi's language host does: a prefix marks our lines.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

PREFIX = "lifecompanion: "


def _to_stderr(line: str) -> None:
    print(PREFIX + line, file=sys.stderr, flush=True)


_show: Callable[[str], None] = _to_stderr


def notify(line: str) -> None:
    """Show one line to the user."""
    _show(line)


def show_by(show: Callable[[str], None]) -> None:
    """Pass the lines to `show` from now on, without the prefix: for providers that run in this process."""
    global _show  # noqa: PLW0603 one process has one screen
    _show = show
