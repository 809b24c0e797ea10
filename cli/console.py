"""Where `lcdb` prints: results on stdout, everything else that people read on stderr; exit statuses."""

from __future__ import annotations

from rich.console import Console

console = Console(highlight=False)
# For what must not mix with a result that another program reads: progress, and which stack was chosen.
stderr_console = Console(stderr=True, highlight=False)
# The exit status after Ctrl-C, as shells have it: 128 and the signal's number.
INTERRUPTED = 130
