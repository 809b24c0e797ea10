"""Bloom filters of compressed batches that are of no use in a restored database.

The columnstore keeps one for each batch and column that has an index. It holds hashes of the values; an enum's is of
its number in the catalog, which is another one in every database: the filter would say of every value that no batch has
it, and a query with a condition on the column would find nothing.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from backups.logical.source.chunk_rows import read_compressed

# A filter stays where its name says that it is of one column alone, of a type that no enum is in; chunks without enums
# keep all of theirs.
USELESS = """
    WITH RECURSIVE part AS (
        SELECT typelem AS type, oid AS whole FROM pg_type WHERE typelem <> 0
        UNION ALL SELECT typbasetype, oid FROM pg_type WHERE typbasetype <> 0
        UNION ALL SELECT rngsubtype, rngtypid FROM pg_range
        UNION ALL SELECT atttypid, reltype FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                   WHERE reltype <> 0 AND relkind = 'c' AND attnum > 0 AND NOT attisdropped
    ), numbered AS (
        SELECT oid AS type FROM pg_type WHERE typtype = 'e'
        UNION SELECT part.whole FROM numbered JOIN part USING (type)
    )
    SELECT pair.batches, array_agg(b.attname::text ORDER BY b.attnum)
      FROM unnest(%s::text[], %s::text[]) AS pair (chunk, batches)
      JOIN pg_attribute b ON b.attrelid = pair.batches::regclass AND NOT b.attisdropped
      JOIN pg_type t ON t.oid = b.atttypid AND t.typname = 'bloom1'
     WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = pair.chunk::regclass AND NOT a.attisdropped
                      AND a.atttypid IN (SELECT type FROM numbered))
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = pair.chunk::regclass AND NOT a.attisdropped
                          AND a.atttypid NOT IN (SELECT type FROM numbered)
                          AND b.attname = substring(b.attname, '^_ts_meta_v2_[^_]+_') || a.attname)
     GROUP BY 1 ORDER BY 1"""


def clear_useless_filters(connection: Connection[Any], timescaledb: str | None) -> list[str]:
    """Take the filters that may hold an enum's hashes off all batches; returns the names of the tables of those.

    Without one a batch is read. Batches that are written from then on have filters again. `timescaledb` is the
    extension's version, None where it is not there.
    """
    chunks = read_compressed(connection, timescaledb) if timescaledb else []
    tables = connection.execute(USELESS, [[chunk.full_name for chunk in chunks], [chunk.batches for chunk in chunks]]
                                ).fetchall()
    for batches, columns in tables:
        # The name came quoted from the server itself.
        connection.execute(sql.SQL("UPDATE ONLY {} SET {}").format(sql.SQL(batches), sql.SQL(", ").join(
            sql.SQL("{} = NULL").format(sql.Identifier(column)) for column in columns)))
    return [batches for batches, _ in tables]
