"""The manifest of a backup, sealed with its key. It is uploaded last: without a manifest there is no backup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from backups.errors import DamagedError
from backups.storage.object_store import Stored
from backups.storage.sealed import Sealed

# 2: small tables share objects, and each stream ends with zstd's checksum of the plain text. 3: large tables come in
# parts. 4: chunks with compressed batches have their rows as a query gives them, and the values of columns that batches
# lack. 5: materialized views that have never been computed are named. What earlier formats say is read as ever.
FORMAT = 5
READABLE = (1, 2, 3, 4, 5)
NAME = "manifest.json"
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Grown(_Part):
    """What got fields later: manifests from before were sealed without them, and are to stay as they were sealed."""

    LATER: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _leave_out_unknown(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return {key: value for key, value in values.items() if key not in self.LATER or value is not None}


class Server(_Grown):
    """The server and the database that were backed up; `edition` is TimescaleDB's licence, timescale or apache.

    `image_digest` identifies the image of the server's container by content, since a tag may move. `locale_provider` is
    pg_database's letter, None for the C library's, with `locale` and `icu_rules` as its other settings. `settings` are
    the database's own, as name=value in the server's words, `role_settings` those of single roles in it.
    """

    server_version: int
    postgresql: str
    timescaledb: str | None
    timescaledb_schema: str | None = None
    edition: str | None
    extensions: dict[str, str]
    encoding: str
    collate: str
    ctype: str
    database: str
    owner: str
    standby: bool = False
    bytes: int = 0
    settings: list[str] = []
    grants: list[dict[str, str | None]] | None = None
    image: str | None = None
    image_digest: str | None = None
    locale_provider: str | None = None
    locale: str | None = None
    icu_rules: str | None = None
    role_settings: dict[str, list[str]] | None = None
    LATER = frozenset({"image_digest", "locale_provider", "locale", "icu_rules", "role_settings"})

    def describe(self) -> str:
        """Versions and edition as a phrase for people."""
        if self.timescaledb is None:
            return f"PostgreSQL {self.postgresql} without TimescaleDB"
        return f"PostgreSQL {self.postgresql}, TimescaleDB {self.timescaledb} ({self.edition})"

    def origin(self) -> str:
        """Versions, edition, image and digest as a phrase for people."""
        if self.image is None and self.image_digest is None:
            return f"{self.describe()}, image unknown"
        return f"{self.describe()}, image {self.image or 'of unknown name'} ({self.image_digest or 'digest unknown'})"


class TableData(_Grown):
    """The rows of one table or chunk, or of a part of it; without `stored` it has no rows.

    `extension` is the extension whose configuration table this is. Where small tables share an object, this one's text
    starts at `offset` in the object's plain text and is `bytes` long. A large table has several entries, in order of
    `part`.
    """

    schema_: str
    name: str
    full_name: str
    columns: str
    rows: Count
    bytes: Count
    sha256: str
    extension: str | None = None
    hypertable: str | None = None
    compressed: bool = False
    stored: Stored | None = None
    offset: Count | None = None
    part: Count | None = None
    LATER = frozenset({"offset", "part"})

    @property
    def stored_bytes(self) -> int:
        """The bytes that it takes in the bucket; an object shared by several tables counts with the first of them."""
        return self.stored.bytes if self.stored and not self.offset else 0


class ChunkRows(_Part):
    """A chunk with compressed batches as a query gives it, its rows outside of batches included.

    `batches` is the table of its batches. `checksum` does not depend on the rows' order; None where the rows were not
    read: `unread` says why. `missing` has the value that rows from before a column was added have in it, as an array of
    one in the server's words: batches hold nothing for them.
    """

    full_name: str
    batches: str
    rows: Count
    checksum: str | None = None
    unread: str | None = None
    missing: dict[str, str] = {}


class SequenceValue(_Part):
    """The last value of a sequence, and whether it was used."""

    full_name: str
    last_value: int
    is_called: bool
    configuration: bool = False


class Role(_Part):
    """A role that the database's objects and grants name; its password is never stored."""

    name: str
    superuser: bool
    inherit: bool
    createrole: bool
    createdb: bool
    login: bool
    replication: bool
    bypassrls: bool
    connections: int
    member_of: list[str]


class Manifest(_Grown, Sealed):
    """One logical backup.

    `bytes` and `sha256` of a table are of its plain COPY text, those of `stored` of the encrypted object. `unpopulated`
    are the materialized views that nobody had computed; None in a backup of an earlier program, which did not tell.
    """

    format: int = FORMAT
    kind: Literal["logical"] = "logical"
    id: str
    database: str
    started: AwareDatetime
    finished: AwareDatetime
    server: Server
    program: dict[str, str]
    cipher: str = "AES-256-GCM, segments of 1 MiB"
    structure: Stored
    tables: list[TableData]
    sequences: list[SequenceValue]
    roles: list[Role]
    jobs: list[str]
    fingerprint: str
    chunks: list[ChunkRows] | None = None
    unpopulated: list[str] | None = None
    LATER = frozenset({"chunks", "unpopulated"})
    SEPARATORS = (",", ":")

    @property
    def rows(self) -> int:
        """The number of rows as queries give them, without extensions' configuration tables."""
        return sum(self.row_counts().values())

    @property
    def counts_batches(self) -> bool:
        """Whether it is of an earlier program, which took each compressed batch for a row."""
        return self.chunks is None and any(table.compressed for table in self.tables)

    def row_counts(self) -> dict[str, int]:
        """The number of rows of each table and chunk as a query gives them, by full name; batches are no tables."""
        counts: dict[str, int] = {}
        for table in self.tables:
            if table.extension is None:
                counts[table.full_name] = counts.get(table.full_name, 0) + table.rows
        return count_rows(counts, self.chunks or ())

    @property
    def stored_bytes(self) -> int:
        """The bytes that the backup takes in the bucket."""
        return sum(stored.bytes for stored in self.objects())

    def objects(self) -> Iterator[Stored]:
        """Every object of the backup once, except the manifest and the wrapped keys."""
        yield self.structure
        yield from {table.stored.key: table.stored for table in self.tables if table.stored}.values()

    @property
    def earlier_bytes(self) -> int:
        """The bytes reused from an interrupted run, whose folder holds them."""
        return sum(stored.bytes for stored in self.objects()
                   if not stored.key.startswith(f"{self.database}/{self.kind}/{self.id}/"))

    def parts(self) -> dict[str, list[TableData]]:
        """The entries of each table and chunk by its full name, in order of their part."""
        parts: dict[str, list[TableData]] = {}
        for table in self.tables:
            parts.setdefault(table.full_name, []).append(table)
        return parts

    def hypertables(self) -> dict[str, list[TableData]]:
        """The chunks' entries by the full name of their hypertable."""
        chunks: dict[str, list[TableData]] = {}
        for table in self.tables:
            if table.hypertable:
                chunks.setdefault(table.hypertable, []).append(table)
        return chunks

    def require_seal(self, data_key: bytes) -> None:
        """Raise DamagedError unless the seal was made with the backup's data key."""
        if not self.is_sealed_with(data_key):
            raise DamagedError(f"{self.id}/{NAME}: its seal is not that of the backup's key: it was changed; take "
                               "another backup")

    def to_json(self) -> bytes:
        """The manifest as indented JSON."""
        return json.dumps(self.model_dump(mode="json"), indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes, where: str) -> Self:
        """Parse a manifest; raises DamagedError where the text is none, or is of a later format. `where` names it."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values.get("format", 1) not in READABLE:
                raise DamagedError(f"{where}: format found {values['format']}, required at most {FORMAT}; "
                                   "use the program that wrote it, or a later one")
            return cls.model_validate(values)
        except (ValueError, ValidationError, AttributeError, RecursionError) as error:
            raise DamagedError(f"{where}: not a manifest ({' '.join(str(error).split())[:100]}); it was changed or cut "
                               "off; take another backup") from None


def sort_for_reading(tables: Iterable[TableData]) -> list[TableData]:
    """Order tables for reading: the largest first, then those that share an object, in the order of their offsets."""
    def place(table: TableData) -> tuple[bool, str, int]:
        if table.stored is None or table.offset is None:
            return False, "", -table.bytes
        return True, table.stored.key, table.offset
    return sorted(tables, key=place)


def index_by_name(tables: Sequence[TableData]) -> dict[str, TableData]:
    """The tables by their full name."""
    return {table.full_name: table for table in tables}


def count_rows(stored: Mapping[str, int], chunks: Iterable[ChunkRows]) -> dict[str, int]:
    """The number of rows of each table and chunk as a query gives them, from those of what is stored, batches included.
    """
    counts = dict(stored)
    for chunk in chunks:
        counts.pop(chunk.batches, None)
        counts[chunk.full_name] = chunk.rows
    return counts
