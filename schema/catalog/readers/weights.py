"""Read how much changes would affect: rows, bytes and chunks; and compressed chunks that may be compressed again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from schema.capabilities import CHUNK_SETTINGS, Capabilities
from schema.catalog.queries import Row, rows
from schema.catalog.readers.unreadable import read_unreadable
from schema.model.live.tables import ColumnstoreChunk, Weight
from schema.model.objects import Retention, Table
from schema.model.sql_names import order_term

CHUNKS_IN_COLUMNSTORE = """
SELECT {table} AS "table", s.chunk::text AS chunk, s.segmentby AS segment_by, s.orderby AS order_by,
       pg_total_relation_size(s.chunk)::bigint AS bytes
  FROM timescaledb_information.chunk_compression_settings s
  JOIN show_chunks({relation}, newer_than => {since}) AS young ON young = s.chunk
"""
SIZE = "pg_total_relation_size({0}) + coalesce((SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits " \
       "WHERE inhparent = {0}::regclass), 0)"


def read_weights(connection: Connection[Any], tables: Mapping[str, Table], wanted: Mapping[str, Table],
                 capabilities: Capabilities) -> dict[str, Weight]:
    """Read how much changes to these live tables would affect, in four queries, by present full name.

    `tables` are the live tables, `wanted` the declared ones, both by present full name. A
    table whose rows this login may not see counts as filled.
    """
    if not tables:
        return {}
    relations = {name: (table.schema, name.rpartition(".")[2]) for name, table in tables.items()}
    unreadable = read_unreadable(connection, relations.values())
    parts = [_weight_query(name, table, wanted[name], readable=relations[name] not in unreadable)
             for name, table in tables.items()]
    with connection.cursor(row_factory=dict_row) as cursor:
        weight_rows = cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    chunks: dict[str, Row] = {}
    columns: dict[str, Row] = {}
    if capabilities.timescaledb_version is not None:
        chunks = {row["table"]: row for row in rows(connection, "chunks", names=list(tables))}
    if capabilities.timescaledb >= CHUNK_SETTINGS:
        columns = {row["table"]: row for row in rows(connection, "chunk_settings", names=list(tables))}
    return {row["table"]: Weight(row["has_rows"], row["bytes"] or 0, chunks.get(row["table"], {}).get("chunks", 0),
                                 chunks.get(row["table"], {}).get("compressed", 0), row["expired"],
                                 frozenset(columns.get(row["table"], {}).get("columns", ())),
                                 readable=relations[row["table"]] not in unreadable) for row in weight_rows}


def read_columnstore(connection: Connection[Any], tables: Mapping[str, Table],
                     limits: Mapping[str, str]) -> dict[str, tuple[ColumnstoreChunk, ...]]:
    """Read the compressed chunks of these live tables that are younger than the table's limit, in one query."""
    parts = []
    for name, table in tables.items():
        if table.hypertable is not None and table.compression is not None:
            parts.append(sql.SQL(CHUNKS_IN_COLUMNSTORE).format(
                table=sql.Literal(name), relation=_quoted(table, name), since=_before_now(table, limits[name])))
    if not parts:
        return {}
    chunks: dict[str, tuple[ColumnstoreChunk, ...]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(sql.SQL(" UNION ALL ").join(parts) + sql.SQL(" ORDER BY chunk")).fetchall():
            chunk = ColumnstoreChunk(row["chunk"], tuple(_terms(row["segment_by"])),
                                     tuple(map(order_term, _terms(row["order_by"]))), row["bytes"])
            chunks[row["table"]] = (*chunks.get(row["table"], ()), chunk)
    return chunks


def _terms(text: str | None) -> list[str]:
    return [term.strip() for term in (text or "").split(",") if term.strip()]


def _quoted(table: Table, full_name: str) -> sql.Composable:
    return sql.Literal(sql.Identifier(table.schema, full_name.rpartition(".")[2]).as_string(None))


def _weight_query(full_name: str, live: Table, wanted: Table, *, readable: bool) -> sql.Composable:
    name, quoted = sql.Identifier(live.schema, full_name.rpartition(".")[2]), _quoted(live, full_name)
    expired = _expired(live, wanted.retention, quoted) if live.hypertable else (
        _old_rows(name, live, wanted) if readable else sql.SQL("1"))
    filled = sql.SQL("EXISTS (SELECT FROM {})").format(name) if readable else sql.SQL("true")
    select = 'SELECT {} AS "table", {} AS has_rows, ({})::bigint AS bytes, ({})::int AS expired'
    return sql.SQL(select).format(sql.Literal(full_name), filled, sql.SQL(SIZE).format(quoted), expired)


def _expired(live: Table, retention: Retention | None, quoted: sql.Composable) -> sql.Composable:
    """Count the chunks that retention would drop; all of them where an integer column has no `now` function yet."""
    if retention is None or live.hypertable is None:
        return sql.SQL("0")
    if retention.drop_after is None:
        return sql.SQL("SELECT count(*) FROM show_chunks({}, created_before => {}::interval)").format(
            quoted, sql.Literal(retention.drop_created_before))
    if retention.drop_after.strip().isdigit() and live.hypertable.now is None:
        return sql.SQL("SELECT count(*) FROM show_chunks({})").format(quoted)
    return sql.SQL("SELECT count(*) FROM show_chunks({}, older_than => {})").format(
        quoted, _before_now(live, retention.drop_after))


def _old_rows(name: sql.Composable, live: Table, wanted: Table) -> sql.Composable:
    """Return 1 where a table that becomes a hypertable has rows that retention would drop, else 0."""
    retention = wanted.retention
    if wanted.hypertable is None or retention is None or retention.drop_after is None or \
            retention.drop_after.strip().isdigit():
        return sql.SQL("0")
    names = {column.name for column in live.columns}
    time = next(column for column in wanted.columns if column.name == wanted.hypertable.time)
    column = next((name for name in (time.name, time.renamed_from) if name in names), None)
    if column is None:
        return sql.SQL("0")
    return sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} < now() - {}::interval LIMIT 1) AS old").format(
        name, sql.Identifier(column), sql.Literal(retention.drop_after))


def _before_now(live: Table, limit: str) -> sql.Composable:
    """Return the time `limit` ago as show_chunks takes it: an interval, or a number of the time column's type."""
    if not limit.strip().isdigit():
        return sql.SQL("{}::interval").format(sql.Literal(limit))
    if live.hypertable is None or live.hypertable.now is None:
        return sql.SQL("NULL::bigint")
    time = next((column.type for column in live.columns if column.name == live.hypertable.time), "bigint")
    return sql.SQL("({}() - {})::" + time).format(
        sql.Identifier(*live.hypertable.now.split(".")), sql.Literal(int(limit)))
