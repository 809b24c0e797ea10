"""Retention of physical backups: which ones stay, and the deletion of the others with their WAL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backups.config import BackupConfig, Retention
from backups.logical.retention import Pruned, read_hold
from backups.physical.catalog import CATALOGUE, SETS, PhysicalEntry, list_physical
from backups.physical.pgbackrest import expire, read_physical
from backups.storage.object_store import Store
from schema.connection import UNLIMITED


def plan_expiry(entries: Sequence[PhysicalEntry], retention: Retention) -> dict[str, str]:
    """The ids to keep, each with the reason; pure. A full backup and those that depend on it stay or go together.

    The newest full ones stay, as many as weeks are kept and at least two, damaged ones not counted; so do the last
    proven backup and everything newer.
    """
    fulls = [entry.id for entry in entries if entry.id == entry.full and (entry.proven or not entry.damaged)]
    reasons = dict.fromkeys(fulls[-max(2, retention.weekly):], "one of the newest full backups, or stands on one")
    proven = next((entry for entry in reversed(entries) if entry.proven), None)
    if proven:
        reasons.setdefault(proven.full, "the last verified backup, or belongs to it")
    for entry in entries:
        if proven is None or entry.taken > proven.taken:
            reasons.setdefault(entry.full, "not verified yet, or belongs to one that is not")
    return {entry.id: reasons[entry.full] for entry in entries if entry.full in reasons}


def prune_physical(config: BackupConfig, *, dry_run: bool = False) -> Pruned:
    """Delete the physical backups that retention does not keep, with the WAL that no remaining one needs.

    Backups under object lock stay with all that depend on the same full one, and are reported with the lock's end.
    Entries that pgBackRest does not know do not count: otherwise an attacker who may upload could have all good backups
    deleted. `dry_run` deletes nothing.
    """
    store, database = config.store(), config.database_name()
    listed = list_physical(store, database)
    if not listed:
        return Pruned((), {}, ())
    with config.administrator().connect(application_name="lifecompanion prune") as connection:
        known = {backup.id for backup in read_physical(connection)}
    # Age and order are told by the labels: what lies in the catalogue anybody may have put there who may put objects.
    entries = sorted((replace(entry, manifest=None) for entry in listed if entry.id in known),
                     key=lambda entry: entry.taken)
    kept = plan_expiry(entries, config.retention)
    kept.update({entry.id: "pgBackRest does not know it: somebody else put it there" for entry in listed
                 if entry.id not in known})
    for entry in entries:
        held = None if entry.id in kept else read_hold(store, f"{database}/{SETS}{entry.id}/backup.manifest")
        if held:
            kept.update({related.id: f"object lock: {held}" for related in entries if related.full == entry.full})
    going = [entry.id for entry in entries if entry.id not in kept]
    if going and not dry_run:
        _expire(config, [entry.id for entry in entries if entry.id == entry.full], going)
        _clear_catalogue(store, database, list(kept))
    return Pruned(going, kept, ())


def _expire(config: BackupConfig, fulls: Sequence[str], going: Sequence[str]) -> None:
    with config.administrator().connect(application_name="lifecompanion prune", options=UNLIMITED) as connection:
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
