"""Run the catalog queries of sql/, by name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from schema.capabilities import Capabilities

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


SQL = Path(__file__).parent / "sql"
# Where a query has columns or rows that others have, too, a comment names the file that holds them.
_PART = re.compile(r"^ *-- the (?:columns|rows) of (parts/\w+\.sql)$", re.M)


@cache
def query(name: str) -> str:
    """Return the text of sql/<name>.sql, with the columns and rows that it takes from sql/parts/."""
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    return _PART.sub(lambda part: (SQL / part[1]).read_text(encoding="utf-8"), text)


def rows(connection: Connection[Any], name: str, *, prepare: bool | None = None, **values: Any) -> list[Row]:
    """Return the rows of sql/<name>.sql as dicts; `prepare` has the server plan once what is asked again."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name).encode(), values, prepare=prepare).fetchall()


def rows_by(connection: Connection[Any], name: str, key: str, **values: Any) -> Rows:
    """Return the rows of sql/<name>.sql, grouped by their value in column `key`."""
    grouped = defaultdict(list)
    for row in rows(connection, name, **values):
        grouped[row[key]].append(row)
    return grouped


def read_capabilities(connection: Connection[Any]) -> Capabilities:
    """Read version, edition and rights of the server and this login."""
    return Capabilities(**rows(connection, "server")[0])
