"""The five tables that are filled: their columns, and whether the live database has them in the required types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from seed.errors import SeedError
from seed.load.encoding import column_type

Connection = psycopg.Connection[tuple[Any, ...]]

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
# The tables that grow with time; the others are a row for each user and device.
GROWING = TABLES[2:]
_ACCEPTED = {"timestamp": ("timestamp without time zone", "timestamp with time zone"),
             "text": ("text", "character varying"), "jsonb": ("jsonb",), "bigint": ("bigint",),
             "integer": ("integer",), "numeric": ("numeric",), "boolean": ("boolean",)}


def check_tables(connection: Connection) -> None:
    """Raise SeedError where a table or column is missing or has another type than the data needs."""
    live: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid WHERE c.oid = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) "
            "AS t(name)) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped", (list(TABLES),)):
        live.setdefault(table, {})[column] = kind
    for table, columns in COLUMNS.items():
        if table not in live:
            raise SeedError(f"table {table}: does not exist; apply the schema first")
        for column in columns:
            live_type, accepted = live[table].get(column), _ACCEPTED[column_type(column)]
            if live_type is None:
                raise SeedError(f"table {table}: has no column {column}; apply the schema first")
            if live_type not in accepted:
                raise SeedError(f"column {table}.{column}: is {live_type}, the data needs {' or '.join(accepted)}; "
                                "apply the schema first")


def any_rows(connection: Connection) -> bool:
    """Whether any of the tables has a row."""
    query = " OR ".join(f"EXISTS (SELECT FROM {table})" for table in TABLES)
    return bool(one(connection, f"SELECT {query}"))


def count_rows(connection: Connection) -> dict[str, int]:
    """The number of rows of each table."""
    return {table: int(one(connection, f"SELECT count(*) FROM {table}")) for table in TABLES}


def one(connection: Connection, query: str, values: tuple[Any, ...] = ()) -> Any:
    """The value of a query that returns one row of one column."""
    row = connection.execute(sql.SQL(query), values).fetchone()
    assert row is not None
    return row[0]


def advance_sequences(connection: Connection, counts: Mapping[str, int]) -> None:
    """Set each table's id sequence to at least the last id loaded."""
    for table, count in counts.items():
        if count:
            connection.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, count))


def reserve_ids(connection: Connection, table: str, count: int) -> int:
    """The first of `count` consecutive ids that no other session gets.

    Locks the sequence for an instant, after transactions that have taken an id from it have ended.
    """
    with connection.transaction():
        sequence = one(connection, "SELECT pg_get_serial_sequence(%s, 'id')", (table,))
        # Changes nothing: it is the lock on the sequence that is wanted, which holds back every nextval.
        connection.execute(sql.SQL("ALTER SEQUENCE {} CACHE 1").format(sql.SQL(sequence)))
        first = int(one(connection, "SELECT nextval(%s::regclass)", (sequence,)))
        connection.execute("SELECT setval(%s::regclass, %s)", (sequence, first + count - 1))
    return first
