"""Progress of a load, reported by several workers, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Hears a table or a stage, how much of it is done, and how much there is in all.
Progress = Callable[[str, int, int], None]


class Tally:
    """Counts what is done of one table or stage, and reports it. Thread-safe."""

    def __init__(self, progress: Progress, name: str, total: int) -> None:
        """`total` is the count at the end, in rows or tasks."""
        self.done = 0
        self._progress, self._name, self._total = progress, name, total
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        """Add to the count and report it."""
        with self._lock:
            self.done += more
            self._progress(self._name, self.done, self._total)


class Lines:
    """Turns progress into lines for a log: one for each tenth of a table of more than `least` rows."""

    def __init__(self, tell: Callable[[str], None], least: int = 500_000) -> None:
        """`tell` is called with each line."""
        self._tell, self._least = tell, least
        self._tenths: dict[str, int] = {}

    def hear(self, name: str, done: int, total: int) -> None:
        """Take progress from a load, as its `Progress` callback."""
        tenth = done * 10 // max(1, total)
        if total > self._least and tenth > self._tenths.get(name, 0):
            self._tenths[name] = tenth
            self._tell(f"{name}: {done:,} of {total:,}")
