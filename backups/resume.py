"""An interrupted upload taken up again: what a killed run had sent is not sent again.

The snapshot of a killed run is gone, so every row is read again; but where a table's text is, by its SHA-256, the one
that was sent already, its object is taken over. That is right whatever happened meanwhile: a table that was changed
has another text, is read once more in the same snapshot, and sent. What was sent is noted in the killed run's folder,
sealed with the data key, which is taken over with it; the new manifest names objects of the older folder, and `prune`
leaves that folder alone while one does.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from backups.catalogue import KEYS, has_come, parse_stamp
from backups.encryption import Keyring, new_data_key, seal
from backups.errors import BackupError, WrongKeyError
from backups.manifest import NAME, TableData
from backups.pieces import Piece
from backups.source import SourceTable
from backups.store import Store

SENT = "sent/"
# A table's full name, the columns that were read, the first block.
Place = tuple[str, str, int]
# At most this much is sent again; of a long run a part of what it sent, so that its notes are some hundred.
NOTED_BYTES, NOTED_PART = 32 << 20, 64
# Older objects are not taken over: what the bucket holds back or expires by age counts from their day. `prune` clears
# what killed runs left two days later, when no run that could take it over is still at work.
AGE, CLEARED_AGE = timedelta(days=2), timedelta(days=4)


class Sent(BaseModel):
    """A piece of a table as it lies in the bucket: its rows from the block `first` on, up to but not in `end`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: TableData
    first: int
    end: int | None

    @classmethod
    def of(cls, piece: Piece, table: TableData) -> Self:
        return cls(table=table, first=piece.first, end=piece.end)

    @property
    def place(self) -> Place:
        """Where its rows begin."""
        return self.table.full_name, self.table.columns, self.first


class Notes(BaseModel):
    """Some of what a run sent, with an authentication code: only who has the data key could have written it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sent: list[Sent]
    seal: str = ""

    def sealed(self, data_key: bytes, key: str) -> Self:
        return self.model_copy(update={"seal": self._code(data_key, key)})

    def is_of(self, data_key: bytes, key: str) -> bool:
        """Whether it was written with this data key, under this name."""
        return hmac.compare_digest(self.seal, self._code(data_key, key))

    def _code(self, data_key: bytes, key: str) -> str:
        content = json.dumps([key, self.model_dump(mode="json", exclude={"seal"})], sort_keys=True)
        return seal(data_key, content.encode())


class Journal:
    """Writes down what was sent, whenever that is enough to be worth a request."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder
        self._waiting: list[Sent] = []
        self._bytes, self._noted, self._count = 0, 0, 0
        self._lock = threading.Lock()

    def add(self, data_key: bytes, sent: Sent) -> None:
        """Take what has arrived. Raises S3Error."""
        with self._lock:
            self._waiting.append(sent)
            self._bytes += sent.table.stored_bytes
            if self._bytes - self._noted < max(NOTED_BYTES, self._bytes // NOTED_PART):
                return
            waiting, self._waiting, self._noted = self._waiting, [], self._bytes
            self._count += 1
            key = f"{self._folder}/{SENT}{self._count}.json"
        notes = Notes(sent=waiting).sealed(data_key, key)
        self._store.put(key, notes.model_dump_json().encode())


@dataclass(frozen=True)
class Earlier:
    """What the last interrupted run of a database had sent, by place, and the data key of it and of this run."""

    data_key: bytes = field(repr=False, default_factory=new_data_key)
    sent: Mapping[Place, Sent] = field(default_factory=dict)

    def from_block(self, table: SourceTable, first: int) -> Sent | None:
        """What was sent of a table from a block on."""
        return self.sent.get((table.full_name, table.columns, first))

    def find(self, piece: Piece) -> TableData | None:
        """What was sent of the same blocks."""
        found = self.from_block(piece.table, piece.first)
        return found.table if found and found.end == piece.end else None


def find_earlier(store: Store, ring: Keyring, under: str) -> Earlier:
    """What can be taken over from the runs since the last backup; of nothing where there is nothing. Raises S3Error.

    Costs two requests where the last run was not interrupted. Of two runs of one second either may come first: what is
    taken over is proven by its text, whoever sent it.
    """
    for id_ in sorted(store.folders(under), reverse=True):
        if not _is_young(id_):
            continue
        if store.size(f"{under}{id_}/{NAME}") is not None:
            break
        if (data_key := _open(store, ring, under, id_)) and (sent := _read(store, data_key, under, id_)):
            return Earlier(data_key, sent)
    return Earlier()


def run_of(key: str, under: str) -> str:
    """The id of the run that wrote an object of this database's backups."""
    return key.removeprefix(under).split("/", 1)[0]


def _is_young(id_: str) -> bool:
    begun = parse_stamp(id_.split("-", maxsplit=1)[0])
    return begun is not None and has_come(begun) and datetime.now(UTC) - begun < AGE


def _open(store: Store, ring: Keyring, under: str, id_: str) -> bytes | None:
    """The data key of a run; None where no key of ours opens it."""
    wrapped = ((name, store.get(f"{under}{id_}/{KEYS}{name}")) for name in ring.ids())
    try:
        return ring.unwrap_first(((name, text) for name, text in wrapped if text), id_)
    except WrongKeyError:
        return None


def _read(store: Store, data_key: bytes, under: str, id_: str) -> dict[Place, Sent]:
    """What a run noted, of objects that may still be taken over; nobody else's notes, and none that were changed."""
    found = {}
    for key, _ in store.objects(f"{under}{id_}/{SENT}"):
        try:
            notes = Notes.model_validate_json(store.get(key) or b"")
        except (BackupError, ValidationError):
            continue
        if notes.is_of(data_key, key):
            found.update({each.place: each for each in notes.sent
                          if each.table.stored and _is_young(run_of(each.table.stored.key, under))})
    return found
