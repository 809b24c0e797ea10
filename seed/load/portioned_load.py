"""Loading a large data set in portions with several workers; the next run finishes a load, whatever interrupted it.

Each step leaves tables and ledger in agreement, and reads what is done before it starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import psycopg
from psycopg import errors, sql
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from schema.connection import Address
from schema.errors import SchemaError
from seed.errors import SeedError
from seed.generate.alerts.threshold_crossings import Watch
from seed.generate.devices import devices
from seed.generate.people import users
from seed.load import ledger
from seed.load.aggregates import refresh_aggregates
from seed.load.chunks import compress_old_chunks
from seed.load.copy_in import can_copy, write
from seed.load.deferral import Deferred, defer, drop, restore
from seed.load.ledger import Load
from seed.load.portions import Portion, notification_portions, portions_to_observe, start_first
from seed.load.progress import Progress, Tally
from seed.load.tables import GROWING, TABLES, Connection, advance_sequences, any_rows, one
from seed.load.worker_pool import APPLICATION, Task, WorkerPool
from seed.spec import Spec


def start(connection: Connection, load: Load) -> list[Portion]:
    """Begin a load in one transaction: the ledger, users and devices and, on empty tables, the deferral.

    Returns the portions of readings and activities; a thread generates the first of them meanwhile. Raises SeedError.
    """
    spec = load.spec
    observed = start_first(portions_to_observe(spec))
    with connection.transaction():
        deferred = [] if load.adding else defer(connection)
        if not load.adding and any_rows(connection):
            raise SeedError(f"{connection.info.dbname}: rows have come into the tables just now; seed again with --add "
                            "to load beside them")
        ledger.begin(connection, load, deferred)
        copies = can_copy(connection)
        for rows in (users(spec), devices(spec)):
            write(connection, rows, copies=copies)
        if not load.adding:
            # Before any portion: a row that the application inserts meanwhile gets an id after all of ours.
            advance_sequences(connection, _totals(spec))
    return observed


def finish(connection: Connection, pool: WorkerPool, progress: Progress, observed: list[Portion] | None = None
           ) -> dict[str, int]:
    """Do everything that is left of the load in the ledger; returns the number of rows of each table."""
    load = ledger.read_load(connection)
    assert load is not None
    spec = load.spec
    done = ledger.read_done(connection)
    tallies = {table: Tally(progress, table, total) for table, total in _totals(spec).items()}
    tallies["users"].add(spec.users)
    tallies["devices"].add(spec.devices)
    for (table, _), rows in done.items():
        tallies[table].add(rows)
    observed = observed or portions_to_observe(spec)
    if any((portion.table, portion.number) not in done for portion in observed):
        # An interruption put the foreign keys back, or the schema was applied since.
        drop(connection, ledger.read_deferred(connection))
    pool.run(_portion_tasks(observed, done, tallies, load))
    if spec.most_notifications:
        notifications = notification_portions(_read_sightings(connection, spec, observed))
        pool.run(_portion_tasks(notifications, done, tallies, load))
    _restore_all(connection, pool, progress)
    refresh_aggregates(connection, spec, progress)
    if load.compress:
        compress_old_chunks(connection, pool, progress)
        pool.run(analyses(progress))
    ledger.close(connection)
    return {table: tally.done for table, tally in tallies.items()}


def secure(address: Address, connection: Connection) -> None:
    """Create the foreign keys of an interrupted load again, so that they are in force until it is resumed.

    Uses the load's own connection, or a new one where that broke. Where the server cannot be reached, nothing is done.
    """
    try:
        if not connection.closed:
            _restore_keys(connection)
            return
        with address.connect(application_name=APPLICATION, wait_seconds=2) as another:
            _restore_keys(another)
    except (psycopg.Error, SchemaError):
        return


def _restore_keys(connection: Connection) -> None:
    if ledger.read_load(connection):
        for entry in ledger.read_deferred(connection):
            if not entry.is_index:
                restore(connection, entry)


def discard_load(connection: Connection, load: Load, *, rows: bool = True) -> None:
    """Delete what the load has loaded, create what it deferred again and drop the ledger, in one transaction."""
    spec = load.spec
    with connection.transaction():
        if rows and load.adding:
            _delete(connection, spec)
        elif rows:
            connection.execute(f"TRUNCATE {', '.join(TABLES)}".encode())
        for entry in ledger.read_deferred(connection):
            restore(connection, entry)
        ledger.close(connection)


def _delete(connection: Connection, spec: Spec) -> None:
    """Delete the rows of the load's users and devices, of all five tables."""
    people, machines = (spec.first_user, spec.first_user + spec.users - 1), (
        spec.first_device, spec.first_device + spec.devices - 1)
    for table, column, ids in (("notifications", "user_id", people), ("activity_classifications", "user_id", people),
                               ("environmental_readings", "device_id", machines), ("devices", "id", machines),
                               ("users", "id", people)):
        connection.execute(f"DELETE FROM {table} WHERE {column} BETWEEN %s AND %s".encode(), ids)


def _totals(spec: Spec) -> dict[str, int]:
    return dict(zip(TABLES, (spec.users, spec.devices, spec.total_readings, spec.total_activities,
                             spec.most_notifications), strict=True))


def _portion_tasks(portions: Iterable[Portion], done: Mapping[tuple[str, int], int], tallies: Mapping[str, Tally],
                   load: Load) -> Iterable[Task]:
    """One task for each portion that is not loaded yet: make it, then load and enter it in one transaction."""
    def task_of(portion: Portion) -> Task:
        def task(connection: Connection) -> None:
            rows, sighting = portion.make()
            with connection.transaction():
                if ledger.enter(connection, portion.table, portion.number, len(rows), sighting) and len(rows):
                    write(connection, rows, copies=can_copy(connection), own_ids=not load.adding,
                          written=tallies[portion.table].add)
        return task

    return (task_of(portion) for portion in portions if (portion.table, portion.number) not in done)


def _read_sightings(connection: Connection, spec: Spec, observed: Iterable[Portion]) -> Watch:
    watch = Watch(spec)
    for portion in observed:
        watch.add(ledger.read_sighting(connection, portion.table, portion.number))
    return watch


def _restore_all(connection: Connection, pool: WorkerPool, progress: Progress) -> None:
    """Put back every index, side by side, and behind them, chunk by chunk, statistics and every foreign key's check."""
    deferred = sorted(ledger.read_deferred(connection), key=lambda entry: TABLES.index(entry.table))
    by_chunk = {table for table in GROWING if _is_hypertable(connection, table)} if can_copy(connection) else set()
    indexes, keys = [entry for entry in deferred if entry.is_index], [entry for entry in deferred if not entry.is_index]
    built, checked = Tally(progress, "indexes", len(indexes)), Tally(progress, "foreign keys", len(keys))

    def task_of(tally: Tally, entry: Deferred) -> Task:
        def task(worker: Connection) -> None:
            # Should the server break a deadlock, with somebody else's transaction too, then it goes on from there.
            again = Retrying(retry=retry_if_exception_type(errors.DeadlockDetected), stop=stop_after_attempt(3),
                             reraise=True)
            again(restore, worker, entry, by_chunk=entry.table in by_chunk)
            tally.add(1)
        return task

    # An index is built, and statistics are made, with a lock on one chunk at a time; the check of a foreign key keeps
    # those it has. Begun last it follows the others from chunk to chunk, and nobody has to wait for it. (VALIDATE,
    # which locks less, is refused with a columnstore.)
    pool.run([*(task_of(built, entry) for entry in indexes), *analyses(progress),
              *(task_of(checked, entry) for entry in keys)])


def _is_hypertable(connection: Connection, table: str) -> bool:
    return bool(one(connection, "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables "
                                "WHERE hypertable_schema = 'public' AND hypertable_name = %s)", (table,)))


def analyses(progress: Progress) -> list[Task]:
    """The tasks that ANALYZE each table, the largest table's first."""
    tables = (*GROWING, *(table for table in TABLES if table not in GROWING))
    tally = Tally(progress, "analyze", len(tables))

    def analyze(table: str, worker: Connection) -> None:
        worker.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        tally.add(1)

    return [partial(analyze, table) for table in tables]
