"""Loading a small data set in one transaction over one connection: a failure leaves nothing behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from seed.generate.alerts.threshold_crossings import Watch
from seed.generate.devices import devices
from seed.generate.people import users
from seed.generate.rows import Rows
from seed.load.copy_in import can_copy, write
from seed.load.deferral import defer, restore
from seed.load.portions import notification_portions, portions_to_observe
from seed.load.progress import Progress
from seed.load.tables import TABLES, Connection, advance_sequences
from seed.spec import Spec


def load_in_one_transaction(connection: Connection, spec: Spec, progress: Progress, *, adding: bool) -> dict[str, int]:
    """Load everything; returns the number of rows of each table.

    `adding` adds to existing rows instead of filling empty tables.
    """
    counts = dict.fromkeys(TABLES, 0)
    totals = dict(zip(TABLES, (spec.users, spec.devices, spec.total_readings, spec.total_activities,
                               spec.most_notifications), strict=True))
    copies = can_copy(connection)

    def load(rows: Rows, *, own_ids: bool) -> None:
        def written(count: int) -> None:
            counts[rows.table] += count
            progress(rows.table, counts[rows.table], totals[rows.table])
        write(connection, rows, copies=copies, own_ids=own_ids, written=written)

    # The server loads one portion while the next is made; a small data set has room in memory.
    with ThreadPoolExecutor(1, thread_name_prefix="seed") as maker, connection.transaction():
        pending = [maker.submit(portion.make) for portion in portions_to_observe(spec)]
        deferred = [] if adding else defer(connection)
        load(users(spec), own_ids=True)
        load(devices(spec), own_ids=True)
        watch = Watch(spec)
        for portion in pending:
            rows, sighting = portion.result()
            load(rows, own_ids=not adding)
            if sighting:
                watch.add(sighting)
        for notifications in notification_portions(watch):
            load(notifications.make()[0], own_ids=not adding)
        for entry in deferred:
            restore(connection, entry)
        if not adding:
            advance_sequences(connection, counts)
    return counts
