"""What a provider says while it works, such as a download that takes a while: one line each, seen by the user.

A provider of the CLI's has stderr alone, where the words of Pulumi's language host are as well: the prefix tells these
lines from those.
"""

from __future__ import annotations

import sys

PREFIX = "lifecompanion: "


def notify(line: str) -> None:
    """Show the user one line."""
    print(PREFIX + line, file=sys.stderr, flush=True)
