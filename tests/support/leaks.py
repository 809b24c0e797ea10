"""A socket, file or process that a test or its fixtures leave open fails that test, not the one that runs when the
garbage collector next does."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Generator, Iterator

import pytest

# What Python keeps of a failed test for a debugger: with it, all that the test had open.
KEPT = ("last_exc", "last_type", "last_value", "last_traceback")
_failures: list[BaseException] = []


class Leak(Exception):
    """Something was left open; the message says what."""


def pytest_collection_finish() -> None:
    """Set aside what was imported and collected: looking through it after every test would take longer than that."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Note a fixture that fails: pytest keeps its error, and with it all that it had open, until its scope ends."""
    try:
        return (yield)
    except BaseException as error:
        _failures.append(error)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Collect the test's garbage while the test is still the one that runs; what warns of something open fails it."""
    left: list[str] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: left.append(f"{unraisable.exc_value} ({unraisable.object!r})")
    try:
        yield
    finally:
        try:
            _let_go(item)
            gc.collect()
        finally:
            sys.unraisablehook = before
    if left:
        raise Leak(f"{item.nodeid} or a fixture that ended with it left open: {'; '.join(left)}")


def _let_go(item: pytest.Item) -> None:
    """Drop what pytest and Python still hold of the test: its arguments, and the local variables of what failed."""
    getattr(item, "funcargs", {}).clear()
    while _failures:
        error: BaseException | None = _failures.pop()
        while error is not None:
            traceback.clear_frames(error.__traceback__)
            for frame, _ in traceback.walk_tb(error.__traceback__):
                frame.f_locals  # noqa: B018 - before Python 3.13 a copy, which is brought up to date when it is asked for
            error = error.__cause__ or error.__context__
    for name in KEPT:
        if hasattr(sys, name):
            delattr(sys, name)
