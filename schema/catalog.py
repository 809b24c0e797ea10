"""Read the live state from the server's catalogs: the same number of queries however many tables there are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from schema.capabilities import Capabilities
from schema.live import Job, LiveTable, Weight, compression_of, retention_of
from schema.objects import Check, Column, Compression, ForeignKey, Hypertable, Index, Key, Retention, Table

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}


@cache
def query(name: str) -> str:
    """The text of sql/<name>.sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def rows(connection: Connection[Any], name: str, **values: Any) -> list[Row]:
    """The rows of sql/<name>.sql as dicts."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name).encode(), values).fetchall()


def read_capabilities(connection: Connection[Any]) -> Capabilities:
    """What the server and this login can do."""
    return Capabilities(**rows(connection, "server")[0])


def read_tables(connection: Connection[Any], names: Sequence[str], capabilities: Capabilities, *,
                schema: str = "public") -> dict[str, LiveTable]:
    """The live tables of one schema by name; absent ones are absent. Everything is in the server's words."""
    def read(query_name: str) -> Rows:
        grouped = defaultdict(list)
        for row in rows(connection, query_name, schema=schema, names=list(names)):
            grouped[row["table"]].append(row)
        return grouped

    parts = ["tables", "constraints", "indexes"]
    if capabilities.timescaledb_version is not None:
        parts += ["hypertables", "jobs"]
    found = {part: read(part) for part in parts}
    return {name: _live(name, schema, {part: each.get(name, ()) for part, each in found.items()})
            for name in found["tables"]}


def read_undeclared(connection: Connection[Any], names: Sequence[str], schema: str) -> list[str]:
    """The tables of one schema that are not among `names`."""
    return [row["table"] for row in rows(connection, "undeclared", schema=schema, names=list(names))]


def read_weights(connection: Connection[Any], tables: Sequence[Table], retention: Mapping[str, Retention],
                 capabilities: Capabilities) -> dict[str, Weight]:
    """What changes to these live tables would touch, in two queries; `retention` holds the declared limits."""
    if not tables:
        return {}
    parts = [_weight_query(table, retention.get(table.full_name)) for table in tables]
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    chunks: dict[str, Row] = {}
    if capabilities.timescaledb_version is not None:
        chunks = {row["table"]: row for row in rows(connection, "chunks", names=[table.full_name for table in tables])}
    return {row["table"]: Weight(row["has_rows"], row["bytes"] or 0, chunks.get(row["table"], {}).get("chunks", 0),
                                 chunks.get(row["table"], {}).get("compressed", 0), row["expired"]) for row in found}


def _weight_query(table: Table, retention: Retention | None) -> sql.Composable:
    name = sql.Identifier(table.schema, table.name)
    quoted = sql.Literal(name.as_string(None))
    size = "pg_total_relation_size({0}) + coalesce((SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits " \
           "WHERE inhparent = {0}::regclass), 0)"
    bytes_ = sql.SQL(size).format(quoted)
    expired: sql.Composable = sql.SQL("0")
    if table.hypertable and retention and not retention.drop_after.strip().isdigit():
        expired = sql.SQL("(SELECT count(*) FROM show_chunks({}, older_than => {}::interval))").format(
            quoted, sql.Literal(retention.drop_after))
    select = 'SELECT {} AS "table", EXISTS (SELECT FROM {}) AS has_rows, ({})::bigint AS bytes, {} AS expired'
    return sql.SQL(select).format(sql.Literal(table.full_name), name, bytes_, expired)


def _live(name: str, schema: str, found: Rows) -> LiveTable:
    constraints, indexes = found["constraints"], found["indexes"]
    jobs = tuple(_job(row) for row in found.get("jobs", ()))
    settings = next(iter(found.get("hypertables", ())), None)
    table = Table(
        name, _columns(found["tables"]), _keys(constraints), _foreign_keys(constraints),
        tuple(Check(row["name"], row["expression"]) for row in constraints if row["type"] == "c"),
        tuple(_index(row) for row in indexes),
        Hypertable(settings["time"], settings["chunk"]) if settings else None,
        compression_of(_compression(settings), jobs), retention_of(jobs), found["tables"][0]["table_comment"], schema)
    return LiveTable(table, frozenset(row["name"] for row in constraints if not row["validated"]),
                     frozenset(row["name"] for row in indexes if not row["valid"]), jobs)


def _columns(found: Iterable[Row]) -> tuple[Column, ...]:
    return tuple(Column(row["name"], row["type"], row["null"], row["default"], row["serial"], row["identity"],
                        row["generated"], row["comment"]) for row in found if row["name"] is not None)


def _keys(found: Iterable[Row]) -> tuple[Key, ...]:
    return tuple(Key(row["name"], tuple(row["columns"]), row["type"] == "p") for row in found if row["type"] in "pu")


def _foreign_keys(found: Iterable[Row]) -> tuple[ForeignKey, ...]:
    return tuple(ForeignKey(row["name"], tuple(row["columns"]), row["target"], tuple(row["references"]),
                            ACTIONS[row["on_delete"]], ACTIONS[row["on_update"]])
                 for row in found if row["type"] == "f")


def _index(row: Row) -> Index:
    return Index(row["name"], tuple(row["columns"]), row["unique"], row["method"], tuple(row["include"]), row["where"])


def _compression(settings: Row | None) -> Compression | None:
    if settings is None or not settings["compressed"]:
        return None
    return Compression(None, tuple(settings["segment_by"]), tuple(settings["order_by"]))


def _job(row: Row) -> Job:
    config = json.loads(row["config"] or "{}")
    after = config.get("compress_after", config.get("drop_after"))
    limit = None if after is None else str(after)
    return Job(row["id"], row["procedure"], limit, row["schedule"], not row["scheduled"])
