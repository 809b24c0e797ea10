"""A session for changing a live schema: one at a time, never long in a lock queue."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.errors import ApplyError

LOCK = 4_201_160_500_731  # one arbitrary number for "somebody changes this database's schema"
POLL_SECONDS = 0.2
BRIEFLY_MS = 200
# Whoever reads a schema twice is to read the same text, and whoever writes it, the same schema. Bodies of functions may
# name what is created after them (schema.execution.bodies looks at them when everything exists). The guard asks the
# same long queries before and after each transaction: one plan does for all.
SETTINGS = {
    "DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "TimeZone": "UTC", "lc_monetary": "C", "bytea_output": "hex",
    "extra_float_digits": "1", "quote_all_identifiers": "off", "xmlbinary": "base64", "xmloption": "content",
    "standard_conforming_strings": "on", "backslash_quote": "safe_encoding", "escape_string_warning": "off",
    "array_nulls": "on", "transform_null_equals": "off", "row_security": "on", "check_function_bodies": "off",
    "default_transaction_isolation": "read committed", "default_transaction_deferrable": "off", "exit_on_error": "off",
    "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0", "transaction_timeout": "0",
    "client_min_messages": "error", "plan_cache_mode": "force_generic_plan"}
# A step that met a lock, or a deadlock that the server broke: a new plan may well succeed.
PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def prepare(connection: Connection[Any], capabilities: Capabilities, lock_timeout: str, statement_timeout: str) -> None:
    """Set everything that what the server prints, parses or ends depends on, whatever its database or role sets: time-
    outs, a search path that includes TimescaleDB's functions, no notices, and SETTINGS."""
    path = f'public, "{capabilities.timescaledb_schema}"' if capabilities.timescaledb_schema else "public"
    settings = {**SETTINGS, "search_path": path, "lock_timeout": lock_timeout, "statement_timeout": statement_timeout}
    connection.execute("SELECT set_config(s.name, wanted.value, false) FROM pg_settings s "
                       "JOIN unnest(%s::text[], %s::text[]) AS wanted (name, value) ON wanted.name = s.name",
                       [list(settings), list(settings.values())])


def lock_several(connection: Connection[Any], statements: Sequence[str]) -> None:
    """Lock further tables in this transaction, and shorten the wait for every later lock in it to 200 ms.

    Two sessions that each hold a lock and wait for the other's are in a deadlock; the server ends the first that has
    waited for deadlock_timeout (1 s). This transaction gives up before that, so that it is never a writer that fails.
    """
    connection.execute("SELECT set_config('lock_timeout', CASE setting WHEN '0' THEN %(most)s::text "
                       "ELSE least(setting::int, %(most)s)::text END, true) FROM pg_settings "
                       "WHERE name = 'lock_timeout'", {"most": BRIEFLY_MS})
    for statement in statements:
        # Who may refer to somebody else's table may still not lock it alone.
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(statement.encode())


def attempts(connection: Connection[Any], most: int) -> Retrying:
    """Return attempts to iterate over until one meets no lock; iteration raises ApplyError after the last."""
    def give_up(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        raise ApplyError(f"{connection.info.dbname}: a lock was still held after {most} attempts: {message(error)}; "
                         "end the transaction that holds it, or raise lock_timeout") from None

    return Retrying(stop=stop_after_attempt(most), wait=wait_random_exponential(0.2, max=5),
                    retry=retry_if_exception_type(PASSING), retry_error_callback=give_up)


def message(error: BaseException | None) -> str:
    """Return what the server says of an error, in one line."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((primary or str(error)).split())


@contextmanager
def only_changer(connection: Connection[Any], wait_seconds: float) -> Iterator[None]:
    """Hold the advisory lock of schema changes; wait `wait_seconds` for its holder, then raise ApplyError that names
    it.

    The lock is polled: a waiting statement would hold a snapshot, for which the holder's CREATE INDEX CONCURRENTLY
    would wait in turn.
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
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    return bool(row and row[0])


def _busy(connection: Connection[Any], wait_seconds: float) -> str:
    held = rows(connection, "lock_holder", key=LOCK)
    holder = "another session"
    if held:
        first = held[0]
        holder = (f"process {first['pid']} ({first['user']}, {first['application'] or 'no name'}, "
                  f"{first['client'] or 'local'})")
    return (f"{connection.info.dbname}: the schema is being changed by {holder}, still after {wait_seconds:g} s; "
            "wait for it, or end that session if it hangs")
