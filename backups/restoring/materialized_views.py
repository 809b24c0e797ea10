"""Materialized views after a restore: no backup contains their rows, so those that had some are refreshed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import psycopg
from psycopg import Connection

from backups.logical.source.snapshot import read_unpopulated

# What these read, by way of other views too, and cannot be queried.
READ_UNPOPULATED = """
    WITH RECURSIVE reading AS (
        SELECT unnest(%s::text[])::regclass::oid AS relation
        UNION
        SELECT d.refobjid
          FROM reading
          JOIN pg_rewrite r ON r.ev_class = reading.relation
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                          AND d.refclassid = 'pg_class'::regclass)
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid IN (SELECT relation FROM reading) AND c.relkind = 'm' AND NOT c.relispopulated
     ORDER BY c.oid"""


def fill_views(connection: Connection[Any], unpopulated: Collection[str] = ()) -> list[str]:
    """Refresh every materialized view without data but those `unpopulated` in the source, which stay as they are.

    Returns a line with the server's error for each that failed. One that reads an unpopulated one is computed while
    that has rows, which are taken from it again in the same transaction. Continuous aggregates are not among them:
    their rows are restored.
    """
    failed = _refresh(connection, [view for view in read_unpopulated(connection) if view not in unpopulated])
    beneath = [view for (view,) in connection.execute(READ_UNPOPULATED, [list(failed)]) if view in unpopulated]
    if beneath:
        with connection.transaction():
            failed = _refresh(connection, [*beneath, *failed])
            for view in beneath:
                connection.execute(f"REFRESH MATERIALIZED VIEW {view} WITH NO DATA".encode())
    return [f"{view}: {error}" for view, error in failed.items() if view not in beneath]


def _refresh(connection: Connection[Any], views: Sequence[str]) -> dict[str, str]:
    """Refresh these, each after those that it reads; returns the server's error of each that failed."""
    left = list(views)
    while left:
        failed = dict[str, str]()
        for view in left:
            try:
                with connection.transaction():
                    # The name comes quoted from the server itself.
                    connection.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())
            except psycopg.DatabaseError as error:
                if connection.closed:
                    raise
                failed[view] = str(error.diag.message_primary or error)
        if len(failed) == len(left):
            return failed
        left = list(failed)  # those that read one that was filled only now
    return {}
