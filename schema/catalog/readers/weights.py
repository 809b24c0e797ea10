"""Read what changes would touch: rows, bytes and chunks, and the compressed chunks that may be compressed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from schema.capabilities import CHUNK_SETTINGS, Capabilities
from schema.catalog.queries import Row, rows
from schema.model.live import ColumnstoreChunk, Weight
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
    """What changes to these live tables would touch, in three queries; all is by the full names they bear now, and
    `wanted` are the tables that they are to become."""
    if not tables:
        return {}
    parts = [_weight_query(name, table, wanted[name]) for name, table in tables.items()]
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    chunks: dict[str, Row] = {}
    columns: dict[str, Row] = {}
    if capabilities.timescaledb_version is not None:
        chunks = {row["table"]: row for row in rows(connection, "chunks", names=list(tables))}
    if capabilities.timescaledb >= CHUNK_SETTINGS:
        columns = {row["table"]: row for row in rows(connection, "chunk_settings", names=list(tables))}
    return {row["table"]: Weight(row["has_rows"], row["bytes"] or 0, chunks.get(row["table"], {}).get("chunks", 0),
                                 chunks.get(row["table"], {}).get("compressed", 0), row["expired"],
                                 frozenset(columns.get(row["table"], {}).get("columns", ()))) for row in found}


def read_columnstore(connection: Connection[Any], tables: Mapping[str, Table],
                     limits: Mapping[str, str]) -> dict[str, tuple[ColumnstoreChunk, ...]]:
    """The compressed chunks of these live tables that are younger than the table's limit, in one query."""
    parts = []
    for name, table in tables.items():
        if table.hypertable is not None and table.compression is not None:
            parts.append(sql.SQL(CHUNKS_IN_COLUMNSTORE).format(
                table=sql.Literal(name), relation=_quoted(table, name), since=_before_now(table, limits[name])))
    if not parts:
        return {}
    found: dict[str, tuple[ColumnstoreChunk, ...]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(sql.SQL(" UNION ALL ").join(parts) + sql.SQL(" ORDER BY chunk")).fetchall():
            chunk = ColumnstoreChunk(row["chunk"], _terms(row["segment_by"]), _terms(row["order_by"]), row["bytes"])
            found[row["table"]] = (*found.get(row["table"], ()), chunk)
    return found


def _terms(text: str | None) -> tuple[str, ...]:
    return tuple(order_term(term) for term in (text or "").split(",") if term.strip())


def _quoted(table: Table, full_name: str) -> sql.Composable:
    return sql.Literal(sql.Identifier(table.schema, full_name.rpartition(".")[2]).as_string(None))


def _weight_query(full_name: str, live: Table, wanted: Table) -> sql.Composable:
    name, quoted = sql.Identifier(live.schema, full_name.rpartition(".")[2]), _quoted(live, full_name)
    expired = _expired(live, wanted.retention, quoted) if live.hypertable else _old_rows(name, live, wanted)
    select = 'SELECT {} AS "table", EXISTS (SELECT FROM {}) AS has_rows, ({})::bigint AS bytes, ({})::int AS expired'
    return sql.SQL(select).format(sql.Literal(full_name), name, sql.SQL(SIZE).format(quoted), expired)


def _expired(live: Table, retention: Retention | None, quoted: sql.Composable) -> sql.Composable:
    """How many chunks retention would drop; all of them where nobody knows the present of an integer column yet."""
    if retention is None or live.hypertable is None:
        return sql.SQL("0")
    if retention.drop_after.strip().isdigit() and live.hypertable.now is None:
        return sql.SQL("SELECT count(*) FROM show_chunks({})").format(quoted)
    return sql.SQL("SELECT count(*) FROM show_chunks({}, older_than => {})").format(
        quoted, _before_now(live, retention.drop_after))


def _old_rows(name: sql.Composable, live: Table, wanted: Table) -> sql.Composable:
    """1 where a table that becomes a hypertable has rows that retention would drop."""
    if wanted.hypertable is None or wanted.retention is None or wanted.retention.drop_after.strip().isdigit():
        return sql.SQL("0")
    names = {each.name for each in live.columns}
    time = next(each for each in wanted.columns if each.name == wanted.hypertable.time)
    column = next((name for name in (time.name, time.renamed_from) if name in names), None)
    if column is None:
        return sql.SQL("0")
    return sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} < now() - {}::interval LIMIT 1) AS old").format(
        name, sql.Identifier(column), sql.Literal(wanted.retention.drop_after))


def _before_now(live: Table, limit: str) -> sql.Composable:
    """The moment `limit` ago, as show_chunks takes it: an interval, or a number of the time column's own type."""
    if not limit.strip().isdigit():
        return sql.SQL("{}::interval").format(sql.Literal(limit))
    if live.hypertable is None or live.hypertable.now is None:
        return sql.SQL("NULL::bigint")
    time = next((each.type for each in live.columns if each.name == live.hypertable.time), "bigint")
    return sql.SQL("({}() - {})::" + time).format(
        sql.Identifier(*live.hypertable.now.split(".")), sql.Literal(int(limit)))
