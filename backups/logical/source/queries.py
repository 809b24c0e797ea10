"""The queries of sql/, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row


@cache
def query(name: str) -> bytes:
    """Return the text of sql/<name>.sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_bytes()


def rows(connection: Connection[Any], name: str) -> list[dict[str, Any]]:
    """Return the rows of sql/<name>.sql, each by column name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name)).fetchall()
