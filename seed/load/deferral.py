"""Indexes and foreign keys that are dropped from empty tables before a load and created again after it.

A row's foreign key triggers and index entries cost most of its insert. Created afterwards, an index is sorted once and
a foreign key is checked by one query. The tables' owner may do all this; no superuser is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import errors, sql

from seed.load.tables import GROWING, Connection, one

_LOCK_TIMEOUT = "5s"
# Non-unique indexes alone: a unique one or a constraint's says what may be in the table, also while it is filled.
_FOUND = """
SELECT t.relname, 'index', i.relname, pg_get_indexdef(i.oid)
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
 WHERE t.oid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS n(name))
   AND NOT x.indisunique AND NOT x.indisprimary
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid)
UNION ALL
SELECT t.relname, 'foreign key', c.conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
 WHERE t.oid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS n(name)) AND c.contype = 'f'
 ORDER BY 1, 2 DESC, 3"""
_VALID = {
    "index": "SELECT bool_and(x.indisvalid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
             "WHERE x.indrelid = to_regclass(%s) AND i.relname = %s",
    "foreign key": "SELECT bool_and(convalidated) FROM pg_constraint WHERE conrelid = to_regclass(%s) "
                   "AND conname = %s",
}


@dataclass(frozen=True)
class Deferred:
    """One index or foreign key as the server writes it.

    `definition` is an index's CREATE INDEX statement, or of a foreign key the text after ADD CONSTRAINT and the name.
    """

    table: str
    kind: str
    name: str
    definition: str

    @property
    def is_index(self) -> bool:
        """Whether it is an index rather than a foreign key."""
        return self.kind == "index"


def defer(connection: Connection) -> list[Deferred]:
    """Drop the indexes and foreign keys of the growing tables and return them; nothing where others hold locks.

    Runs in the caller's transaction and takes ACCESS EXCLUSIVE locks on the tables and those that they refer to.
    """
    deferred = [Deferred(*row) for row in connection.execute(_FOUND, {"tables": list(GROWING)}).fetchall()]
    return deferred if drop(connection, deferred) else []


def drop(connection: Connection, deferred: Sequence[Deferred]) -> bool:
    """Drop these indexes and foreign keys where they exist; returns False, and drops none, where others hold locks."""
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
            for entry in deferred:
                if entry.is_index:
                    connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(entry.name)))
                else:
                    connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(
                        sql.Identifier(entry.table), sql.Identifier(entry.name)))
    except errors.LockNotAvailable:
        return False
    return True


def read_validity(connection: Connection, entry: Deferred) -> bool | None:
    """Whether the index or foreign key is valid; None where it does not exist."""
    valid: bool | None = one(connection, _VALID[entry.kind], (entry.table, entry.name))
    return valid


def restore(connection: Connection, entry: Deferred, *, by_chunk: bool = False) -> None:
    """Create the index or foreign key again, checked against every row; nothing to do where it is valid.

    `by_chunk` builds a hypertable's index in one transaction for each chunk, outside the caller's. An invalid one left
    by an interrupted build is dropped first.
    """
    valid = read_validity(connection, entry)
    if valid:
        return
    if entry.is_index:
        if valid is False:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(entry.name)))
        connection.execute(_by_chunk(entry.definition) if by_chunk else entry.definition.encode())
        return
    broken = sql.SQL("DROP CONSTRAINT {}, ").format(sql.Identifier(entry.name)) if valid is False else sql.SQL("")
    connection.execute(sql.SQL("ALTER TABLE {} {}ADD CONSTRAINT {} {}").format(
        sql.Identifier(entry.table), broken, sql.Identifier(entry.name), sql.SQL(entry.definition)))


def _by_chunk(definition: str) -> bytes:
    head, where, tail = definition.partition(" WHERE ")
    return f"{head} WITH (timescaledb.transaction_per_chunk){where}{tail}".encode()
