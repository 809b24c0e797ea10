"""The values that compressed batches lack: those of columns added after them, which no dump holds.

In a row from before `ADD COLUMN ... DEFAULT` a column has the value that its catalog entry names (attmissingval),
in an ordinary table as in a batch. COPY gives the rows of tables with it. A batch is restored as it is, and the entry
with it, as pg_upgrade does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection, sql

from backups.errors import RestoreError
from backups.logical.manifest import ChunkRows
from backups.logical.source.chunk_rows import CompressedChunk
from backups.logical.source.snapshot import settings

# No function that a server in ordinary operation offers sets it, so the catalog is changed itself.
SET = """
    UPDATE pg_catalog.pg_attribute
       SET atthasmissing = true, attmissingval = array_in({value}, atttypid, atttypmod)
     WHERE attrelid = {chunk}::regclass AND attname = {column} AND attnum > 0 AND NOT attisdropped
 RETURNING attmissingval::text"""
# Of columns that have a default, or may not be null: those for which some batch holds nothing.
DOUBTFUL = """
    SELECT a.attname::text, a.attnotnull FROM pg_attribute a JOIN pg_attribute b USING (attname)
     WHERE a.attrelid = {chunk}::regclass AND b.attrelid = {batches}::regclass AND (a.atthasdef OR a.attnotnull)
       AND a.attnum > 0 AND NOT a.attisdropped AND NOT b.attisdropped AND a.attgenerated = ''
       AND b.atttypid <> a.atttypid
     ORDER BY a.attnum"""


def set_missing_values(connection: Connection[Any], chunks: Iterable[ChunkRows]) -> None:
    """Give each chunk's columns the values that they had for rows from before them; all or none.

    Raises RestoreError where the server would give another value than the backup names.
    """
    lacking = [chunk for chunk in chunks if chunk.missing]
    if not lacking:
        return
    with connection.transaction():
        # The values come in the words of a session with these settings; they are the transaction's alone.
        connection.execute(settings(connection.info.server_version, "SET LOCAL").encode())
        connection.execute("SET LOCAL allow_system_table_mods = on")
        for chunk in lacking:
            for column, value in chunk.missing.items():
                row = connection.execute(sql.SQL(SET).format(value=sql.Literal(value), column=sql.Literal(column),
                                                             chunk=sql.Literal(chunk.full_name))).fetchone()
                if row != (value,):
                    raise RestoreError(f"chunk {chunk.full_name}: column {column} has {row[0] if row else 'no value'} "
                                       f"in rows from before it, required {value}; restore into a server of the same "
                                       "major version")


def find_lost_values(connection: Connection[Any], chunks: Iterable[CompressedChunk]) -> list[str]:
    """A line for each column of a chunk that an earlier program's backup may have lost values of; nothing is changed.

    That is where a batch holds nothing for a column with a default, or one that may not be null: the value for its rows
    was in the source's catalog.
    """
    lines = []
    for chunk in chunks:
        columns = connection.execute(sql.SQL(DOUBTFUL).format(
            chunk=sql.Literal(chunk.full_name), batches=sql.Literal(chunk.batches))).fetchall()
        for column, not_null in columns:
            # The name came quoted from the server itself.
            row = connection.execute(sql.SQL("SELECT coalesce(sum(_ts_meta_count), 0) FROM ONLY {} WHERE {} IS NULL")
                                     .format(sql.SQL(chunk.batches), sql.Identifier(column))).fetchone()
            if row and row[0]:
                lines.append(f"chunk {chunk.full_name}: column {column} is NULL in {row[0]} rows, and "
                             f"{'was not' if not_null else 'may not have been'}: an earlier program took the backup, "
                             "without the values of columns added after compression; see the source, and take another")
    return lines
