"""Temporary folders that may hold a login or a schema: one left by a killed process is removed by the next run."""

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
    """Create a folder that only this user can read, and remove it at the end; those of killed processes go first.

    A lock file in it is held while this process lives: a folder whose lock is free belongs to no process.
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
    """Hold a file lock of this user on this machine during the block; yields False where another process holds it."""
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
    """Remove this user's folders whose process has ended; folders of other users and folders in use stay."""
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
