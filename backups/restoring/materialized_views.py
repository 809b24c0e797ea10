"""Materialized views after a restore: no backup contains their rows, so they are refreshed."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection

UNFILLED = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'm' AND NOT c.relispopulated
     ORDER BY c.oid"""


def fill_views(connection: Connection[Any]) -> list[str]:
    """Refresh every materialized view without data; returns a line with the server's error for each that failed.

    Continuous aggregates are not among them: their rows are restored.
    """
    left, failed = [row[0] for row in connection.execute(UNFILLED)], list[str]()
    while left:
        failed, again = [], list[str]()
        for view in left:
            try:
                # The name comes quoted from the server itself.
                connection.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())
            except psycopg.DatabaseError as error:
                if connection.closed:
                    raise
                again.append(view)
                failed.append(f"{view}: {error.diag.message_primary or error}")
        if len(again) == len(left):
            break
        left = again  # those that read one that was filled only now
    return failed
