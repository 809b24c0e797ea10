"""One connection prepared for changing a live schema: the only changer, never queueing long behind a lock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.errors import ApplyError

LOCK = 4_201_160_500_731  # one arbitrary number for "somebody changes this database's schema"
POLL_SECONDS = 0.2
BRIEFLY_MS = 200


def prepare(connection: Connection[Any], capabilities: Capabilities, lock_timeout: str, statement_timeout: str) -> None:
    """Set time-outs and a search path in which TimescaleDB's functions are found; notices are not asked for."""
    path = f'public, "{capabilities.timescaledb_schema}"' if capabilities.timescaledb_schema else "public"
    connection.execute("SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false),"
                       "set_config('statement_timeout', %s, false), set_config('client_min_messages', 'error', false)",
                       [path, lock_timeout, statement_timeout])


def lock_several(connection: Connection[Any], statements: Sequence[str]) -> None:
    """Lock further tables in this transaction, and wait but briefly for every lock that follows in it.

    Whoever holds one lock and waits for another can be in a deadlock with a writer. The server ends the first that
    looks after deadlock_timeout (1 s): by then this transaction has given up, so that it is never a write that fails.
    """
    connection.execute("SELECT set_config('lock_timeout', CASE setting WHEN '0' THEN %(most)s::text "
                       "ELSE least(setting::int, %(most)s)::text END, true) FROM pg_settings "
                       "WHERE name = 'lock_timeout'", {"most": BRIEFLY_MS})
    for statement in statements:
        # Who may refer to somebody else's table may still not lock it alone.
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(statement.encode())


@contextmanager
def only_changer(connection: Connection[Any], wait_seconds: float) -> Iterator[None]:
    """Hold the advisory lock of schema changes; wait for its holder, then raise ApplyError that names it.

    Asked for again and again instead of waited for: a waiting statement would hold a snapshot, and the holder's
    CREATE INDEX CONCURRENTLY would wait for that in turn.
    """
    deadline = time.monotonic() + wait_seconds
    while not _locked(connection):
        if time.monotonic() > deadline:
            raise ApplyError(_busy(connection, wait_seconds))
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _locked(connection: Connection[Any]) -> bool:
    found = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    return bool(found and found[0])


def _busy(connection: Connection[Any], wait_seconds: float) -> str:
    held = rows(connection, "lock_holder", key=LOCK)
    holder = "another session"
    if held:
        first = held[0]
        holder = (f"process {first['pid']} ({first['user']}, {first['application'] or 'no name'}, "
                  f"{first['client'] or 'local'})")
    return (f"{connection.info.dbname}: the schema is being changed by {holder}, still after {wait_seconds:g} s; "
            "wait for it, or end that session if it hangs")
