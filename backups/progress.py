"""Progress: the listeners that long operations report to, and messages with a transfer rate."""

from __future__ import annotations

import time
from collections.abc import Callable

# Called with what is being done, and how much of it is done (0 to 1).
Listener = Callable[[str, float], None]
# Called with the bytes done, and the bytes in all.
ByteListener = Callable[[int, int], None]
# Called with a line for people, where the end cannot be foreseen.
LineListener = Callable[[str], None]


def ignore(*_: object) -> None:
    """Take any progress and do nothing."""


def with_rate(doing: str, listener: Listener) -> ByteListener:
    """Turn a progress listener of (text, fraction done) into one of (bytes done, bytes in all).

    The text is `doing` and the mean rate in MB/s since this call.
    """
    since = time.monotonic()

    def tell(done: int, total: int) -> None:
        rate = done / 1e6 / max(time.monotonic() - since, 0.001)
        listener(f"{doing}, {rate:.1f} MB/s", done / max(total, 1))
    return tell
