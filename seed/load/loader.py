"""Loading the data set: a small one in one transaction, a large one in portions that can be resumed.

Into empty tables, indexes and foreign keys of the growing tables are deferred and created again at the end. With `add`,
rows are inserted past existing indexes and foreign keys, with reserved ids, and no table is locked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg

from schema.connection import Address
from seed.errors import InterruptedLoadError, SeedError
from seed.load import ledger
from seed.load.aggregates import refresh_aggregates
from seed.load.chunks import compress_old_chunks, require_compression
from seed.load.copy_in import can_copy
from seed.load.ledger import Load
from seed.load.portioned_load import analyses, discard_load, finish, secure, start
from seed.load.portions import Portion
from seed.load.progress import Progress
from seed.load.single_transaction import load_in_one_transaction
from seed.load.tables import Connection, any_rows, check_tables, count_rows, one, reserve_ids
from seed.load.worker_pool import APPLICATION, WorkerPool, prepare
from seed.spec import Spec

# Seeding holds this advisory lock, so that two runs never fill one database at once.
_LOCK = 0x6C63_7365_6564
_POLL_SECONDS = 0.5
# Up to so many rows a data set is loaded whole, in one transaction: all or nothing, within seconds.
SINGLE_TRANSACTION_ROWS = 500_000
_NOTHING_STAYS = "nothing of it stays, seed again once the cause is gone"
_LOADED = ("all rows are loaded, but not every aggregate is refreshed or chunk compressed or table analyzed; their "
           "policies and autovacuum will do it")
_PORTIONS_STAY = ("the portions that are loaded stay, indexes come back at the end: run the same command again to go "
                  "on, or `lcdb seed --discard` to remove them")


@dataclass(frozen=True)
class Seeded:
    """The row counts of the tables after the run; `skipped`: they had rows before and were not changed."""

    counts: Mapping[str, int]
    skipped: bool
    seconds: float
    resumed: bool = False


@dataclass(frozen=True)
class LoadOptions:
    """How to load: `add` to existing rows, `compress` old chunks at once, with `workers` connections.

    `workers` None: one more than this machine has cores, eight at most. A data set of more than
    `single_transaction_rows` rows is loaded in portions.
    """

    add: bool = False
    compress: bool = False
    workers: int | None = None
    single_transaction_rows: int = SINGLE_TRANSACTION_ROWS

    def pool_size(self, connection: Connection) -> int:
        """The number of connections that load; 1 where the server does not support COPY."""
        if not can_copy(connection):
            return 1
        return self.workers or min(8, (os.cpu_count() or 1) + 1)


def seed(address: Address, spec: Spec, progress: Progress | None = None, options: LoadOptions | None = None,
         wait_seconds: float = 600) -> Seeded:
    """Fill the five tables with the data set; nothing is changed where they have rows, unless with `options.add`.

    An interrupted load of the same data is finished. `progress` is called with (table or stage, done, total), from
    several threads, one at a time. Raises SeedError with one line, InterruptedLoadError after Ctrl-C.
    """
    began = time.monotonic()
    options = options or LoadOptions()
    hear = progress or (lambda table, done, total: None)
    with _seeding(address, wait_seconds) as connection:
        check_tables(connection)
        if options.compress:
            require_compression(connection)
        interrupted, portions = _read_interrupted(connection), None
        if interrupted:
            _require_same(connection, interrupted, spec)
        elif any_rows(connection) and not options.add:
            return Seeded(count_rows(connection), True, time.monotonic() - began)
        elif _rows(spec) <= options.single_transaction_rows:
            counts = _at_once(address, connection, _place(connection, spec, options), options, hear)
            return Seeded(counts, False, time.monotonic() - began)
        else:
            with _explain_errors(address, _NOTHING_STAYS):
                portions = start(connection, Load(_place(connection, spec, options), options.add, options.compress))
        counts = _in_portions(address, connection, options, hear, portions)
    return Seeded(counts, False, time.monotonic() - began, resumed=interrupted is not None)


def resume(address: Address, progress: Progress | None = None, options: LoadOptions | None = None,
           wait_seconds: float = 600) -> Seeded:
    """Finish the interrupted load, whatever its data set. Raises SeedError where there is none."""
    began = time.monotonic()
    with _seeding(address, wait_seconds) as connection:
        check_tables(connection)
        if not _read_interrupted(connection):
            raise SeedError(f"{address}: no interrupted load to finish; leave out --resume to begin one")
        counts = _in_portions(address, connection, options or LoadOptions(),
                              progress or (lambda table, done, total: None))
    return Seeded(counts, False, time.monotonic() - began, resumed=True)


def finish_interrupted(address: Address, progress: Progress | None = None, wait_seconds: float = 600) -> str | None:
    """Finish the interrupted load with its own settings and describe it in one line; None where there is none.

    Where the tables do not match its data, only its foreign keys are created again, so that the schema can be applied.
    """
    began = time.monotonic()
    with _seeding(address, wait_seconds) as connection:
        interrupted = ledger.read_load(connection)
        if interrupted is None:
            return None
        description = f"the load of development data that was interrupted ({interrupted.description})"
        try:
            check_tables(connection)
        except SeedError as error:
            secure(address, connection)
            return (f"{description} cannot be finished yet: {error}, then finish it with `lcdb seed --resume`, or "
                    "remove it with `lcdb seed --discard`")
        if not _read_interrupted(connection):
            return f"{description} is forgotten: its rows are gone; its indexes and foreign keys are back"
        counts = _in_portions(address, connection, LoadOptions(), progress or (lambda table, done, total: None))
    return f"finished {description}: {sum(counts.values()):,} rows are there, {time.monotonic() - began:.0f} s"


def discard(address: Address, wait_seconds: float = 600) -> bool:
    """Delete what an interrupted load has loaded and restore indexes and foreign keys; False where there is none."""
    with _seeding(address, wait_seconds) as connection:
        check_tables(connection)
        interrupted = _read_interrupted(connection)
        if interrupted:
            discard_load(connection, interrupted)
    return interrupted is not None


def _at_once(address: Address, connection: Connection, spec: Spec, options: LoadOptions, hear: Progress
             ) -> dict[str, int]:
    with _explain_errors(address, _NOTHING_STAYS):
        try:
            counts = load_in_one_transaction(connection, spec, hear, adding=options.add)
        except KeyboardInterrupt:
            raise InterruptedLoadError(f"{address}: interrupted; nothing of the data stays") from None
    with _explain_errors(address, _LOADED):
        # Not within the load's transaction: with locks on several tables at once it and a writer who needs a new chunk
        # could each wait for the other.
        WorkerPool(address, connection, min(2, options.pool_size(connection))).run(analyses(hear))
        refresh_aggregates(connection, spec, hear)
        if options.compress:
            compress_old_chunks(connection, None, hear)
    return counts


def _in_portions(address: Address, connection: Connection, options: LoadOptions, hear: Progress,
                 portions: list[Portion] | None = None) -> dict[str, int]:
    size = options.pool_size(connection)
    with _explain_errors(address, _PORTIONS_STAY):
        try:
            return finish(connection, WorkerPool(address, connection, size), hear, portions)
        except KeyboardInterrupt:
            secure(address, connection)
            raise InterruptedLoadError(f"{address}: interrupted; {_PORTIONS_STAY}") from None
        except psycopg.Error:
            secure(address, connection)
            raise


def _read_interrupted(connection: Connection) -> Load | None:
    """The load that was interrupted; one whose rows somebody has removed meanwhile is forgotten."""
    interrupted = ledger.read_load(connection)
    if interrupted and not one(connection, "SELECT EXISTS (SELECT FROM users WHERE id = %s)",
                               (interrupted.spec.first_user,)):
        discard_load(connection, interrupted, rows=False)
        return None
    return interrupted


def _require_same(connection: Connection, interrupted: Load, asked: Spec) -> None:
    """Raise SeedError unless the load that was begun is the one asked for, but for its place and its end."""
    spec = interrupted.spec
    if replace(asked, until=spec.until, first_user=spec.first_user, first_device=spec.first_device) != spec:
        raise SeedError(f"{connection.info.dbname}: a load of other data was interrupted ({interrupted.description}); "
                        "finish it with `lcdb seed --resume`, or remove it with `lcdb seed --discard`")


def _place(connection: Connection, spec: Spec, options: LoadOptions) -> Spec:
    """The spec with ids that go on from those that are taken."""
    if not options.add:
        return spec
    return replace(spec, first_user=reserve_ids(connection, "users", spec.users),
                   first_device=reserve_ids(connection, "devices", spec.devices))


def _rows(spec: Spec) -> int:
    return spec.users + spec.devices + spec.total_readings + spec.total_activities + spec.most_notifications


@contextmanager
def _seeding(address: Address, wait_seconds: float) -> Iterator[Connection]:
    """A connection that alone may seed; what the server says against it becomes one line."""
    with (address.connect(autocommit=True, application_name=APPLICATION) as connection,
          _explain_errors(address, _NOTHING_STAYS)):
        connection.execute("SELECT set_config('client_min_messages', 'error', false)")
        if can_copy(connection):
            prepare(connection)
        _wait_for_turn(address, connection, wait_seconds)
        yield connection


@contextmanager
def _explain_errors(address: Address, state: str) -> Iterator[None]:
    """What the server says against a load becomes one line that ends with the state it leaves and the way on."""
    try:
        yield
    except psycopg.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split()) or type(error).__name__
        raise SeedError(f"{address}: the data could not be loaded: {reason}; {state}") from None


def _wait_for_turn(address: Address, connection: Connection, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not one(connection, "SELECT pg_try_advisory_lock(%s)", (_LOCK,)):
        if time.monotonic() > deadline:
            raise SeedError(f"{address}: another run has been seeding for more than {seconds:g} s; wait for it, or end "
                            "its session if it hangs")
        time.sleep(_POLL_SECONDS)
