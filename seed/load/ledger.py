"""The ledger: what a load in portions has done so far, in a schema of its own in the database.

Each portion is recorded in the transaction that loads it, so ledger and tables always agree. The schema is dropped when
the load is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import errors

from seed.errors import SeedError
from seed.generate.alerts.threshold_crossings import Sighting
from seed.load.deferral import Deferred
from seed.load.tables import Connection, one
from seed.spec import Spec

SCHEMA = "lifecompanion_seed"
_CREATE = f"""
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.load (
    spec jsonb NOT NULL, adding boolean NOT NULL, compress boolean NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE {SCHEMA}.deferred (
    place integer PRIMARY KEY, relation text NOT NULL, kind text NOT NULL, name text NOT NULL,
    definition text NOT NULL);
CREATE TABLE {SCHEMA}.portion (
    relation text, number integer, rows bigint NOT NULL, sighting bytea, PRIMARY KEY (relation, number));
COMMENT ON SCHEMA {SCHEMA} IS 'A load of development data that is under way or was interrupted; lcdb seed finishes it'
"""


@dataclass(frozen=True)
class Load:
    """A load in progress: its spec, whether it is added to existing rows, and whether old chunks are compressed."""

    spec: Spec
    adding: bool
    compress: bool

    @property
    def description(self) -> str:
        """The load as a phrase for people."""
        spec = self.spec
        return (f"{spec.users} users with {spec.devices_per_user} devices, {spec.days} days, {spec.total_readings} "
                f"readings, number {spec.number}, until {spec.until:%Y-%m-%dT%H:%M:%SZ}, {spec.locale}")


def read_load(connection: Connection) -> Load | None:
    """The recorded load; None where there is none."""
    if not one(connection, "SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.load",)):
        return None
    row = connection.execute(f"SELECT spec, adding, compress FROM {SCHEMA}.load").fetchone()
    return Load(Spec.from_dict(row[0]), row[1], row[2]) if row else None


def begin(connection: Connection, load: Load, deferred: Iterable[Deferred]) -> None:
    """Create the ledger and record the load and what was deferred, in the caller's transaction. Raises SeedError."""
    try:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
        connection.execute(_CREATE.encode())
    except errors.InsufficientPrivilege:
        raise SeedError(f"{connection.info.dbname}: {connection.info.user} may not create schemas, which a load of "
                        f"this size keeps its progress in; run GRANT CREATE ON DATABASE {connection.info.dbname} TO "
                        f"{connection.info.user}") from None
    connection.execute(f"INSERT INTO {SCHEMA}.load (spec, adding, compress) VALUES (%s, %s, %s)".encode(),
                       (json.dumps(load.spec.to_dict()), load.adding, load.compress))
    for place, entry in enumerate(deferred):
        connection.execute(f"INSERT INTO {SCHEMA}.deferred VALUES (%s, %s, %s, %s, %s)".encode(),
                           (place, entry.table, entry.kind, entry.name, entry.definition))


def enter(connection: Connection, table: str, number: int, rows: int, sighting: Sighting | None) -> bool:
    """Record a portion in the transaction that is about to load it; False where it was loaded already.

    Waits for a session that is loading the same portion, such as one left by a killed process.
    """
    done = connection.execute(
        f"INSERT INTO {SCHEMA}.portion VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING".encode(),
        (table, number, rows, sighting.to_bytes() if sighting else None))
    return done.rowcount == 1


def read_done(connection: Connection) -> dict[tuple[str, int], int]:
    """The number of rows of each loaded portion, by (table, number)."""
    return {(table, number): rows for table, number, rows in
            connection.execute(f"SELECT relation, number, rows FROM {SCHEMA}.portion".encode())}


def read_sighting(connection: Connection, table: str, number: int) -> Sighting:
    """The sighting recorded for a loaded portion."""
    return Sighting.from_bytes(one(connection, f"SELECT sighting FROM {SCHEMA}.portion WHERE relation = %s "
                                               "AND number = %s", (table, number)))


def read_deferred(connection: Connection) -> list[Deferred]:
    """The deferred indexes and foreign keys, in the order in which they are created again."""
    return [Deferred(*row) for row in connection.execute(
        f"SELECT relation, kind, name, definition FROM {SCHEMA}.deferred ORDER BY place".encode())]


def close(connection: Connection) -> None:
    """Drop the ledger; nothing to do where there is none."""
    connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
