"""The source of a backup: its tables locked against alteration, seen through one exported snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import Connection, sql
from psycopg.rows import dict_row

from backups.errors import BusyError, DumpError
from backups.logical.source.queries import rows
from backups.logical.source.restorable import require_restorable
from backups.logical.source.wording import settled
from schema.connection import Address

if TYPE_CHECKING:
    # And else where they are used: they bring the libraries of the bucket, and locks and snapshot are had before.
    from backups.logical.manifest import Role, SequenceValue, Server
    from backups.logical.source.chunk_rows import CompressedChunk

Answer = TypeVar("Answer")
APPLICATION = "lifecompanion backup"
LOCK = 4_201_160_500_732  # one arbitrary number for "a backup of this database is being taken"
ATTEMPTS = 5
GATHERED_BYTES = 1 << 17
LOCK_TIMEOUT = "10s"
# As pg_dump has it: whatever the login's own settings are, the text is the same, of rows and of the structure.
SETTINGS = {
    "statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0",
    "transaction_timeout": "0", "row_security": "off", "synchronize_seqscans": "off", "extra_float_digits": "3",
    "datestyle": "ISO", "intervalstyle": "postgres", "timezone": "'UTC'", "bytea_output": "hex",
    "quote_all_identifiers": "off", "standard_conforming_strings": "on", "search_path": "''"}
SINCE = {"idle_session_timeout": 140000, "tid_range_scan": 140000, "transaction_timeout": 170000}


@dataclass(frozen=True)
class SourceTable:
    """A table that holds rows itself; `condition` selects the rows of an extension's configuration table to back up.

    `bytes` and `blocks` are the heap's; the text of one with compressed batches may be fifty times as long.
    """

    oid: int
    schema: str
    name: str
    full_name: str
    column_names: Sequence[str]
    extension: str | None
    condition: str | None
    compressed: bool
    bytes: int
    blocks: int

    @property
    def columns(self) -> str:
        """The quoted column names, as in a statement."""
        return ", ".join('"' + name.replace('"', '""') + '"' for name in self.column_names)

    @property
    def copy(self) -> str:
        """The COPY statement that reads its rows; of a chunk the heap alone.

        A chunk's compressed rows are a table of their own.
        """
        return f"COPY {self.full_name} ({self.columns}) TO STDOUT"

    @property
    def query(self) -> str:
        """The query for the rows of a configuration table that belong to the database."""
        return f"SELECT {self.columns} FROM ONLY {self.full_name} {self.condition or ''}"


@dataclass(frozen=True)
class Surroundings:
    """What a manifest records besides rows; `chunks` gives each chunk's hypertable and whether it is compressed."""

    chunks: dict[str, tuple[str, bool]]
    sequences: Sequence[SequenceValue]
    roles: Sequence[Role]
    jobs: Sequence[str]
    fingerprint: str
    unpopulated: Sequence[str]


@dataclass
class Source:
    """The database in one snapshot, valid while the connection that took it is open.

    `snapshot` is its exported name; None where the server accepts no other connection, so that all is read over this
    one (`copy`). `compressed` are the chunks that have compressed batches.
    """

    snapshot: str | None
    server: Server
    tables: Sequence[SourceTable]
    compressed: Sequence[CompressedChunk]
    _address: Address
    _connection: Connection[Any]

    @cached_property
    def surroundings(self) -> Surroundings:
        """What the manifest records besides rows; read in the snapshot at the first access. Raises DumpError."""
        from backups.logical.manifest import Role

        with explain_errors(self._address):
            fingerprint, jobs = read_fingerprint(self._connection)
            chunks = {row["full_name"]: (row["hypertable"], row["compressed"])
                      for row in rows(self._connection, "chunks")} if self.server.timescaledb else {}
            return Surroundings(chunks, read_sequences(self._connection),
                                [Role(**row) for row in rows(self._connection, "roles")], jobs, fingerprint,
                                read_unpopulated(self._connection))

    def ask(self, read: Callable[[Connection[Any]], Answer]) -> Answer:
        """The result of `read` in the snapshot's own session. Raises DumpError."""
        with explain_errors(self._address):
            return read(self._connection)

    def copy(self, statement: str, write: Callable[[bytes], None]) -> int:
        """Run a COPY in the snapshot's own session and pass its text on in larger blocks; returns the number of rows.
        """
        with self._connection.cursor() as cursor:
            gathered = bytearray()
            with cursor.copy(statement.encode()) as rows:
                for row in rows:
                    gathered += row
                    if len(gathered) >= GATHERED_BYTES:
                        write(bytes(gathered))
                        gathered.clear()
            if gathered:
                write(bytes(gathered))
            return cursor.rowcount

    def release(self) -> None:
        """End the snapshot and its table locks.

        The advisory lock that excludes other backups stays, except where the server accepts one connection. Raises
        DumpError where the server ended the session before.
        """
        try:
            self._connection.execute("ROLLBACK")
            if self.snapshot is None:
                self._connection.close()
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            raise DumpError(f"{self._address}: the server ended the session that held the snapshot: {reason}; "
                            "run the backup again") from None


@contextmanager
def snapshot_of(address: Address, image: str | None = None, digest: str | None = None) -> Iterator[Source]:
    """Lock every table against ALTER and DROP (ACCESS SHARE; readers and writers go on) and export one snapshot.

    Raises BusyError while another backup of this database runs, DumpError where the tables change faster than the locks
    are taken.
    """
    with address.connect(application_name=APPLICATION) as connection:
        with explain_errors(address):
            alone = answers_alone(connection)
        yield take_snapshot(address, connection, image, digest, alone=alone)


def take_snapshot(address: Address, connection: Connection[Any], image: str | None, digest: str | None, *, alone: bool
                  ) -> Source:
    """Lock and export over this connection.

    Where the server accepts one connection (`alone`), the surroundings are read at once, as it is busy with rows later.
    """
    with explain_errors(address):
        prepare(connection)
        _only_one(connection)
        tables = _hold_still(connection)
        exported = None if alone else connection.execute("SELECT pg_export_snapshot()").fetchone()
        server = read_server(connection, image, digest)
        require_restorable(connection, timescaledb=server.timescaledb is not None)
        compressed = _read_compressed(connection, server.timescaledb)
        source = Source(str(exported[0]) if exported else None, server, tables, compressed, address, connection)
    if alone:
        # Later on the connection is busy with rows.
        _ = source.surroundings
    return source


@contextmanager
def explain_errors(address: Address) -> Iterator[None]:
    """Turn a server error in the block into a one-line DumpError that names the database and the remedy."""
    try:
        yield
    except psycopg.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split())
        raise DumpError(f"{address}: cannot be read completely: {reason}; give a login that may read every table: "
                        "a member of pg_read_all_data (PostgreSQL 14 on), or the administrator's") from None


def _hold_still(connection: Connection[Any]) -> list[SourceTable]:
    """Begin the transaction in which every table is locked, and say which tables those are."""
    for _ in range(ATTEMPTS):
        tables = read_tables(connection)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            # Before any snapshot: what is altered until the lock is had is seen as it is then.
            _lock(connection, tables)
            if [(t.oid, t.column_names) for t in read_tables(connection)] == [(t.oid, t.column_names) for t in tables]:
                return tables
        except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, psycopg.errors.DeadlockDetected):
            pass
        connection.execute("ROLLBACK")
    raise DumpError(f"database {connection.info.dbname}: its tables are being created, altered or dropped faster than "
                    f"they can be locked ({ATTEMPTS} attempts); take the backup when no migration runs")


def read_server(connection: Connection[Any], image: str | None = None, digest: str | None = None) -> Server:
    """Versions, edition and settings of the server and the database."""
    from backups.logical.manifest import Server

    return Server(**rows(connection, "server")[0], image=image, image_digest=digest)


def _read_compressed(connection: Connection[Any], timescaledb: str | None) -> list[CompressedChunk]:
    from backups.logical.source.chunk_rows import read_compressed

    return read_compressed(connection, timescaledb) if timescaledb else []


def read_tables(connection: Connection[Any]) -> list[SourceTable]:
    """All tables and chunks that hold rows."""
    return [SourceTable(**row) for row in rows(connection, "tables")]


def read_fingerprint(connection: Connection[Any]) -> tuple[str, list[str]]:
    """A SHA-256 over the structure as the server spells it, and the lines that describe the jobs."""
    jobs: list[str] = []
    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
        jobs = [row["line"] for row in rows(connection, "jobs")]
    lines = settled(row["line"] for row in rows(connection, "fingerprint"))
    return hashlib.sha256("\n".join([*lines, *jobs]).encode()).hexdigest(), jobs


def read_unpopulated(connection: Connection[Any]) -> list[str]:
    """The materialized views that cannot be queried before they are refreshed (WITH NO DATA), oldest first."""
    return [row["full_name"] for row in rows(connection, "unpopulated")]


def read_sequences(connection: Connection[Any]) -> list[SequenceValue]:
    """The last value of every sequence."""
    from backups.logical.manifest import SequenceValue

    listed = rows(connection, "sequences")
    if not listed:
        return []
    parts = [sql.SQL("SELECT {} AS full_name, last_value, is_called, {} AS configuration FROM ").format(
        sql.Literal(row["full_name"]), sql.Literal(row["configuration"])) + sql.SQL(row["full_name"])
        for row in listed]
    with connection.cursor(row_factory=dict_row) as cursor:
        return [SequenceValue(**row) for row in cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()]


def prepare(connection: Connection[Any]) -> None:
    """Set the session so that rows have the same text whatever the login's own settings are."""
    connection.execute(f"{settings(connection.info.server_version)}; SET lock_timeout = '{LOCK_TIMEOUT}'".encode())


def settings(server_version: int, scope: str = "SET") -> str:
    """The SET statements of SETTINGS, without those that this server version does not know."""
    return "; ".join(f"{scope} {name} = {value}" for name, value in SETTINGS.items()
                     if server_version >= SINCE.get(name, 0))


def answers_alone(connection: Connection[Any]) -> bool:
    """Whether the server accepts no other connection while this one is open: the embedded one."""
    row = connection.execute("SELECT position('emcc' IN version()) > 0").fetchone()
    return bool(row and row[0])


def _only_one(connection: Connection[Any]) -> None:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    if not row or not row[0]:
        raise BusyError(f"database {connection.info.dbname}: another backup of it is being taken; wait for its end")


def _lock(connection: Connection[Any], tables: Sequence[SourceTable]) -> None:
    if tables:
        # The names come quoted from the server itself.
        connection.execute(f"LOCK TABLE {', '.join('ONLY ' + t.full_name for t in tables)} "
                           "IN ACCESS SHARE MODE".encode())
