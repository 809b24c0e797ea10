"""Retention of logical backups: keep the newest of each of the last days, weeks and months, delete the others.

The last verified backup and everything newer are always kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from backups.config import Retention
from backups.errors import DamagedError, WrongKeyError
from backups.logical.catalog import LOGICAL, Entry, list_backups, open_backup, parse_stamp
from backups.logical.manifest import NAME
from backups.logical.resume import AGE, CLEARED_AGE, run_of
from backups.storage.client import code, is_not_implemented
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store
from backups.storage.protections import NotImplementedByServer, read_lock


@dataclass(frozen=True)
class Pruned:
    """What a prune did: ids deleted, ids kept with the reason, folders of killed runs removed."""

    deleted: Sequence[str]
    kept: dict[str, str]
    cleared: Sequence[str]


def plan_prune(entries: Sequence[Entry], retention: Retention) -> dict[str, str]:
    """The ids to keep, each with the reason; the others may be deleted. Pure.

    Each period keeps its newest proven backup, or its newest where none is proven. A backup whose manifest cannot be
    read is kept and counts for no period.
    """
    kept: dict[str, str] = {}
    newest = sorted(entries, key=lambda entry: entry.taken, reverse=True)
    periods: tuple[tuple[str, int, Callable[[datetime], str]], ...] = (
        ("day", retention.daily, lambda at: f"{at:%Y-%m-%d}"), ("week", retention.weekly, lambda at: f"{at:%G-W%V}"),
        ("month", retention.monthly, lambda at: f"{at:%Y-%m}"))
    for word, count, period in periods:
        best: dict[str, Entry] = {}
        for entry in (candidate for candidate in newest if not candidate.problem):
            held = best.setdefault(period(entry.taken), entry)
            if entry.proven and not held.proven:
                best[period(entry.taken)] = entry
        for name, entry in islice(best.items(), count):
            kept.setdefault(entry.id, f"newest of {word} {name}")
    proven = next((entry for entry in newest if entry.proven), None)
    if proven:
        kept.setdefault(proven.id, "last verified backup")
    for entry in newest:
        if entry.problem:
            kept.setdefault(entry.id, f"cannot be read, look at it before it goes: {entry.problem}")
        # Until a newer one is proven, none of those after the last proven one may turn out to be the only good one.
        if proven is None or entry.taken > proven.taken:
            kept.setdefault(entry.id, "not verified yet")
    return kept


def prune(store: Store, ring: Keyring, database: str, retention: Retention, *, dry_run: bool = False,
          now: datetime | None = None) -> Pruned:
    """Delete the backups that retention does not keep, and what killed runs left more than four days ago.

    A backup under object lock is kept whole and reported with the lock's end. One that the keys do not open is kept and
    does not count: otherwise an attacker who may upload could have all good backups deleted. `dry_run` deletes nothing.
    """
    entries = [_check_seal(store, ring, entry) for entry in list_backups(store, database)]
    kept, deleted, needed = plan_prune(entries, retention), [], _find_needed(entries)
    for entry in entries:
        if entry.id in kept:
            continue
        if entry.id in needed:
            kept[entry.id] = f"{needed[entry.id]} names objects of it"
            continue
        keys = [key for key, _ in store.objects(f"{entry.folder}/")]
        held = next((held for key in keys if (held := read_hold(store, key))), None)
        if held:
            kept[entry.id] = f"object lock: {held}"
            continue
        if not dry_run:
            # The manifest first: what is half deleted is no backup any more.
            manifest = f"{entry.folder}/{NAME}"
            store.delete([manifest])
            store.delete([key for key in keys if key != manifest])
        deleted.append(entry.id)
    cleared = [id_ for id_ in store.folders(f"{database}/{LOGICAL}/")
               if id_ not in needed and _is_orphan(id_, entries, now or datetime.now(UTC))]
    for id_ in cleared if not dry_run else ():
        store.delete([key for key, _ in store.objects(f"{database}/{LOGICAL}/{id_}/")])
    return Pruned(deleted, kept, cleared)


def _find_needed(entries: Sequence[Entry]) -> dict[str, str]:
    """The runs whose objects another backup took over, each with the id of one such backup."""
    return {run: entry.id for entry in entries if entry.manifest for stored in entry.manifest.objects()
            if (run := run_of(stored.key, f"{entry.database}/{LOGICAL}/")) != entry.id}


def _is_orphan(id_: str, entries: Sequence[Entry], now: datetime) -> bool:
    """Whether a folder is what a killed run left, and old enough; a younger one may be of a backup that is being taken.

    Of a backup that cannot be read it is not known what it took over.
    """
    started = parse_stamp(id_.split("-", maxsplit=1)[0])
    return started is not None and now - started > CLEARED_AGE and not any(
        entry.id == id_ or (entry.problem and started <= entry.taken <= started + AGE) for entry in entries)


def _check_seal(store: Store, ring: Keyring, entry: Entry) -> Entry:
    """The entry; with its problem where its seal is not ours."""
    try:
        open_backup(store, ring, entry)
    except (DamagedError, WrongKeyError) as error:
        return replace(entry, manifest=None, problem=str(error))
    return entry


def read_hold(store: Store, key: str) -> str | None:
    """The end or the kind of the object lock on this object, as text; None where it is not locked."""
    def run() -> str | None:
        try:
            head = store.client.head_object(Bucket=store.bucket, Key=store.prefix + key)
        except ClientError as error:
            if code(error) in ("NoSuchKey", "404") or is_not_implemented(error):
                return None
            raise
        if head.get("ObjectLockLegalHoldStatus") == "ON":
            return "legal hold"
        until = head.get("ObjectLockRetainUntilDate") or _read_end(store, key) or _read_default_end(store, head)
        return f"until {until:%Y-%m-%d %H:%M} UTC" if until and until > datetime.now(UTC) else None
    return store.call(f"look at {key}", run)


def _read_end(store: Store, key: str) -> datetime | None:
    """Asked by name: some servers do not show it with the object."""
    try:
        answer = store.client.get_object_retention(Bucket=store.bucket, Key=store.prefix + key)
    except ClientError:
        return None  # no object lock in this bucket, or no right to ask: then a delete hides, and destroys nothing
    return answer.get("Retention", {}).get("RetainUntilDate")


def _read_default_end(store: Store, head: Any) -> datetime | None:
    """Until when the bucket's default holds an object; versitygw, for one, does not show that with the object."""
    try:
        lock = read_lock(store.client, store.bucket)
    except (ClientError, NotImplementedByServer):
        return None
    modified: datetime = head["LastModified"]
    return modified + timedelta(days=lock["days"]) if lock else None
