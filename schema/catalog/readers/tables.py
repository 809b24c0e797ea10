"""Read tables with all their parts, in a number of queries that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, Rows, rows_by
from schema.catalog.readers.table_parts import checks, columns, exclusions, foreign_keys, index, keys, trigger
from schema.catalog.readers.timescaledb import columnstore
from schema.catalog.readers.timescaledb.policy_jobs import policy_job
from schema.model.live.jobs import compression_of, reorder_of, retention_of
from schema.model.live.tables import LiveTable, UnindexedChunk
from schema.model.objects import (
    Compression,
    Dimension,
    Hypertable,
    Policy,
    RowSecurity,
    Table,
)
from schema.model.sql_names import order_term
from schema.model.table_options import options

# What every table may have.
PLAIN = ("tables", "constraints", "indexes")


def read(connection: Connection[Any], capabilities: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveTable]:
    """Read the live tables of one schema, by name, as the server spells them; missing ones are absent."""
    parts = [*PLAIN, "triggers", "row_security"]
    if capabilities.timescaledb_version is not None:
        parts += ["hypertables", "jobs", "unindexed_chunks"]
    if capabilities.timescaledb >= columnstore.LEFT_TO_SERVER:
        parts.append("columnstore")
    return _read(connection, parts, schema, names)


def read_plain(connection: Connection[Any], schema: str, names: Sequence[str]) -> dict[str, LiveTable]:
    """Read tables of one schema that are known to be no hypertables and to have neither triggers nor policies."""
    return _read(connection, PLAIN, schema, names)


def _read(connection: Connection[Any], parts: Sequence[str], schema: str, names: Sequence[str]) -> dict[str, LiveTable]:
    by_part = {part: rows_by(connection, part, "table", schema=schema, names=list(names)) for part in parts}
    return {name: _live(name, schema, {part: by_table.get(name, ()) for part, by_table in by_part.items()})
            for name in by_part["tables"]}


def _live(name: str, schema: str, parts: Rows) -> LiveTable:
    constraints, indexes = parts["constraints"], parts["indexes"]
    jobs = tuple(policy_job(row) for row in parts.get("jobs", ()))
    settings = next(iter(parts.get("hypertables", ())), None)
    details = next(iter(parts.get("columnstore", ())), None)
    first = parts["tables"][0]
    table = Table(
        name, columns(parts["tables"]), keys(constraints, indexes), foreign_keys(constraints), checks(constraints),
        tuple(index(row) for row in indexes if not row["constraint"]),
        _hypertable(settings, details) if settings else None,
        compression_of(_compression(settings, details), jobs), retention_of(jobs), reorder_of(jobs),
        tuple(trigger(row) for row in parts.get("triggers", ())), _row_security(parts.get("row_security", ())),
        exclusions(constraints, indexes), options(first["options"]), first["unlogged"], first["replica_identity"],
        first["cluster"], schema=schema, comment=first["table_comment"])
    return LiveTable(table, frozenset(row["name"] for row in constraints
                                      if not row["validated"] and row["enforced"]),
                     frozenset(row["name"] for row in indexes if not row["valid"] and not row["constraint"]), jobs=jobs,
                     policies=_policies(parts.get("row_security", ())),
                     mixed=frozenset(row["name"] for row in parts.get("triggers", ()) if row["mixed"]),
                     unindexed=_unindexed(parts.get("unindexed_chunks", ())), toasted=first["toasted"])


def _unindexed(rows: Iterable[Row]) -> dict[str, list[UnindexedChunk]]:
    chunks: dict[str, list[UnindexedChunk]] = {}
    for row in rows:
        chunks.setdefault(row["name"], []).append(UnindexedChunk(row["chunk"], row["broken"]))
    return chunks


def _hypertable(row: Row, details: Row | None) -> Hypertable:
    dimensions = tuple(Dimension(part["column"], part["partitions"], None if part["partitions"] else part["interval"])
                       for part in row["dimensions"] or ())
    return Hypertable(row["time"], row["chunk"], dimensions, row["now"], tuple(row["tablespaces"]),
                      tuple(details["skipping"]) if details and details["skipping"] else None)


def _compression(settings: Row | None, details: Row | None) -> Compression | None:
    if settings is None or not settings["compressed"]:
        return None
    stored = Compression(None, tuple(settings["segment_by"]), tuple(map(order_term, settings["order_by"])))
    return columnstore.with_details(stored, details)


def _row_security(rows: Sequence[Row]) -> RowSecurity | None:
    return RowSecurity(_policies(rows), rows[0]["forced"]) if rows and rows[0]["enabled"] else None


def _policies(rows: Iterable[Row]) -> tuple[Policy, ...]:
    return tuple(Policy(row["name"], row["using"], row["check"], row["command"], tuple(row["roles"]),
                        row["permissive"], row["comment"]) for row in rows if row["name"] is not None)
