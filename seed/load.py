"""Load: the whole data set into an empty database, in one transaction, over one connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from schema.connection import Address
from seed.activities import classifications
from seed.climate import readings
from seed.devices import devices
from seed.encoding import COPY_END, COPY_HEADER, array_literal, binary, column_type, fits_binary, text
from seed.errors import SeedError
from seed.notifications import Watch, notifications
from seed.people import users
from seed.rows import Rows
from seed.spec import Spec

Connection = psycopg.Connection[tuple[Any, ...]]
Progress = Callable[[str, int, int], None]

# In the order in which foreign keys allow them to be filled.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": ("id", "name", "email", "email_verified_at", "password", "preferences", "settings", "created_at",
              "updated_at"),
    "devices": ("id", "user_id", "type", "mac_address", "mqtt_topic", "is_active", "metadata", "created_at",
                "updated_at"),
    "environmental_readings": ("id", "device_id", "measured_at", "temperature", "humidity", "pressure", "air_quality",
                               "battery_level"),
    "activity_classifications": ("id", "user_id", "started_at", "ended_at", "activity_type", "confidence_score",
                                 "metadata"),
    "notifications": ("id", "user_id", "title", "message", "type", "status", "sent_at", "read_at", "created_at"),
}
TABLES = tuple(COLUMNS)
# Seeding holds this advisory lock, so that two runs never fill one database at once.
_LOCK = 0x6C63_7365_6564
_COPY_ROWS, _INSERT_ROWS = 20_000, 2_000
_ACCEPTED = {"timestamp": ("timestamp without time zone", "timestamp with time zone"),
             "text": ("text", "character varying"), "jsonb": ("jsonb",), "bigint": ("bigint",),
             "integer": ("integer",), "numeric": ("numeric",), "boolean": ("boolean",)}


@dataclass(frozen=True)
class Seeded:
    """What the tables hold after the run; `skipped` says that they held rows before and were left alone."""

    counts: Mapping[str, int]
    skipped: bool
    seconds: float


def seed(address: Address, spec: Spec, progress: Progress | None = None) -> Seeded:
    """Fill the five tables with the data set, or leave them alone where any of them has rows.

    Everything is one transaction: whatever goes wrong, nothing of it stays. `progress` hears (table, rows done, rows in
    all). Raises SeedError with one line.
    """
    began = time.monotonic()
    with address.connect(autocommit=True, application_name="lifecompanion seed") as connection:
        try:
            with connection.transaction():
                counts = _fill(connection, spec, progress or (lambda table, done, total: None))
                skipped = counts is None
            if skipped:
                counts = _counts(connection)
        except psycopg.Error as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise SeedError(f"{address}: the data could not be loaded: {said}; nothing of it stays, seed again once "
                            "the cause is gone") from None
    return Seeded(counts or {}, skipped, time.monotonic() - began)


def _fill(connection: Connection, spec: Spec, progress: Progress) -> dict[str, int] | None:
    """Fill the empty tables and say how many rows each got; None where one of them has rows."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    _check_tables(connection)
    if _any_rows(connection):
        return None
    copies = can_copy(connection)
    totals = dict(zip(TABLES, (spec.users, spec.devices, spec.readings, spec.activities, spec.notifications),
                      strict=True))
    counts = dict.fromkeys(TABLES, 0)
    for rows in _data(spec):
        for part in _parts(rows, _COPY_ROWS if copies else _INSERT_ROWS):
            (_copy if copies else _insert)(connection, part)
            counts[rows.table] += len(part)
            progress(rows.table, counts[rows.table], totals[rows.table])
    _advance_sequences(connection, counts)
    connection.execute(f"ANALYZE {', '.join(TABLES)}")
    return counts


def _data(spec: Spec) -> Iterator[Rows]:
    """All rows, in the order in which foreign keys allow them."""
    watch = Watch(spec)
    yield users(spec)
    yield devices(spec)
    for week in readings(spec):
        watch.readings(week)
        yield week
    windows = classifications(spec)
    watch.activities(windows)
    yield windows
    yield notifications(watch)


def _check_tables(connection: Connection) -> None:
    """Raise SeedError where a table or a column is missing or is not of the type that the data has."""
    live: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid WHERE c.oid = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) "
            "AS t(name)) AND a.attnum > 0 AND NOT a.attisdropped", (list(TABLES),)):
        live.setdefault(table, {})[column] = kind
    for table, columns in COLUMNS.items():
        if table not in live:
            raise SeedError(f"table {table}: does not exist; apply the schema first")
        for column in columns:
            found, accepted = live[table].get(column), _ACCEPTED[column_type(column)]
            if found is None:
                raise SeedError(f"table {table}: has no column {column}; apply the schema first")
            if found not in accepted:
                raise SeedError(f"column {table}.{column}: is {found}, the data needs {' or '.join(accepted)}; "
                                "apply the schema first")


def _any_rows(connection: Connection) -> bool:
    query = " OR ".join(f"EXISTS (SELECT FROM {table})" for table in TABLES)
    return bool(_one(connection, f"SELECT {query}"))


def _counts(connection: Connection) -> dict[str, int]:
    return {table: int(_one(connection, f"SELECT count(*) FROM {table}")) for table in TABLES}


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(sql.SQL(query)).fetchone()
    assert row is not None
    return row[0]


def can_copy(connection: Connection) -> bool:
    """Whether the server takes COPY FROM STDIN; one built to WebAssembly dies of it, so that it is not tried."""
    version = str(_one(connection, "SELECT version()")).lower()
    return not any(word in version for word in ("wasm", "emscripten", "emcc", "pglite"))


def _parts(rows: Rows, most: int) -> Iterable[Rows]:
    for begin in range(0, len(rows), most):
        yield Rows(rows.table, {name: values[begin:begin + most] for name, values in rows.columns.items()})


def _copy(connection: Connection, rows: Rows) -> None:
    """Send the rows with COPY: binary where the columns allow it, else as text."""
    in_binary = fits_binary(rows)
    statement = sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(rows.table), sql.SQL(", ").join(map(sql.Identifier, rows.columns)),
        sql.SQL("(FORMAT binary)" if in_binary else ""))
    with connection.cursor().copy(statement) as copy:
        copy.write(COPY_HEADER + binary(rows) + COPY_END if in_binary else text(rows))


def _insert(connection: Connection, rows: Rows) -> None:
    """Send the rows as arrays, one for each column, in one INSERT."""
    arrays = sql.SQL(", ".join(f"%s::{column_type(name)}[]" for name in rows.columns))
    statement = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({})").format(
        sql.Identifier(rows.table), sql.SQL(", ").join(map(sql.Identifier, rows.columns)), arrays)
    connection.execute(statement, [array_literal(name, values) for name, values in rows.columns.items()])


def _advance_sequences(connection: Connection, counts: Mapping[str, int]) -> None:
    """Let the next row that the application inserts get the id after the last one loaded."""
    for table, count in counts.items():
        if count:
            connection.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, count))
