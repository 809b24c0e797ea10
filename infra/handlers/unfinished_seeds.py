"""A load of development data that was interrupted: found by its record in the database, finished before its schema.

A killed load leaves indexes and foreign keys away. The schema engine would put them back, with a lock that has to be
allowed, and half of the data would stay half; the load puts them back itself once it is whole.
"""

from __future__ import annotations

from collections.abc import Callable

from infra.local.notices import notify
from schema.connection import Address
from schema.model.objects import Object, Table

# seed.load.ledger.SCHEMA; to import it takes a fifth of a second, which every update would pay.
RECORD = "lifecompanion_seed"
# The table whose plan tells of it even where nothing else of it differs.
TOLD_AT = "environmental_readings"
PLAN = "-- first the load of development data that was interrupted is finished, which puts back what it had taken off"


def tells_of(declared: Object, *, differs: bool) -> bool:
    """Whether the object's plan would tell of a load: that of a table that differs, and one that need not."""
    return declared.full_name == TOLD_AT or (isinstance(declared, Table) and differs)


def is_recorded(address: Address) -> bool:
    """Whether the database has the record of a load that is under way or was interrupted."""
    with address.connect() as connection:
        return connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (RECORD,)).fetchone() == (True,)


def finish(address: Address, tell: Callable[[str], None] = notify) -> None:
    """Finish the load that was interrupted and tell so; does nothing where none was. Waits for one under way.

    Raises SeedError.
    """
    if not is_recorded(address):
        return
    from seed.load.loader import finish_interrupted
    from seed.load.progress import Lines

    done = finish_interrupted(address, Lines(tell).hear)
    if done:
        tell(done)
