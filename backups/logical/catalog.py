"""The catalogue: which backups a bucket holds, and which of them were verified, when and how.

`<database>/logical/<id>/` holds one backup: its objects (but for those that it took over from an interrupted run, see
`resume`), `keys/<key id>` (its data key, wrapped), the manifest, and what was found out about it later, each in an
object of its own: nothing is ever written again, so whoever takes backups needs no right to delete or replace.
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
# No server of AWS's takes a request whose clock is further away.
CLOCKS = timedelta(minutes=15)
# Of what bears a name that none of ours has.
NEVER = datetime.min.replace(tzinfo=UTC)


class Listed(Protocol):
    """What the two kinds of backup have in common in the catalogue."""

    @property
    def id(self) -> str: ...
    @property
    def taken(self) -> datetime: ...
    @property
    def folder(self) -> str: ...
    @property
    def proven(self) -> bool: ...
    @property
    def verified(self) -> datetime | None: ...
    @property
    def drilled(self) -> datetime | None: ...
    @property
    def failed(self) -> datetime | None: ...
    @property
    def stored_bytes(self) -> int: ...
    @property
    def seconds(self) -> float: ...


AnyListed = TypeVar("AnyListed", bound=Listed)


@dataclass(frozen=True)
class Entry:
    """One backup of the catalogue. `problem` says why its manifest cannot be read, where it cannot; `failed` when its
    last drill failed, `damaged` when it was last found damaged."""

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
        """When it was begun: its data is at least as new."""
        if self.manifest:
            return self.manifest.started  # finer than the id: two may be of one second
        return parse_stamp(self.id.split("-", maxsplit=1)[0]) or NEVER

    @property
    def folder(self) -> str:
        return f"{self.database}/{self.kind}/{self.id}"

    @property
    def proven(self) -> bool:
        """Whether every object of it was read back and found right, or it was restored and found equal; not if it has
        been found damaged since."""
        return self.manifest is not None and is_proven(self.verified, self.drilled, self.damaged)

    @property
    def stored_bytes(self) -> int:
        return self.manifest.stored_bytes if self.manifest else 0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.manifest.finished - self.manifest.started).total_seconds() if self.manifest else 0.0


def list_backups(store: Store, database: str) -> list[Entry]:
    """Every listed backup, the oldest first. What has no manifest is none, and is not here."""
    prefix = f"{database}/{LOGICAL}/"
    entries = []
    for id_ in store.folders(prefix):
        entry = read_entry(store, database, id_)
        if entry:
            entries.append(entry)
    return sorted(entries, key=lambda entry: (entry.taken, entry.id))


def read_entry(store: Store, database: str, id_: str) -> Entry | None:
    """One backup; None where there is no such."""
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
    """The backup of this id (or the beginning of one), else the newest; of `entries` where they are listed already.

    Raises BackupError.
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
        raise BackupError(f"backup {id_}: {len(chosen)} begin so; give more of it")
    if chosen[-1].manifest is None:
        raise BackupError(chosen[-1].problem or f"backup {chosen[-1].id}: no manifest")
    return chosen[-1]


def open_backup(store: Store, ring: Keyring, entry: Entry) -> tuple[Manifest, bytes]:
    """The manifest, proven to be ours, and the data key. Raises WrongKeyError, DamagedError."""
    if entry.manifest is None:
        raise DamagedError(entry.problem or f"backup {entry.id}: no manifest")
    names = [key.rsplit("/", 1)[1] for key, _ in store.objects(f"{entry.folder}/{KEYS}")]
    if not names:
        raise DamagedError(f"{entry.folder}/{KEYS}: no wrapped key is there; it was deleted; take another backup")
    ours = [name for name in names if name in ring.ids()]
    if not ours:
        raise WrongKeyError(f"backup {entry.id}: closed with key {', '.join(names)}, found {', '.join(ring.ids())}; "
                            "add that key to the backup keys")
    data_key = ring.unwrap_first(((id_, store.get(f"{entry.folder}/{KEYS}{id_}") or b"") for id_ in ours), entry.id)
    entry.manifest.require_seal(data_key)
    if (entry.manifest.id, entry.manifest.database) != (entry.id, entry.database):
        raise DamagedError(f"{entry.folder}/{NAME}: is backup {entry.manifest.id} of {entry.manifest.database}: "
                           "somebody put it into another's place; take another backup")
    return entry.manifest, data_key


def rewrap(store: Store, ring: Keyring, database: str) -> list[str]:
    """Close every backup's data key with the current key too; returns the ids of those that were not yet.

    Raises BackupError at the end where one could not be: the older keys are still needed for it, or it is lost.
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
        raise BackupError(f"closed with key {ring.current} too: {len(done)} backups; not: {len(failed)}, of which one: "
                          f"{failed[0]}")
    return done


def mark(store: Store, entry: Listed, what: str, facts: dict[str, Any]) -> datetime:
    """Write down what was found out about a backup (VERIFIED or DRILLS); returns when, as the catalogue will say it."""
    now = datetime.now(UTC).replace(microsecond=0)
    store.put(f"{entry.folder}/{what}{now.strftime(STAMP)}.json",
              json.dumps({"when": now.isoformat(timespec="seconds"), **facts}, indent=1).encode())
    return now


def newest_verified(store: Store, database: str) -> Entry | None:
    """The newest logical backup that is proven, and not of the future; None where there is none."""
    return newest_proven(list_backups(store, database))


def newest_proven(entries: Sequence[AnyListed]) -> AnyListed | None:
    """The newest of these, the oldest first, that is proven, and not of the future; None where there is none."""
    return next((entry for entry in reversed(entries) if entry.proven and has_come(entry.taken)), None)


def is_proven(verified: datetime | None, drilled: datetime | None, damaged: datetime | None) -> bool:
    """Whether the last word on a backup is that it is good: read back or restored, and not found damaged since."""
    good = newest_moment((verified, drilled))
    return good is not None and (damaged is None or good > damaged)


def newest_moment(moments: Iterable[datetime | None]) -> datetime | None:
    """The newest of those that there are; None where there is none."""
    return max((moment for moment in moments if moment), default=None)


def has_verified_backup(store: Store, database: str, newer_than: datetime | timedelta) -> bool:
    """Whether the bucket holds a verified backup of the database that is newer than an instant, or than an age.

    For whoever is about to lose data on purpose. Raises S3Error where the bucket cannot be asked.
    """
    since = datetime.now(UTC) - newer_than if isinstance(newer_than, timedelta) else newer_than
    newest = newest_verified(store, database)
    return newest is not None and newest.taken >= since


def clear_unfinished(store: Store, under: str) -> int:
    """Abort the uploads that killed runs left. Only for the one that holds the database's backup lock."""
    left = store.list_uploads(under)
    for key, upload in left:
        store.abort(key, upload)
    return len(left)


def parse_stamp(text: str) -> datetime | None:
    """The moment that a name says; None where it says none: somebody else put that there."""
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def has_come(moment: datetime, now: datetime | None = None) -> bool:
    """Whether a moment is none of the future, give or take what clocks differ by.

    What is of the future, by a clock that went wrong or by somebody else's hand, must not stand in for backups that
    nobody takes any more.
    """
    return moment <= (now or datetime.now(UTC)) + CLOCKS


def newest_stamp(texts: Iterable[str]) -> datetime | None:
    """The newest moment that any of these names says."""
    return newest_moment(map(parse_stamp, texts))


def _newest(store: Store, prefix: str) -> datetime | None:
    return newest_stamp(key.rsplit("/", 1)[1].split(".")[0] for key, _ in store.objects(prefix)
                        if key.endswith(".json"))
