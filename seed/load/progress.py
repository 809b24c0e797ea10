"""Progress: how far a load is, told by several workers, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Hears a table or a stage, how much of it is done, and how much there is in all.
Progress = Callable[[str, int, int], None]


class Tally:
    """What of one table or stage is done so far."""

    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self.done = 0
        self._progress, self._name, self._total = progress, name, total
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        """So much more is done."""
        with self._lock:
            self.done += more
            self._progress(self._name, self.done, self._total)


class Lines:
    """Tells a log of what is long: each tenth of a table with more than `least` rows, and nothing of the rest."""

    def __init__(self, tell: Callable[[str], None], least: int = 500_000) -> None:
        self._tell, self._least = tell, least
        self._tenths: dict[str, int] = {}

    def hear(self, name: str, done: int, total: int) -> None:
        """What a load calls as its `Progress`."""
        tenth = done * 10 // max(1, total)
        if total > self._least and tenth > self._tenths.get(name, 0):
            self._tenths[name] = tenth
            self._tell(f"{name}: {done:,} of {total:,}")
