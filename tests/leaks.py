"""A socket, file or process that a test or its fixtures leave open fails that test, not the one that runs when the
garbage collector next does."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

# What pytest keeps of a failed test for a debugger: with it, all that the test had open.
KEPT = ("last_exc", "last_type", "last_value", "last_traceback")


class Leak(Exception):
    """Something was left open; the message says what."""


def pytest_collection_finish() -> None:
    """Set aside what was imported and collected: looking through it after every test would take longer than that."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Collect the test's garbage while the test is still the one that runs; what warns of something open fails it."""
    left: list[str] = []
    before = sys.unraisablehook
    try:
        yield
    finally:
        for name in KEPT:
            if hasattr(sys, name):
                delattr(sys, name)
        sys.unraisablehook = lambda unraisable: left.append(f"{unraisable.exc_value} ({unraisable.object!r})")
        try:
            gc.collect()
        finally:
            sys.unraisablehook = before
    if left:
        raise Leak(f"{item.nodeid} or a fixture that ended with it left open: {'; '.join(left)}")
