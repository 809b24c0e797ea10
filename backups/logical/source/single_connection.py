"""Structure and rows of a server that accepts one connection at a time: the embedded one.

pg_dump cannot use the snapshot that rows are read in, since its session has to end first. The system catalogs are
therefore compared as they were before pg_dump and as they are in the snapshot: where they are equal, no change came
between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from psycopg import Connection, sql

from backups.errors import DumpError
from backups.logical.source.snapshot import APPLICATION, ATTEMPTS, Source, explain_errors, snapshot_of
from schema.connection import Address

Dumped = TypeVar("Dumped")
# Statistics say nothing of the structure, and no archive holds them.
CATALOGS = """
    SELECT relname::text FROM pg_class
     WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
       AND relname NOT IN ('pg_statistic', 'pg_statistic_ext_data') AND has_table_privilege(oid, 'SELECT')
     ORDER BY 1"""


@contextmanager
def dump_and_hold(address: Address, image: str | None, digest: str | None, dump: Callable[[int], Dumped]
                  ) -> Iterator[tuple[Dumped, Source]]:
    """Let `dump` (given the server's version number) read the structure; then hold a snapshot of the same structure.

    Raises DumpError where the structure changes faster than it can be read, and what `dump` and `snapshot_of` raise.
    """
    with address.connect(application_name=APPLICATION) as connection, explain_errors(address):
        version, before = connection.info.server_version, read_catalogs(connection)
    for _ in range(ATTEMPTS):
        dumped = dump(version)
        with snapshot_of(address, image, digest) as source:
            if (now := source.ask(read_catalogs)) == before:
                yield dumped, source
                return
        before = now
    raise DumpError(f"database {address.database}: its structure was changed each of the {ATTEMPTS} times that pg_dump "
                    "read it; take the backup when no migration runs")


def read_catalogs(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    """For each system catalog its name, row count and a hash over its row versions: equal where nothing was changed."""
    names = [name for (name,) in connection.execute(CATALOGS)]
    query = sql.SQL(
        "SELECT {}, count(*), sum(hashtextextended(ctid::text || xmin::text, 0)) FROM pg_catalog.{}")
    return connection.execute(sql.SQL(" UNION ALL ").join(
        query.format(sql.Literal(name), sql.Identifier(name)) for name in names)).fetchall()
