"""Whether the bucket can be read as of an earlier time: pgBackRest finds deleted and overwritten versions by time."""

from __future__ import annotations

import time
from datetime import datetime

from backups.errors import RestoreError, S3Error
from backups.physical.catalog import SETS, list_physical
from backups.storage.object_store import Store

# What is put there twice to see whether the first keeps its time; servers tell times in whole seconds.
PROBE, PROBE_SECONDS = "history-probe", 1.5


def require_history(store: Store, database: str, as_of: datetime) -> None:
    """Raise RestoreError where the bucket's versions do not show its contents at `as_of`; `store` reads first versions.

    Some servers (versitygw 1.8) give a version a new time when it is deleted or overwritten. pgBackRest would then miss
    files, or take an early end for the end of the WAL.
    """
    if as_of.tzinfo is None:
        raise RestoreError(f"--as-of {as_of}: without a time zone; write it as '{as_of}+00'")
    ended = [entry for entry in list_physical(store, database) if entry.manifest and entry.manifest.stop <= as_of]
    if not ended:
        raise RestoreError(f"--as-of {as_of}: found no physical backup of {database} in {store} that had ended by "
                           "then; see `lcdb backup list --as-first-written`, and give a later moment")
    if not keeps_time(store, database):
        raise RestoreError(
            f"--as-of {as_of}: {store.login} gives versions a new time when they are deleted or written over "
            "(versitygw 1.8 does), so what lay there then cannot be told; restore a logical backup with "
            "--as-first-written, which goes by the order of versions alone")
    newest = ended[-1]
    for key, arrived in store.first_stamps(f"{database}/{SETS}{newest.id}/"):
        if arrived > as_of:
            raise RestoreError(f"--as-of {as_of}: {key} in {store} is of {arrived}: backup {newest.id} was not whole "
                               "by then; give a later moment")


def keeps_time(store: Store, database: str) -> bool:
    """Whether a version keeps its time when it is overwritten, tested by putting two bytes.

    True where this login may not put objects, so that it cannot be tested.
    """
    key = f"{database}/{PROBE}"
    before: dict[str, datetime] = {}
    try:
        for number in range(2):
            if number:
                before = store.history(key)
                time.sleep(PROBE_SECONDS)
            store.put(key, b"?")
    except S3Error:
        return True
    after = store.history(key)
    return all(after.get(version) == moment for version, moment in before.items())
