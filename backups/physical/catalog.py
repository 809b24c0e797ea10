"""The catalogue of physical backups, read from the bucket alone: the server may be gone.

pgBackRest keeps its repository under `<database>/physical/`. Our manifest of each backup, and its verifications and
drills, are under `<database>/physical-catalogue/<label>/`; as for logical backups, objects are never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import AwareDatetime, ConfigDict, ValidationError

from backups.errors import BackupError, DamagedError
from backups.logical.catalog import DAMAGED, DRILLS, FAILED_DRILLS, VERIFIED, is_proven, newest_stamp
from backups.logical.manifest import NAME, Server
from backups.physical.pgbackrest import STANZA
from backups.physical.settings import PHYSICAL
from backups.storage.object_store import Store
from backups.storage.sealed import Sealed

CATALOGUE = "physical-catalogue"
LABEL = re.compile(r"^(\d{8}-\d{6})F(?:_(\d{8}-\d{6})([DI]))?$")
TYPES = {None: "full", "D": "diff", "I": "incr"}
SETS = f"{PHYSICAL}/backup/{STANZA}/"
# A bucket answers many small requests at once.
READERS = 8


class PhysicalManifest(Sealed):
    """What was known when the backup ended; `start_wal` is the first segment that its recovery replays.

    It is sealed with the repository's cipher pass; the seal is checked before a container is started from its image.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    type: str
    start: AwareDatetime
    stop: AwareDatetime
    bytes: int
    stored_bytes: int
    start_wal: str
    needs: tuple[str, ...] = ()
    server: Server

    def require_seal(self, cipher: str) -> None:
        """Raise DamagedError unless the seal was made with the repository's cipher pass."""
        if not self.is_sealed_with(cipher):
            raise DamagedError(f"{self.id}/{NAME}: its seal is not that of the repository's cipher: it was changed, or "
                               "written by an earlier program; give --image")


@dataclass(frozen=True)
class PhysicalEntry:
    """One physical backup; `manifest` is None where pgBackRest was run without this program."""

    id: str
    database: str
    manifest: PhysicalManifest | None
    verified: datetime | None
    drilled: datetime | None
    damaged: datetime | None = None
    failed: datetime | None = None

    @property
    def kind(self) -> str:
        """full, diff or incr."""
        match = LABEL.match(self.id)
        return TYPES[match[3] if match else None]

    @property
    def taken(self) -> datetime:
        """When it was started, in UTC; it can be recovered to a later time only."""
        if self.manifest:
            return self.manifest.start
        match = LABEL.match(self.id)
        assert match
        return datetime.strptime(match[2] or match[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    @property
    def folder(self) -> str:
        """The key prefix of its catalogue entry, relative to the store."""
        return f"{self.database}/{CATALOGUE}/{self.id}"

    @property
    def full(self) -> str:
        """The id of the full backup that it depends on, or its own."""
        return self.id[:16]

    @property
    def needs(self) -> tuple[str, ...]:
        """The ids of the older backups that a restore of it reads."""
        return self.manifest.needs if self.manifest else () if self.id == self.full else (self.full,)

    @property
    def proven(self) -> bool:
        """Whether pgBackRest verified it or a drill restored it, and it was not found damaged since."""
        return is_proven(self.verified, self.drilled, self.damaged)

    @property
    def stored_bytes(self) -> int:
        """The bytes that it takes in the bucket; 0 where it has no manifest."""
        return self.manifest.stored_bytes if self.manifest else 0

    @property
    def seconds(self) -> float:
        """How long it took, in seconds; 0 where it has no manifest."""
        return (self.manifest.stop - self.manifest.start).total_seconds() if self.manifest else 0.0


def is_label(id_: str | None) -> bool:
    """Whether this is the id, or the start of one, of a physical backup rather than a logical one."""
    return bool(id_ and re.match(r"^\d{8}-", id_))


def list_physical(store: Store, database: str) -> list[PhysicalEntry]:
    """All complete physical backups, oldest first; interrupted ones are left out."""
    labels = [name for name in store.folders(f"{database}/{SETS}") if LABEL.match(name)]
    known: dict[str, list[str]] = {}
    under = f"{database}/{CATALOGUE}/"
    for key, _ in store.objects(under):
        label, _, name = key.removeprefix(under).partition("/")
        known.setdefault(label, []).append(name)

    def read(label: str) -> PhysicalEntry | None:
        # Written last; while a backup is taken, or deleted, there is a copy of it at most.
        if not any(key.endswith("/backup.manifest") for key, _ in store.objects(
                f"{database}/{SETS}{label}/backup.manifest")):
            return None
        names = known.get(label, [])
        return PhysicalEntry(label, database, _read_manifest(store, f"{under}{label}") if NAME in names else None,
                             _newest(names, VERIFIED), _newest(names, DRILLS), _newest(names, DAMAGED),
                             _newest(names, FAILED_DRILLS))

    with ThreadPoolExecutor(max_workers=READERS) as pool:
        entries = [entry for entry in pool.map(read, labels) if entry]
    ids = {entry.id for entry in entries}
    return sorted((entry for entry in entries if ids.issuperset(entry.needs)), key=lambda entry: entry.taken)


def find_physical(store: Store, database: str, id_: str | None = None) -> PhysicalEntry:
    """The physical backup whose id is or starts with `id_`, by default the newest. Raises BackupError."""
    entries = list_physical(store, database)
    exact = [entry for entry in entries if entry.id == id_]
    chosen = exact or [entry for entry in entries if id_ is None or entry.id.startswith(id_)]
    if not entries:
        raise BackupError(f"backup {id_ or 'of ' + database}: {store} holds no physical one of {database}; "
                          "take one with `lcdb backup run` where WAL is archived")
    if not chosen:
        raise BackupError(f"physical backup {id_}: not in {store} (newest: "
                          f"{', '.join(entry.id for entry in entries[-3:])}); see `lcdb backup list`")
    if id_ is not None and len(chosen) > 1:
        raise BackupError(f"backup {id_}: {len(chosen)} backups have ids that begin so; give more of the id")
    return chosen[-1]


def stands_on_damage(store: Store, database: str) -> bool:
    """Whether the newest full backup, or one that depends on it, was found damaged, so that an incremental would be
    too.
    """
    if not any(f"/{DAMAGED}" in key for key, _ in store.objects(f"{database}/{CATALOGUE}/")):
        return False  # asked in one request; the whole list takes some for each backup
    entries = list_physical(store, database)
    return any(entry.damaged and not entry.proven for entry in entries if entry.full == entries[-1].full)


def keep_manifest(store: Store, database: str, manifest: PhysicalManifest) -> PhysicalEntry:
    """Store the manifest of a backup that has just ended; returns its catalogue entry."""
    store.put(f"{database}/{CATALOGUE}/{manifest.id}/{NAME}", manifest.model_dump_json(indent=1).encode())
    return PhysicalEntry(manifest.id, database, manifest, None, None)


def _read_manifest(store: Store, folder: str) -> PhysicalManifest | None:
    try:
        return PhysicalManifest.model_validate_json(store.get(f"{folder}/{NAME}") or b"")
    except (ValidationError, DamagedError):
        return None  # it only adds to what the repository itself says


def _newest(names: Sequence[str], folder: str) -> datetime | None:
    return newest_stamp(name.removeprefix(folder).removesuffix(".json") for name in names
                        if name.startswith(folder) and name.endswith(".json"))
