"""The catalogue of logical backups: which ones the bucket holds, and when each was verified or drilled.

`<database>/logical/<id>/` holds one backup: its objects (except those reused from an interrupted run, see `resume`),
`keys/<key id>` (its data key, wrapped), the manifest, and one object for each verification or drill. Objects are never
overwritten, so the login that takes backups needs no right to delete or replace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from backups.errors import BackupError, DamagedError, WrongKeyError
from backups.logical.manifest import NAME, Manifest
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store

LOGICAL = "logical"
KEYS = "keys/"
VERIFIED = "verified/"
DRILLS = "drills/"
FAILED_DRILLS = "failed-drills/"
DAMAGED = "damaged/"
STAMP = "%Y%m%dT%H%M%SZ"
# AWS refuses requests whose clock differs by more.
CLOCKS = timedelta(minutes=15)
# Sort key for entries whose id has no parseable timestamp.
NEVER = datetime.min.replace(tzinfo=UTC)


class Listed(Protocol):
    """The properties that logical and physical backups share in the catalogue."""

    @property
    def id(self) -> str:
        """The backup's id, unique within its database and kind."""
    @property
    def taken(self) -> datetime:
        """When the backup was started, in UTC."""
    @property
    def folder(self) -> str:
        """The key prefix of its catalogue entry, relative to the store."""
    @property
    def proven(self) -> bool:
        """Whether it was verified or restored, and not found damaged since."""
    @property
    def verified(self) -> datetime | None:
        """When it was last read back and found right; None for never."""
    @property
    def drilled(self) -> datetime | None:
        """When a drill last restored it successfully; None for never."""
    @property
    def failed(self) -> datetime | None:
        """When a drill of it last failed; None for never."""
    @property
    def stored_bytes(self) -> int:
        """The bytes that it takes in the bucket."""
    @property
    def seconds(self) -> float:
        """How long it took, in seconds."""


AnyListed = TypeVar("AnyListed", bound=Listed)


@dataclass(frozen=True)
class Entry:
    """One logical backup in the catalogue.

    `problem` says why its manifest cannot be read, None where it can; `failed` is when its last drill failed, `damaged`
    when it was last found damaged.
    """

    id: str
    database: str
    kind: str
    manifest: Manifest | None
    verified: datetime | None
    drilled: datetime | None
    problem: str | None = None
    failed: datetime | None = None
    damaged: datetime | None = None

    @property
    def taken(self) -> datetime:
        """When it was started, in UTC; its data is at least as new."""
        if self.manifest:
            return self.manifest.started  # finer than the id: two may be of one second
        return parse_stamp(self.id.split("-", maxsplit=1)[0]) or NEVER

    @property
    def folder(self) -> str:
        """The key prefix of its objects, relative to the store."""
        return f"{self.database}/{self.kind}/{self.id}"

    @property
    def proven(self) -> bool:
        """Whether it was verified or restored and compared, and not found damaged since."""
        return self.manifest is not None and is_proven(self.verified, self.drilled, self.damaged)

    @property
    def stored_bytes(self) -> int:
        """The bytes that it takes in the bucket; 0 where its manifest cannot be read."""
        return self.manifest.stored_bytes if self.manifest else 0

    @property
    def seconds(self) -> float:
        """How long it took, in seconds; 0 where its manifest cannot be read."""
        return (self.manifest.finished - self.manifest.started).total_seconds() if self.manifest else 0.0


def list_backups(store: Store, database: str) -> list[Entry]:
    """All backups of the database, oldest first; a folder without a manifest is not a backup and is left out."""
    prefix = f"{database}/{LOGICAL}/"
    entries = []
    for id_ in store.folders(prefix):
        entry = read_entry(store, database, id_)
        if entry:
            entries.append(entry)
    return sorted(entries, key=lambda entry: (entry.taken, entry.id))


def read_entry(store: Store, database: str, id_: str) -> Entry | None:
    """One backup; None where there is no manifest of this id."""
    folder = f"{database}/{LOGICAL}/{id_}"
    manifest, problem = None, None
    try:
        text = store.get(f"{folder}/{NAME}")
        if text is None:
            return None
        manifest = Manifest.from_json(text, f"{id_}/{NAME}")
    except DamagedError as error:
        problem = str(error)
    return Entry(id_, database, LOGICAL, manifest, _newest(store, f"{folder}/{VERIFIED}"),
                 _newest(store, f"{folder}/{DRILLS}"), problem, _newest(store, f"{folder}/{FAILED_DRILLS}"),
                 _newest(store, f"{folder}/{DAMAGED}"))


def find_backup(store: Store, database: str, id_: str | None = None, entries: Sequence[Entry] | None = None) -> Entry:
    """The backup whose id is or starts with `id_`, by default the newest.

    `entries` spares listing the bucket again. Raises BackupError where there is none, or several.
    """
    entries = list_backups(store, database) if entries is None else entries
    chosen = [entry for entry in entries if id_ is None or entry.id.startswith(id_)]
    if not entries:
        raise BackupError(f"backup {id_ or 'of ' + database}: {store} holds no logical one of {database}; "
                          "take one with `lcdb backup run --kind logical`")
    if not chosen:
        raise BackupError(f"backup {id_}: not in {store} (newest: {', '.join(entry.id for entry in entries[-3:])}); "
                          "see `lcdb backup list`")
    if id_ is not None and len(chosen) > 1:
        raise BackupError(f"backup {id_}: {len(chosen)} backups have ids that begin so; give more of the id")
    if chosen[-1].manifest is None:
        raise BackupError(chosen[-1].problem or f"backup {chosen[-1].id}: no manifest")
    return chosen[-1]


def open_backup(store: Store, ring: Keyring, entry: Entry) -> tuple[Manifest, bytes]:
    """The manifest, after its seal was checked, and the data key.

    Raises WrongKeyError where no key of the ring decrypts it, DamagedError where it was changed or a part is missing.
    """
    if entry.manifest is None:
        raise DamagedError(entry.problem or f"backup {entry.id}: no manifest")
    names = [key.rsplit("/", 1)[1] for key, _ in store.objects(f"{entry.folder}/{KEYS}")]
    if not names:
        raise DamagedError(f"{entry.folder}/{KEYS}: no wrapped key found: it was deleted; take another backup")
    ours = [name for name in names if name in ring.ids()]
    if not ours:
        raise WrongKeyError(f"backup {entry.id}: encrypted with key {', '.join(names)}, found {', '.join(ring.ids())}; "
                            "add that key to the backup keys")
    data_key = ring.unwrap_first(((id_, store.get(f"{entry.folder}/{KEYS}{id_}") or b"") for id_ in ours), entry.id)
    entry.manifest.require_seal(data_key)
    if (entry.manifest.id, entry.manifest.database) != (entry.id, entry.database):
        raise DamagedError(f"{entry.folder}/{NAME}: is backup {entry.manifest.id} of {entry.manifest.database}: "
                           "it was copied over another backup; take another backup")
    return entry.manifest, data_key


def rewrap(store: Store, ring: Keyring, database: str) -> list[str]:
    """Encrypt every backup's data key with the current key as well; returns the ids of those that it was done for.

    Raises BackupError at the end where one could not be: its older key is missing from the ring.
    """
    done, failed, newest = [], list[str](), Keyring(ring.keys[:1])
    for entry in list_backups(store, database):
        try:
            with suppress(WrongKeyError):
                open_backup(store, newest, entry)
                continue
            _, data_key = open_backup(store, ring, entry)
        except DamagedError as error:
            # No key would open it.
            failed += [str(error)] if entry.manifest else []
        except WrongKeyError as error:
            failed.append(str(error))
        else:
            store.put(f"{entry.folder}/{KEYS}{ring.current}", ring.wrap(data_key, entry.id).encode())
            done.append(entry.id)
    if failed:
        raise BackupError(f"encrypted with key {ring.current} too: {len(done)} backups; not: {len(failed)}, the first: "
                          f"{failed[0]}")
    return done


def mark(store: Store, entry: Listed, what: str, facts: dict[str, Any]) -> datetime:
    """Record a finding about a backup under `what` (VERIFIED, DRILLS, FAILED_DRILLS or DAMAGED); returns when, in UTC.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    store.put(f"{entry.folder}/{what}{now.strftime(STAMP)}.json",
              json.dumps({"when": now.isoformat(timespec="seconds"), **facts}, indent=1).encode())
    return now


def newest_verified(store: Store, database: str) -> Entry | None:
    """The newest proven logical backup, not dated in the future; None where there is none."""
    return newest_proven(list_backups(store, database))


def newest_proven(entries: Sequence[AnyListed]) -> AnyListed | None:
    """The newest of `entries` (oldest first) that is proven and not dated in the future; None where there is none."""
    return next((entry for entry in reversed(entries) if entry.proven and has_come(entry.taken)), None)


def is_proven(verified: datetime | None, drilled: datetime | None, damaged: datetime | None) -> bool:
    """Whether the last finding is good: verified or drilled, and not found damaged since."""
    good = newest_moment((verified, drilled))
    return good is not None and (damaged is None or good > damaged)


def newest_moment(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest of the given times, None values left out; None where there are none."""
    return max((moment for moment in moments if moment), default=None)


def has_verified_backup(store: Store, database: str, newer_than: datetime | timedelta) -> bool:
    """Whether the bucket holds a verified backup of the database that is newer than a time, or younger than an age.

    Asked before data is deleted deliberately. Raises S3Error where the bucket cannot be read.
    """
    since = datetime.now(UTC) - newer_than if isinstance(newer_than, timedelta) else newer_than
    newest = newest_verified(store, database)
    return newest is not None and newest.taken >= since


def clear_unfinished(store: Store, under: str) -> int:
    """Abort the uploads of killed runs; returns how many. Only for the process that holds the database's backup lock.
    """
    left = store.list_uploads(under)
    for key, upload in left:
        store.abort(key, upload)
    return len(left)


def parse_stamp(text: str) -> datetime | None:
    """The time that an object's name contains, in UTC; None where it contains none, as in objects of other programs."""
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def has_come(moment: datetime, now: datetime | None = None) -> bool:
    """Whether a time is not in the future, with a tolerance for clocks that differ (CLOCKS).

    A backup dated in the future, by a wrong clock or by an attacker, must not count in place of backups not taken
    since.
    """
    return moment <= (now or datetime.now(UTC)) + CLOCKS


def newest_stamp(texts: Iterable[str]) -> datetime | None:
    """The latest time in these names; None where none contains one."""
    return newest_moment(map(parse_stamp, texts))


def _newest(store: Store, prefix: str) -> datetime | None:
    return newest_stamp(key.rsplit("/", 1)[1].split(".")[0] for key, _ in store.objects(prefix)
                        if key.endswith(".json"))
