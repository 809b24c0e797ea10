"""Temporary folders of this program, which may hold a login or a schema: none outlives a killed run for long."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "lcdb-"
LOCK = ".lock"


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A folder that only this user can read, gone afterwards; what killed runs left is removed first.

    Its lock file is held for as long as this process lives: so a folder whose lock can be had is nobody's any more.
    """
    remove_abandoned()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{purpose}-") as name:
        folder = Path(name)
        # Locked before it has its name: nobody ever finds it unlocked.
        lock = os.open(folder / "unlocked", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "unlocked").rename(folder / LOCK)
            yield folder
        finally:
            os.close(lock)


@contextmanager
def hold_file(name: str) -> Iterator[bool]:
    """Hold a lock of this user and machine for the block; False where somebody else holds it."""
    path = Path(tempfile.gettempdir()) / f"{PREFIX}{name}-{os.getuid()}{LOCK}"
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def remove_abandoned() -> None:
    """Remove this user's folders whose process is gone; others and those in use are left alone."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        try:
            file = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # somebody else's, or gone by now
        try:
            if os.fstat(file).st_uid == os.getuid():
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # in use
        finally:
            os.close(file)
