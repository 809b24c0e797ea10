"""Progress messages with a transfer rate."""

from __future__ import annotations

import time
from collections.abc import Callable


def with_rate(doing: str, listener: Callable[[str, float], None]) -> Callable[[int, int], None]:
    """Turn a progress listener of (text, fraction done) into one of (bytes done, bytes in all).

    The text is `doing` and the mean rate in MB/s since this call.
    """
    since = time.monotonic()

    def tell(done: int, total: int) -> None:
        rate = done / 1e6 / max(time.monotonic() - since, 0.001)
        listener(f"{doing}, {rate:.1f} MB/s", done / max(total, 1))
    return tell
