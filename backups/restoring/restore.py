"""A logical restore: everything is checked before the first change, then rows and indexes are loaded in parallel.

TimescaleDB's catalog comes first, since only then does the server treat a chunk as one; then tables and chunks in
parallel; then indexes and constraints in parallel. The target is always a new database, whose jobs are held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from backups.errors import RestoreError
from backups.logical.catalog import Entry, open_backup
from backups.logical.manifest import Manifest, SequenceValue, Server, TableData, index_by_name, sort_for_reading
from backups.logical.reader import Opened
from backups.logical.source.chunk_rows import read_compressed
from backups.logical.source.snapshot import read_fingerprint
from backups.logical.verify import require_contents, require_objects
from backups.postgresql.client_programs import Programs, complaint, find_programs
from backups.postgresql.parallel_sessions import work_side_by_side
from backups.progress import Listener, ignore, with_rate
from backups.restoring.held_jobs import hold_jobs
from backups.restoring.materialized_views import fill_views
from backups.restoring.missing_values import find_lost_values, set_missing_values
from backups.restoring.sessions import Sessions, log_in, open_sessions
from backups.restoring.sparse_indexes import clear_useless_filters
from backups.restoring.target_database import create_database, create_roles, drop_database, finish_database, require_fit
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store
from backups.temporary_folders import scratch_folder
from schema.connection import UNLIMITED, Address
from schema.errors import ServerUnreachableError

WORKERS = 2
# pg_restore lifts limits itself, but only after its first statement. What comes last is a commit that waits for the
# disk, with it all before.
LOADING = f"{UNLIMITED} -c synchronous_commit=off"


@dataclass(frozen=True)
class Restored:
    """The result of a restore: the database, the seconds of each phase, the ids of the held jobs, the roles created.

    `unfilled` has a line for each materialized view that could not be refreshed; `origin` describes the source server;
    `lost` has a line for each column whose values a backup of an earlier program may lack.
    """

    backup: str
    database: str
    rows: int
    seconds: dict[str, float]
    held_jobs: Sequence[int]
    new_roles: Sequence[str]
    unfilled: Sequence[str] = ()
    origin: str = ""
    lost: Sequence[str] = ()


@dataclass
class _Run:
    opened: Opened
    programs: Programs
    address: Address
    archive: Path
    workers: int
    listener: Listener
    # Whether the archive holds large objects: it is they that are its data, since rows are not in it.
    large_objects: bool = False
    unfilled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def phase(self, name: str, run: Callable[[], Any]) -> Any:
        self.listener(name, 0.0)
        since = time.monotonic()
        done = run()
        self.seconds[name] = round(time.monotonic() - since, 2)
        return done


def restore_logical(store: Store, ring: Keyring, entry: Entry, admin: Address, name: str, *, image: str | None = None,
                    workers: int = WORKERS, analyze: bool = True, listener: Listener = ignore) -> Restored:
    """Restore a backup into a new database `name` on the server that `admin` is a superuser of; its jobs are held.

    Raises RestoreError, DamagedError or WrongKeyError before any change where the backup does not fit the server or is
    not complete; a restore that fails later drops its own database again.
    """
    manifest, data_key = open_backup(store, ring, entry)
    opened = Opened(store, manifest, data_key)
    with (scratch_folder("restore") as folder,
          open_sessions(lambda: log_in(replace(admin, database="postgres"))) as server):
        with server.enter() as connection:
            require_fit(manifest, connection)
            version = connection.info.server_version
        programs = find_programs(version, image or manifest.server.image, archive_of=manifest.server.server_version)
        run = _Run(opened, programs, replace(admin, database=name), folder / "structure.dump",
                   1 if server.alone else workers, listener)
        run.phase("verify", lambda: require_objects(opened, workers=workers, listener=with_rate("verify", listener)))
        opened.fetch_structure(run.archive)
        run.large_objects = require_contents(manifest, run.programs, run.archive)
        with server.enter() as connection:
            create_database(connection, manifest, name)
        try:
            with server.enter() as connection:
                roles = create_roles(connection, manifest.roles)
            held = _fill(run, analyze=analyze)
            with server.enter() as connection:
                finish_database(connection, manifest, name)
        except BaseException as error:
            left = _take_away(server, admin, name)
            if isinstance(error, psycopg.Error | RestoreError | ServerUnreachableError):
                raise RestoreError(f"{_describe_failure(name, error)}; {left}") from None
            raise
    return Restored(manifest.id, name, manifest.rows, run.seconds, held, roles, run.unfilled, manifest.server.origin(),
                    run.lost)


def _describe_failure(name: str, error: Exception) -> str:
    """What went wrong with the database, with the server's hint, in one line."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, RestoreError):
        return text
    full = isinstance(error, psycopg.errors.DiskFull)
    return f"database {name}: {'the disk of the server is full: ' if full else ''}{text}"


def _take_away(server: Sessions, admin: Address, name: str) -> str:
    """Drop what was half restored, over a new connection where the server ends the old one; says what became of it."""
    try:
        with server.enter() as connection:
            drop_database(connection, name)
    except (psycopg.Error, ServerUnreachableError):
        try:
            # A server whose disk is full may crash even of that, and be back with room.
            with log_in(replace(admin, database="postgres")) as again:
                drop_database(again, name)
        except (psycopg.Error, ServerUnreachableError):
            return f"the half-restored {name} is still there: restore under the same name once the server is well, " \
                   "which drops it first"
    return "it was dropped again"


def _fill(run: _Run, *, analyze: bool) -> list[int]:
    """Everything from the empty database to the finished one; returns the held jobs."""
    manifest = run.opened.manifest
    with open_sessions(lambda: log_in(run.address, LOADING, amid_restore=True)) as database:
        timescale = manifest.server.timescaledb is not None
        schema = sql.Identifier(manifest.server.timescaledb_schema or "public")
        if timescale:
            with database.enter() as connection:
                _create_timescaledb(connection, manifest.server)
                connection.execute(sql.SQL("SELECT {}.timescaledb_pre_restore()").format(schema))
        run.phase("structure", lambda: _pg_restore(run, "pre-data", jobs=1))
        with database.enter() as connection:
            run.phase("catalog", lambda: _load_catalog(run, connection))
            held = hold_jobs(connection) if timescale else []
        run.phase("rows", lambda: _load_tables(run))
        if run.large_objects:
            run.phase("large objects", lambda: _pg_restore(run, "data", jobs=1))
        with database.enter() as connection:
            set_missing_values(connection, manifest.chunks or ())
            clear_useless_filters(connection, manifest.server.timescaledb)
            _set_sequences(connection, [value for value in manifest.sequences if not value.configuration])
        run.phase("indexes", lambda: _pg_restore(run, "post-data", jobs=run.workers))
        with database.enter() as connection:
            if timescale:
                connection.execute(sql.SQL("SELECT {}.timescaledb_post_restore()").format(schema))
            _require_structure(run, connection)
            run.unfilled += fill_views(connection, manifest.unpopulated or ())
            if manifest.counts_batches:
                run.lost += find_lost_values(connection, read_compressed(connection, str(manifest.server.timescaledb)))
            tables = _to_analyze(connection) if analyze else []
        if analyze:
            run.phase("analyze", lambda: _analyze(run, tables))
    return held


def _create_timescaledb(connection: Connection[Any], server: Server) -> None:
    """The extension in the version and the schema that it had: the search path of a superuser may hold neither."""
    schema = sql.Identifier(server.timescaledb_schema or "public")
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    connection.execute(sql.SQL("CREATE EXTENSION timescaledb SCHEMA {} VERSION {}").format(
        schema, sql.Literal(server.timescaledb)))


def _pg_restore(run: _Run, section: str, jobs: int) -> None:
    server = make_conninfo(service="lcdb", dbname=run.address.database)
    arguments = ["--exit-on-error", f"--section={section}", f"--dbname={server}", f"--jobs={jobs}", str(run.archive)]
    with run.programs.run("pg_restore", arguments, run.address, shared=[run.archive],
                          options=_options(run.opened.manifest, jobs)) as process:
        assert process.stdout
        process.stdout.read()
        if process.wait() != 0:
            raise RestoreError(f"database {run.address.database}: pg_restore ({section}): {complaint(process)}")


def _options(manifest: Manifest, jobs: int) -> str:
    """Server options of pg_restore: where there are enough tables for every job, one process builds each index.

    Processes that help each other with one index cost more than the same processes with an index each.
    """
    sizes = [sum(part.bytes for part in parts) for parts in manifest.parts().values()]
    spread = jobs > 1 and max(sizes, default=0) * jobs <= sum(sizes)
    return LOADING + (" -c max_parallel_maintenance_workers=0" if spread else "")


def _load_catalog(run: _Run, connection: Connection[Any]) -> None:
    """The configuration of the extensions, alone, each table after those it refers to."""
    tables = index_by_name([table for table in run.opened.manifest.tables if table.extension])
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(tables, ()))
    # What refers to itself is right at the end of its own COPY: these are the circles that pg_dump warns of.
    for referring, referred in connection.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid <> confrelid"):
        if referring in tables and referred in tables:
            order.add(referring, referred)
    with connection.transaction():
        for table in (tables[name] for name in order.static_order()):
            _load(run, connection, table)
    _set_sequences(connection, [value for value in run.opened.manifest.sequences if value.configuration])


def _load_tables(run: _Run) -> None:
    """Tables, chunks and parts of them side by side, the largest first."""
    tables = sort_for_reading(table for table in run.opened.manifest.tables if not table.extension and table.stored)
    undivided = {name for name, parts in run.opened.manifest.parts().items() if len(parts) == 1}

    def load(connection: Connection[Any], number: int) -> None:
        table = tables[number]
        with connection.transaction():
            # Rows that nobody saw before may come frozen: nothing writes their pages again, to mark or to freeze them.
            fresh = table.full_name in undivided
            if fresh:
                connection.execute(f"TRUNCATE ONLY {table.full_name}".encode())
            _load(run, connection, table, " (FREEZE)" if fresh else "")

    _side_by_side(run, "rows", [table.bytes for table in tables], load)


def _to_analyze(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    """Every table that ANALYZE of a whole database reads, by name, with its size; the largest first."""
    return connection.execute("""
        SELECT c.oid::regclass::text,
               8192 + pg_relation_size(c.oid) + coalesce(sum(pg_relation_size(inhrelid)), 0)::int8
          FROM pg_class c LEFT JOIN pg_inherits ON inhparent = c.oid
         WHERE relkind IN ('r', 'p', 'm') AND relpersistence <> 't' AND NOT relispartition AND NOT relisshared
         GROUP BY c.oid ORDER BY 2 DESC""").fetchall()


def _analyze(run: _Run, tables: Sequence[tuple[Any, ...]]) -> None:
    """What ANALYZE does of a whole database, one table after the other; here side by side."""
    # TimescaleDB would analyze every chunk of a hypertable again, which stand here beside it.
    options = f"{LOADING} -c timescaledb.restoring=on" if run.opened.manifest.server.timescaledb else LOADING
    _side_by_side(run, "analyze", [size for _, size in tables],
                  # The names came quoted from the server itself.
                  lambda connection, number: connection.execute(f"ANALYZE {tables[number][0]}".encode()), options)


def _side_by_side(run: _Run, phase: str, sizes: Sequence[int], work: Callable[[Connection[Any], int], Any],
                  options: str = LOADING) -> None:
    work_side_by_side(sizes, work, workers=run.workers, connect=lambda: log_in(run.address, options, amid_restore=True),
                      tell=with_rate(phase, run.listener))


def _load(run: _Run, connection: Connection[Any], table: TableData, options: str = "") -> None:
    if not table.stored:
        return
    with connection.cursor() as cursor:
        # The names came quoted from the server itself.
        with cursor.copy(f"COPY {table.full_name} ({table.columns}) FROM STDIN{options}".encode()) as copy:
            for block in run.opened.rows_to_load(table):
                copy.write(block)
        # A trigger of TimescaleDB's keeps its own facts of this installation in place of those of the other.
        if cursor.rowcount != table.rows and not table.extension:
            raise RestoreError(f"table {table.full_name}: the server took {cursor.rowcount} rows, "
                               f"required {table.rows}")


def _set_sequences(connection: Connection[Any], sequences: Sequence[SequenceValue]) -> None:
    for value in sequences:
        connection.execute("SELECT setval(%s::regclass, %s, %s)", [value.full_name, value.last_value, value.is_called])


def _require_structure(run: _Run, connection: Connection[Any]) -> None:
    """Raise RestoreError unless the structure is, in the server's own words, what was backed up."""
    manifest = run.opened.manifest
    connection.execute("SET search_path = ''")
    if connection.info.server_version // 10000 == manifest.server.server_version // 10000:
        fingerprint, _ = read_fingerprint(connection)
        if fingerprint != manifest.fingerprint:
            raise RestoreError(f"database {run.address.database}: its structure is not the one that was backed up "
                               f"(found {fingerprint[:12]}, required {manifest.fingerprint[:12]})")
