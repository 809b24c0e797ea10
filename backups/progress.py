"""How fast bytes pass, for whoever is told how much of the work is done."""

from __future__ import annotations

import time
from collections.abc import Callable


def with_rate(doing: str, listener: Callable[[str, float], None]) -> Callable[[int, int], None]:
    """Takes bytes done and in all; tells `listener` what is done, at how many a second since now, and the part."""
    since = time.monotonic()

    def tell(done: int, total: int) -> None:
        rate = done / 1e6 / max(time.monotonic() - since, 0.001)
        listener(f"{doing}, {rate:.1f} MB/s", done / max(total, 1))
    return tell
