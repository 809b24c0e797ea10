"""What a logical backup could read but no restore could put back."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from backups.errors import DumpError
from backups.logical.source.queries import query, rows


def require_restorable(connection: Connection[Any], *, timescaledb: bool) -> None:
    """Refuse a database with partitions whose rows would belong to others in a copy.

    An enum's value is hashed by its OID (hashenum in PostgreSQL's hashfunc.c), which is another one after a restore;
    pg_dump has the same limit where it loads partitions one by one. Raises DumpError, which names table, column and
    type.
    """
    keys = rows(connection, "hash_keys") + (rows(connection, "hypertable_hash_keys") if timescaledb else [])
    if not keys:
        return
    asked = connection.execute(query("hashed_by_oid"), [[key["type"] for key in keys]]).fetchall()
    types = {key: str(type_) for key, type_ in asked}
    bad = [f"{key['table']} by {key['column']} ({types[key['type']]})" for key in keys if key["type"] in types]
    if bad:
        raise DumpError(
            f"database {connection.info.dbname}: {'; '.join(bad)}: partitioned by the hash of a type whose values are "
            "hashed by OIDs, which a restored database has other ones of, so that no logical backup of it can be "
            "restored; use physical backups (lcdb backup run --kind physical), or partition by another column")
