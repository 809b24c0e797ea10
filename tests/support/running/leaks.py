"""A socket, file or process left open fails the test that left it, not the one during which it is collected."""

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
    """Something was left open; the message names it."""


def pytest_collection_finish() -> None:
    """Exclude what exists after collection from garbage collection, which runs after every test."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Keep the error of a failing fixture: pytest holds it, and with it open sockets, until its scope ends."""
    try:
        return (yield)
    except BaseException as error:
        _failures.append(error)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Collect the test's garbage before the next test starts; a ResourceWarning fails the test."""
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
    """Clear what pytest and Python still hold of the test: its arguments, and the local variables of failed frames."""
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
