"""Finish an interrupted load of development data before the schema is changed; the database holds a record of it.

A load drops indexes and foreign keys and creates them again at its end, so one that was killed leaves them dropped. The
schema engine could create them too, but under a lock that has to be allowed, and half of the rows would be missing.
"""

from __future__ import annotations

from collections.abc import Callable

from infra.local.notices import notify
from schema.connection import UNLIMITED, Address, one_line_errors
from schema.model.objects import Object, Table

# The same as seed.load.ledger.SCHEMA, whose import would cost every update a fifth of a second.
RECORD = "lifecompanion_seed"
# The table whose plan announces the interrupted load even where the table itself needs no change.
ANNOUNCED_AT = "environmental_readings"
PLAN = "-- first the load of development data that was interrupted is finished, which puts back what it had taken off"


def is_announced_by(declared: Object, *, differs: bool) -> bool:
    """Tell whether the object's plan announces an interrupted load: true for a table that differs, and for one more."""
    return declared.full_name == ANNOUNCED_AT or (isinstance(declared, Table) and differs)


def is_recorded(address: Address) -> bool:
    """Tell whether the database holds the record of a load that is running or was interrupted."""
    with one_line_errors(address.database), address.connect(options=UNLIMITED) as connection:
        return connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (RECORD,)).fetchone() == (True,)


def finish(address: Address, print_line: Callable[[str], None] = notify) -> None:
    """Finish the load that was interrupted; does nothing where none was. Waits for a load that is running.

    `print_line` gets lines about its progress and its end. Raises SeedError.
    """
    if not is_recorded(address):
        return
    from seed.load.loader import finish_interrupted
    from seed.load.progress import Lines

    done = finish_interrupted(address, Lines(print_line).hear)
    if done:
        print_line(done)
