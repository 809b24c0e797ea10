"""Taking a physical backup: run pgBackRest, verify, add the backup to the catalogue.

The server starts the backup first; the bucket's libraries and login and its catalogue are read while it runs.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg

from backups.config import BackupConfig
from backups.errors import BackupError, DamagedError, DumpError
from backups.physical.pgbackrest import (
    PhysicalBackup,
    Type,
    read_progress,
    require_physical,
    take_backup,
    verify_backup,
)
from backups.progress import Listener, ignore, with_rate
from schema.connection import UNLIMITED
from schema.errors import SchemaError

if TYPE_CHECKING:
    from backups.physical.catalog import PhysicalEntry, PhysicalManifest
    from backups.storage.object_store import Store

# Each look costs the server a process, and the backup a part of a processor.
POLL_SECONDS = 3.0
# The statement is on its way by then; what is read meanwhile would hold Python's lock against it.
AHEAD_SECONDS = 0.03


def take_physical(config: BackupConfig, type_: Type, *, verified: bool = True, listener: Listener = ignore
                  ) -> PhysicalEntry:
    """Take a full, differential or incremental backup, add it to the catalogue and, with `verified`, have it read back.

    Without an earlier full backup it becomes a full one. Where the backup that it depends on was found damaged, it is
    marked as damaged as well, and a full one is taken. Raises BusyError while another one runs, DumpError,
    DamagedError.
    """
    require_physical(config)
    with config.administrator().connect(application_name="lifecompanion backup", options=UNLIMITED) as connection, \
            ThreadPoolExecutor(max_workers=1) as pool:
        prepared = pool.submit(_prepare, config, type_)
        with _Watch(config, listener):
            entry, error = _take(config, connection, type_, prepared)
        if error:
            raise DamagedError(f"backup {entry.id}: pages of the database itself have wrong checksums, as "
                               "`pgbackrest info --set` says; recover an older backup beside it and compare")
        if verified:
            listener("verifying", 0.0)
            entry = replace(entry, verified=_verify(prepared.result()[0], connection, entry))
    return entry


def verify_physical(config: BackupConfig, entry: PhysicalEntry) -> None:
    """Have pgBackRest read a backup, those it depends on and their WAL, and record the result in the catalogue.

    Raises DamagedError.
    """
    require_physical(config)
    with config.administrator().connect(application_name="lifecompanion verify", options=UNLIMITED) as connection:
        _verify(config.store(), connection, entry)


def _prepare(config: BackupConfig, type_: Type) -> tuple[Store, bool]:
    """Log in to the bucket and put the cipher there; with it, whether what one of this type stands on is damaged."""
    time.sleep(AHEAD_SECONDS)
    # What the end needs is read now too.
    from backups.logical.source import snapshot  # noqa: F401
    from backups.physical.catalog import stands_on_damage
    from backups.physical.settings import ensure_cipher

    store, database = config.store(), config.database_name()
    ensure_cipher(store, config.keyring(), database, str(require_physical(config)["cipher"]))
    return store, type_ != "full" and stands_on_damage(store, database)


def _take(config: BackupConfig, connection: psycopg.Connection[object], type_: Type,
          prepared: Future[tuple[Store, bool]]) -> tuple[PhysicalEntry, bool]:
    """One backup, entered; and whether pgBackRest found wrong pages in the database."""
    try:
        backup = take_backup(connection, type_)
    except DumpError:
        # What it was to stand on may be so broken that pgBackRest cannot go on from it.
        if connection.closed or not prepared.result()[1]:
            raise
        backup = take_backup(connection, "full")
    store, damaged = prepared.result()
    entry = _enter(config, store, connection, backup)
    if damaged and backup.type != "full":
        from backups.logical.catalog import DAMAGED, mark

        mark(store, entry, DAMAGED, {"problem": f"stands on {entry.full}, which was found damaged"})
        backup = take_backup(connection, "full")
        entry = _enter(config, store, connection, backup)
    return entry, backup.error


def _enter(config: BackupConfig, store: Store, connection: psycopg.Connection[object], backup: PhysicalBackup
           ) -> PhysicalEntry:
    from backups.physical.catalog import keep_manifest

    return keep_manifest(store, config.database_name(), _manifest(config, connection, backup))


def _manifest(config: BackupConfig, connection: psycopg.Connection[object], backup: PhysicalBackup) -> PhysicalManifest:
    from backups.logical.source.snapshot import read_server
    from backups.physical.catalog import PhysicalManifest

    physical = require_physical(config)
    server = read_server(connection, config.image or physical.get("image"), config.image_digest)
    return PhysicalManifest(**asdict(backup), server=server).with_seal(str(physical["cipher"]))


def _verify(store: Store, connection: psycopg.Connection[object], entry: PhysicalEntry) -> datetime:
    """Returns when it was found right, as the catalogue says it."""
    from backups.logical.catalog import DAMAGED, VERIFIED, mark

    since = time.monotonic()
    try:
        counts = verify_backup(connection, (*entry.needs, entry.id))
    except DamagedError as error:
        mark(store, entry, DAMAGED, {"problem": str(error)})
        raise
    return mark(store, entry, VERIFIED, {"pgbackrest": counts, "seconds": round(time.monotonic() - since, 1)})


class _Watch:
    """Tells how far a backup is, asked over a connection of its own, until it ends; no answer is no fault."""

    def __init__(self, config: BackupConfig, listener: Listener) -> None:
        self._config, self._over, self._lock = config, threading.Event(), threading.Lock()
        self._tell = with_rate("copying", listener)

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, name="progress", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        # A look that is under way is not waited for; nothing is told after this.
        with self._lock:
            self._over.set()

    def _watch(self) -> None:
        # A backup that ends before the first look needs none.
        if self._over.wait(POLL_SECONDS):
            return
        try:
            with self._config.administrator().connect(application_name="lifecompanion progress") as connection:
                while not self._over.wait(POLL_SECONDS):
                    done = read_progress(connection)
                    with self._lock:
                        if not self._over.is_set():
                            self._tell(*done)
        except (BackupError, SchemaError, psycopg.Error):
            return
