"""A restore point with row counts and checksums of all tables: what a recovery to it is compared with.

They are read in the snapshot that contains exactly the transactions committed before a named restore point. Writers
continue, or wait for less than a second; ALTER and DROP wait until the counts are read.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

import psycopg
from psycopg import Connection, sql
from pydantic import BaseModel, ConfigDict, ValidationError

from backups.errors import DamagedError, DumpError
from backups.logical.source.snapshot import prepare, read_tables
from backups.storage.sealed import Sealed
from schema.connection import Address

APPLICATION = "lifecompanion drill"
# Most servers have a moment without a commit among so many. On one that has none, writers are held off: each time for
# so long at most, and for less than a session waits before it looks for a deadlock (1 s, where the server says nothing
# else), or it could be a writer's transaction that ends by it.
ATTEMPTS, LONGEST_PAUSE_SECONDS = 60, 0.05
HOLD_SECONDS, PATIENCE_SECONDS = 0.8, 120.0
# So soon it is seen that a writer waits for what is locked here already, while he has what is waited for. An autovacuum
# that is in the way gives way then, as it does to any lock.
DEADLOCK_MILLISECONDS = 20
# Says which table was not to be had.
HOLD_OFF = """
    DO $$
    DECLARE
        wanted text;
    BEGIN
        FOREACH wanted IN ARRAY {tables}::text[] LOOP
            EXECUTE 'LOCK TABLE ONLY ' || wanted || ' IN SHARE MODE';
        END LOOP;
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR query_canceled THEN
        RAISE lock_not_available USING TABLE = wanted;
    END $$"""
ARCHIVE_SECONDS = 600


class Count(BaseModel):
    """The rows of one table or chunk, those in compressed batches included, and a checksum independent of their order.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    checksum: str


class Point(Sealed):
    """A named restore point, the snapshot of everything committed before it, and the counts by table."""

    name: str
    lsn: str
    when: datetime
    snapshot: str
    counts: dict[str, Count]

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(count.rows for count in self.counts.values())

    @classmethod
    def from_json(cls, text: bytes, cipher: str, where: str) -> Self:
        """Parse a stored point; raises DamagedError unless its seal was made with the repository's cipher pass."""
        try:
            point = cls.model_validate_json(text)
        except ValidationError:
            raise DamagedError(f"{where}: not a point with its counts; run the drill where the server answers"
                               ) from None
        if not point.is_sealed_with(cipher):
            raise DamagedError(f"{where}: its seal is not that of the repository's cipher: it was changed; run the "
                               "drill where the server answers")
        return point


def take_point(admin: Address) -> Point:
    """Create a restore point, count the rows at it, and wait until its WAL is in the bucket. Raises DumpError."""
    try:
        with admin.connect(application_name=APPLICATION) as watch, \
                admin.connect(application_name=APPLICATION) as reader:
            for connection in (watch, reader):
                prepare(connection)
            name, lsn, snapshot, tables = _hold_still(watch, reader)
            when = datetime.now(UTC)
            watch.execute("SELECT pg_switch_wal()")  # it is on its way while the tables are read
            counts = read_counts(reader, tables)
            reader.execute("ROLLBACK")
            _await_archived(watch, lsn)
    except psycopg.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split())
        raise DumpError(f"{admin}: no point for a drill can be made: {reason}; give the administrator's login"
                        ) from None
    return Point(name=name, lsn=lsn, when=when, snapshot=snapshot, counts=counts)


def _hold_still(watch: Connection[Any], reader: Connection[Any]) -> tuple[str, str, str, Sequence[str]]:
    """Make a restore point: its name and LSN, the snapshot of what was committed before it, in which `reader` now is,
    and the tables, which `reader` locked against being altered or dropped."""
    for _ in range(ATTEMPTS):
        attempt = _try_point(watch, reader)
        if attempt:
            return attempt
        time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
    until, first = time.monotonic() + PATIENCE_SECONDS, list[str]()
    while time.monotonic() < until:
        started = time.monotonic()
        attempt = _try_point(watch, reader, first)
        if attempt:
            return attempt
        # Whoever waited meanwhile has as long for his own work, and is then met at another moment of it.
        time.sleep(random.uniform(0.5, 1.5) * (time.monotonic() - started))
    raise DumpError(f"database {watch.info.dbname}: no moment between two commits was met, nor could writers be held "
                    f"off within {HOLD_SECONDS} s, in {PATIENCE_SECONDS:.0f} s of trying; run the drill when no "
                    "transaction stays open for so long")


def _try_point(watch: Connection[Any], reader: Connection[Any], first: list[str] | None = None
               ) -> tuple[str, str, str, Sequence[str]] | None:
    """One attempt at a restore point, as `_hold_still` returns it; with writers held off where it is given what to lock
    `first`."""
    tables = read_lasting(watch)
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    try:
        if tables:
            # The names came quoted from the server itself.
            names = ", ".join(f"ONLY {table}" for table in tables)
            reader.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE".encode())
        if first is not None:
            _hold_off(watch, tables, first)
        name = f"drill_{datetime.now(UTC):%Y%m%dT%H%M%SZ}_{secrets.token_hex(3)}"
        # A statement's snapshot is taken before it does anything: the restore point comes after it.
        row = reader.execute("SELECT pg_current_snapshot()::text, pg_create_restore_point(%s)::text", [name]).fetchone()
        # Who writes holds a lock until others see him as committed: where nobody could, nobody has.
        if row and (first is not None or _nobody_commits(watch, row[0])) and read_lasting(reader) == tables:
            return name, row[1], row[0], tables
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, psycopg.errors.DeadlockDetected):
        pass
    finally:
        if first is not None:
            watch.execute("ROLLBACK")
    reader.execute("ROLLBACK")
    return None


def _hold_off(watch: Connection[Any], tables: Sequence[str], first: list[str]) -> None:
    """Begin a transaction of `watch` in which nobody else writes to the tables, those in `first` locked first.

    Raises LockNotAvailable where writers are not done in time; the table that they did not leave is then the first in
    `first`. Writers come to tables in an order of their own. Whoever locks in another waits for one of them who waits
    for him, time and again; a table that is waited for with nothing else locked comes free.
    """
    # A hypertable comes before its chunks to every writer.
    order = [*first, *sorted(set(tables) - set(first), key=lambda name: (name.startswith("_timescaledb"), name))]
    watch.execute("BEGIN")
    watch.execute("SELECT set_config('statement_timeout', least(%s, 0.8 * setting::float8)::int::text, true)"
                  " FROM pg_settings WHERE name = 'deadlock_timeout'", [HOLD_SECONDS * 1000])
    watch.execute(f"SET LOCAL deadlock_timeout = {DEADLOCK_MILLISECONDS}".encode())
    try:
        watch.execute(sql.SQL(HOLD_OFF).format(tables=sql.Literal([name for name in order if name in tables])))
    except psycopg.errors.LockNotAvailable as error:
        wanted = error.diag.table_name
        if wanted:
            first[:] = [wanted, *(name for name in first if name != wanted)]
        raise


def _nobody_commits(watch: Connection[Any], snapshot: str) -> bool:
    """Whether no transaction has ended since the snapshot, nor stands between its commit's WAL and being seen as ended.

    That gap is as long as the disk, or a synchronous standby, takes. In it a transaction is of an active session, which
    waits for nobody's lock.
    """
    busy = watch.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
                         " AND state IS DISTINCT FROM 'idle in transaction'"
                         " AND wait_event_type IS DISTINCT FROM 'Lock')").fetchone()
    # After the look: one that ended before it is seen here.
    return busy == (False,) and watch.execute("SELECT pg_current_snapshot()::text").fetchone() == (snapshot,)


def read_lasting(connection: Connection[Any]) -> list[str]:
    """The names of the tables and chunks that are in the WAL: all but temporary and unlogged ones."""
    unlogged = {row[0] for row in connection.execute("SELECT oid::bigint FROM pg_class WHERE relpersistence = 'u'")}
    return sorted(table.full_name for table in read_tables(connection) if table.oid not in unlogged)


def read_counts(connection: Connection[Any], tables: Sequence[str]) -> dict[str, Count]:
    """Rows and checksum of each table; for a compressed chunk, of its batches as stored."""
    # Or each compressed row would be read twice, once as a row of its chunk.
    connection.execute("SELECT set_config(name, 'off', false) FROM pg_settings"
                       " WHERE name = 'timescaledb.enable_transparent_decompression'")
    batches = {row[0] for row in connection.execute(
        "SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_attribute"
        " JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE attname = '_ts_meta_count' AND c.relkind = 'r' AND nspname = '_timescaledb_internal'")}
    counts = {}
    for name in tables:
        number = "coalesce(sum(x._ts_meta_count), 0)" if name in batches else "count(*)"
        row = connection.execute(f"SELECT {number}::bigint, coalesce(sum(hashtextextended(ROW(x.*)::text, 0)), 0)::text"
                                 f" FROM ONLY {name} AS x".encode()).fetchone()
        assert row
        counts[name] = Count(rows=row[0], checksum=row[1])
    return counts


def compare_point(point: Point, recovered: Connection[Any], next_transaction: int) -> list[str]:
    """What a database recovered to the point has otherwise than the source had; a line for each difference.

    `next_transaction` is the first transaction id that the recovered server itself assigned.
    """
    prepare(recovered)
    beyond = _read_committed(recovered, point.snapshot, next_transaction)
    if beyond:
        return [f"restore point {point.name}: transactions {', '.join(map(str, beyond[:3]))} were not committed there, "
                "and are in the recovered server"]
    tables = read_lasting(recovered)
    problems = [f"{name}: there, but not in the source" for name in tables if name not in point.counts]
    problems += [f"{name}: not there, required {count.rows} rows"
                 for name, count in point.counts.items() if name not in tables]
    for name, count in read_counts(recovered, [name for name in tables if name in point.counts]).items():
        wanted = point.counts[name]
        if count.rows != wanted.rows:
            problems.append(f"{name}: found {count.rows} rows, required {wanted.rows}")
        elif count != wanted:
            problems.append(f"{name}: {count.rows} rows as required, but their content differs")
    return problems


def segment_lsn(segment: str) -> int:
    """The first byte of a WAL segment of 16 MiB as an LSN in bytes."""
    return (int(segment[8:16], 16) << 32) + (int(segment[16:24], 16) << 24)


def parse_lsn(lsn: str) -> int:
    """An LSN such as 1/5A000028 in bytes."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _read_committed(connection: Connection[Any], snapshot: str, next_transaction: int) -> list[int]:
    """The transactions that the snapshot does not hold, and that are committed nevertheless."""
    _, xmax, running = snapshot.split(":")
    later = min(next_transaction, int(xmax) + 10_000)
    candidates = [*(int(word) for word in running.split(",") if word), *range(int(xmax), later)]
    return [row[0] for row in connection.execute(
        sql.SQL("SELECT x::bigint FROM unnest({}::bigint[]) AS x WHERE pg_xact_status(x::text::xid8) = 'committed'")
        .format(sql.Literal(candidates)))]


def _await_archived(connection: Connection[Any], lsn: str) -> None:
    until = time.monotonic() + ARCHIVE_SECONDS
    while time.monotonic() < until:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name = seg || '.done')"
            "    OR left(last_archived_wal, 24) COLLATE \"C\" >= seg"
            "  FROM pg_walfile_name(%s::pg_lsn) AS seg, pg_stat_archiver", [lsn]).fetchone()
        if row and row[0]:
            return
        time.sleep(0.2)
    raise DumpError(f"archiving: the WAL of a point did not arrive in the bucket within {ARCHIVE_SECONDS} s; see "
                    "`lcdb backup status` and the server's log")
