"""Resuming an interrupted backup: objects that a killed run uploaded are not uploaded again.

The killed run's snapshot is gone, so every row is read again; but where a table's text has the SHA-256 of an object
uploaded before, that object is reused. This is safe: a table that has changed has another text, is read once more in
the same snapshot, and uploaded. What was uploaded is noted in the killed run's folder, sealed with its data key, which
is reused too; the new manifest names objects of the older folder, and `prune` keeps that folder while one does.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from backups.errors import DamagedError, DumpError, WrongKeyError
from backups.logical.catalog import KEYS, parse_stamp
from backups.logical.manifest import NAME, Manifest, TableData
from backups.logical.source.snapshot import SourceTable
from backups.logical.work_queue import Piece
from backups.storage.encryption import Keyring, new_data_key, seal
from backups.storage.object_store import Store, Stored

SENT = "sent/"
# A table's full name, the columns that were read, the first block.
Place = tuple[str, str, int]
# What was uploaded since the last note is uploaded again: at most this many bytes, or this part of a long run, which
# then has about a hundred notes.
NOTED_BYTES, NOTED_PART = 32 << 20, 64
# Older objects are not reused: object lock and expiry count from their upload. `prune` removes what killed runs left
# two days later, when no run that could reuse it is still running.
AGE, CLEARED_AGE = timedelta(days=2), timedelta(days=4)


class Sent(BaseModel):
    """A piece of a table in the bucket: its rows from the heap block `first` up to, but not including, the block `end`.

    `rows` and `sha256` are of its plain text; `end` None is the end of the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    full_name: str
    columns: str
    first: int
    end: int | None
    rows: int
    sha256: str
    stored: Stored

    @property
    def place(self) -> Place:
        """The table, its columns and the first block: what identifies the piece."""
        return self.full_name, self.columns, self.first

    def is_of(self, table: TableData) -> bool:
        """Whether this is the text that was read now: same SHA-256 and row count."""
        return (table.sha256, table.rows) == (self.sha256, self.rows)


NOTES = TypeAdapter(list[Sent])


class Journal:
    """Notes what was uploaded in the run's folder, sealed, each time enough has been added to be worth a request."""

    def __init__(self, store: Store, folder: str) -> None:
        """`folder` is the run's key prefix, relative to the store."""
        self._store, self._folder = store, folder
        self._waiting: list[Sent] = []
        self._bytes, self._written, self._count = 0, 0, 0
        self._lock = threading.Lock()

    def add(self, data_key: bytes, piece: Piece, table: TableData) -> None:
        """Note an uploaded piece. Raises S3Error."""
        assert table.stored
        sent = Sent(full_name=table.full_name, columns=table.columns, first=piece.first, end=piece.end, rows=table.rows,
                    sha256=table.sha256, stored=table.stored)
        with self._lock:
            self._waiting.append(sent)
            self._bytes += table.stored_bytes
            if self._bytes - self._written < max(NOTED_BYTES, self._bytes // NOTED_PART):
                return
            waiting, self._waiting, self._written = self._waiting, [], self._bytes
            self._count += 1
            key = f"{self._folder}/{SENT}{self._count}.json"
        text = NOTES.dump_json(waiting)
        self._store.put(key, _code(data_key, key, text) + b"\n" + text)


@dataclass(frozen=True)
class Earlier:
    """What interrupted runs uploaded, by place, and the data key that they and this run share."""

    data_key: bytes = field(repr=False, default_factory=new_data_key)
    sent: Mapping[Place, Sent] = field(default_factory=dict)

    def find_from(self, table: SourceTable, first: int) -> Sent | None:
        """The uploaded piece of a table that starts at this block; None where there is none."""
        return self.sent.get((table.full_name, table.columns, first))

    def find(self, piece: Piece) -> Sent | None:
        """The uploaded piece with the same first and last block; None where there is none."""
        sent = self.find_from(piece.table, piece.first)
        return sent if sent and sent.end == piece.end else None


def find_earlier(store: Store, ring: Keyring, under: str) -> Earlier:
    """Find what can be reused from the runs since the last backup; empty where the last run was not interrupted.

    Takes two requests in that case. Runs started in the same second may be read in either order: what is reused is
    compared by its text. Raises S3Error.
    """
    data_key, sent = None, dict[Place, Sent]()
    for id_ in sorted(store.folders(under), reverse=True):
        if not _is_young(id_):
            continue
        if store.size(f"{under}{id_}/{NAME}") is not None:
            break
        opened = _open(store, ring, under, id_)
        # A run that took over from another one has its key; what others sent has to be sent again.
        if opened and data_key in (None, opened) and (notes := _read(store, opened, under, id_)):
            data_key, sent = opened, {**notes, **sent}
    if data_key is None:
        return Earlier()
    sizes = _sizes(store, under, [note.stored for note in sent.values()])
    return Earlier(data_key, {place: note for place, note in sent.items()
                              if sizes.get(note.stored.key) == note.stored.bytes})


def require_earlier_objects(store: Store, manifest: Manifest, under: str) -> None:
    """Raise DumpError where a reused object has been deleted meanwhile, before a manifest names it."""
    earlier = [stored for stored in manifest.objects() if run_of(stored.key, under) != manifest.id]
    sizes = _sizes(store, under, earlier)
    for stored in earlier:
        if sizes.get(stored.key) != stored.bytes:
            raise DumpError(f"{stored.key} in {store}: an interrupted run had sent it, and it was deleted while this "
                            "run went on; see who deletes there, and run the backup again")


def _sizes(store: Store, under: str, objects: Iterable[Stored]) -> dict[str, int]:
    """What the bucket holds now of the rows of the runs that sent these objects, by key."""
    return {key: size for run in {run_of(stored.key, under) for stored in objects}
            for key, size in store.objects(f"{under}{run}/data/")}


def run_of(key: str, under: str) -> str:
    """The id of the run that wrote this object; `under` is the database's key prefix."""
    return key.removeprefix(under).split("/", 1)[0]


def _is_young(id_: str) -> bool:
    started = parse_stamp(id_.split("-", maxsplit=1)[0])
    return started is not None and timedelta() <= datetime.now(UTC) - started < AGE


def _open(store: Store, ring: Keyring, under: str, id_: str) -> bytes | None:
    """The data key of a run; None where the current key does not open it: an older one may be in other hands."""
    try:
        wrapped = store.get(f"{under}{id_}/{KEYS}{ring.current}")
        return ring.unwrap(ring.current, wrapped.decode(errors="replace"), id_) if wrapped else None
    except (WrongKeyError, DamagedError):
        return None


def _read(store: Store, data_key: bytes, under: str, id_: str) -> dict[Place, Sent]:
    """What a run noted, of objects that may still be taken over; nobody else's notes, and none that were changed."""
    pieces = {}
    for key, _ in store.objects(f"{under}{id_}/{SENT}"):
        try:
            code, _, text = (store.get(key) or b"").partition(b"\n")
            if not hmac.compare_digest(code, _code(data_key, key, text)):
                continue
            notes = NOTES.validate_json(text)
        except (DamagedError, ValidationError):
            continue
        pieces.update({note.place: note for note in notes if _is_young(run_of(note.stored.key, under))})
    return pieces


def _code(data_key: bytes, key: str, text: bytes) -> bytes:
    """An authentication code of notes and of the name that they lie under."""
    return seal(data_key, key.encode() + b"\n" + text).encode()
