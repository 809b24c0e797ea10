"""Physical backups from beginning to end: taken, proven, entered in the catalogue, deleted when nothing needs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime

import psycopg

from backups.catalogue import VERIFIED, mark
from backups.config import BackupConfig, Retention
from backups.errors import BackupError, DamagedError
from backups.physical import (
    PhysicalBackup,
    Type,
    ensure_cipher,
    expire,
    read_progress,
    require_physical,
    take_backup,
    verify_backup,
)
from backups.physical_catalogue import (
    CATALOGUE,
    DAMAGED,
    SETS,
    PhysicalEntry,
    PhysicalManifest,
    keep_manifest,
    list_physical,
)
from backups.retention import Pruned, read_hold
from backups.source import read_server
from backups.store import Store
from schema.errors import SchemaError

Listener = Callable[[str, float], None]
POLL_SECONDS = 2.0


def take_physical(config: BackupConfig, type_: Type, *, verified: bool = True, listener: Listener = lambda *_: None
                  ) -> PhysicalEntry:
    """Take a full, differential or incremental backup, enter it in the catalogue, with `verified` have it read back.

    Without a full one to stand on, or where what it would stand on was found damaged, it becomes a full one. Raises
    BusyError while another one is taken, DumpError, DamagedError.
    """
    physical = require_physical(config)
    store, database = config.store(), config.database_name()
    with config.administrator().connect(application_name="lifecompanion backup") as connection, \
            ThreadPoolExecutor(max_workers=1) as pool:
        connection.execute("SET statement_timeout = 0")
        # Beside the backup: logging in to the bucket takes as long as a tenth of a small one.
        closed = pool.submit(ensure_cipher, store, config.keyring(), database, str(physical["cipher"]))
        with _Watch(config, listener):
            stands = type_ != "full" and _stands_on_damage(store, database)
            backup = take_backup(connection, "full" if stands else type_)
        closed.result()
        entry = keep_manifest(store, database, _manifest(config, connection, backup))
        if backup.error:
            raise DamagedError(f"backup {backup.id}: pages of the database itself have wrong checksums, as "
                               "`pgbackrest info --set` says; recover an older backup beside it and compare")
        if verified:
            listener("verifying", 0.0)
            entry = replace(entry, verified=_verify(store, connection, entry))
    return entry


def verify_physical(config: BackupConfig, entry: PhysicalEntry) -> None:
    """Have pgBackRest read a backup, all that it stands on and their WAL back; write down that they are right.

    Raises DamagedError.
    """
    require_physical(config)
    with config.administrator().connect(application_name="lifecompanion verify") as connection:
        connection.execute("SET statement_timeout = 0")
        _verify(config.store(), connection, entry)


def plan_expiry(entries: Sequence[PhysicalEntry], retention: Retention) -> dict[str, str]:
    """The ids that stay, each with the reason; pure. A full backup and all that stand on it stay, or go, together.

    The newest full ones stay, as many as weeks are kept and two at least; so does the last proven backup, and whatever
    is newer than it.
    """
    fulls = [entry.id for entry in entries if entry.id == entry.full]
    reasons = dict.fromkeys(fulls[-max(2, retention.weekly):], "one of the newest full backups, or stands on one")
    proven = next((entry for entry in reversed(entries) if entry.proven), None)
    if proven:
        reasons.setdefault(proven.full, "the last verified backup, or belongs to it")
    for entry in entries:
        if proven is None or entry.taken > proven.taken:
            reasons.setdefault(entry.full, "not verified yet, or belongs to one that is not")
    return {entry.id: reasons[entry.full] for entry in entries if entry.full in reasons}


def prune_physical(config: BackupConfig, *, dry_run: bool = False) -> Pruned:
    """Delete the physical backups that retention does not keep, with the WAL that nothing needs any more.

    What object lock holds stays with all that belongs to it, with the date until which it is held.
    """
    store, database = config.store(), config.database_name()
    entries = list_physical(store, database)
    kept = plan_expiry(entries, config.retention)
    for entry in entries:
        held = None if entry.id in kept else read_hold(store, f"{database}/{SETS}{entry.id}/backup.manifest")
        if held:
            kept.update({each.id: f"object lock: {held}" for each in entries if each.full == entry.full})
    going = [entry.id for entry in entries if entry.id not in kept]
    if going and not dry_run:
        _expire(config, [entry.id for entry in entries if entry.id == entry.full], going)
        _clear_catalogue(store, database, list(kept))
    return Pruned(going, kept, ())


def _expire(config: BackupConfig, fulls: Sequence[str], going: Sequence[str]) -> None:
    with config.administrator().connect(application_name="lifecompanion prune") as connection:
        connection.execute("SET statement_timeout = 0")
        remaining = len(fulls)
        for full in fulls:
            if full in going:
                remaining -= 1
                expire(connection, full, remaining)


def _clear_catalogue(store: Store, database: str, listed: Sequence[str]) -> None:
    """Take away what the catalogue still says of backups that are gone."""
    for id_ in store.folders(f"{database}/{CATALOGUE}/"):
        if id_ not in listed:
            store.delete([key for key, _ in store.objects(f"{database}/{CATALOGUE}/{id_}/")])


def _verify(store: Store, connection: psycopg.Connection[object], entry: PhysicalEntry) -> datetime:
    """Returns when it was found right, as the catalogue says it."""
    since = time.monotonic()
    try:
        said = verify_backup(connection, (*entry.needs, entry.id))
    except DamagedError as error:
        mark(store, entry, DAMAGED, {"problem": str(error)})
        raise
    return mark(store, entry, VERIFIED, {"pgbackrest": said, "seconds": round(time.monotonic() - since, 1)})


def _stands_on_damage(store: Store, database: str) -> bool:
    """Whether the newest full backup, or one that stands on it, was found damaged: an incremental would be too."""
    if not any(f"/{DAMAGED}" in key for key, _ in store.objects(f"{database}/{CATALOGUE}/")):
        return False  # asked in one request; the whole list takes some for each backup
    entries = list_physical(store, database)
    return any(entry.damaged and not entry.proven for entry in entries if entry.full == entries[-1].full)


def _manifest(config: BackupConfig, connection: psycopg.Connection[object], backup: PhysicalBackup) -> PhysicalManifest:
    image = config.image or require_physical(config).get("image")
    return PhysicalManifest(**asdict(backup), server=read_server(connection, image, config.image_digest))


class _Watch:
    """Tells how far a backup is, asked over a connection of its own, until it ends; no answer is no fault."""

    def __init__(self, config: BackupConfig, listener: Listener) -> None:
        self._config, self._listener, self._over = config, listener, threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> None:
        self._since = datetime.now(UTC)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        # A backup that ends before the first look needs none: each look costs the server a process.
        if self._over.wait(POLL_SECONDS):
            return
        try:
            with self._config.administrator().connect(application_name="lifecompanion progress") as connection:
                while not self._over.wait(POLL_SECONDS):
                    seconds = (datetime.now(UTC) - self._since).total_seconds()
                    self._listener(f"copying for {seconds:.0f} s", read_progress(connection))
        except (BackupError, SchemaError, psycopg.Error):
            return
