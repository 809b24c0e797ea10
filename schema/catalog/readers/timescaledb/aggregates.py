"""Read continuous aggregates with all their parts, in a number of queries that does not grow with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from schema.aggregates import refresh_windows
from schema.aggregates.live_aggregate import NEW, OLD, UNFILLED, Column, Dependant, Grant, LiveAggregate, Span
from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows, rows_by
from schema.catalog.readers.table_parts import index
from schema.catalog.readers.timescaledb import columnstore
from schema.catalog.readers.timescaledb.policy_jobs import policy_job
from schema.catalog.readers.unreadable import read_unreadable
from schema.model import intervals
from schema.model.live.jobs import compression_of, refreshes_of, retention_of
from schema.model.live.tables import Weight
from schema.model.names import ident
from schema.model.objects import Compression, ContinuousAggregate, qualified

# So many times as long as the chunks of a hypertable are those of an aggregate over it; over an aggregate, as long.
LONGER = 10


def read(connection: Connection[Any], capabilities: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveAggregate]:
    """Read the live aggregates of one schema, by name, including replacements left over from a rebuild; missing ones
    are absent.
    """
    if not capabilities.community:
        return {}
    wide = [*names, *(name + suffix for name in names for suffix in (NEW, OLD))]
    graph = rows(connection, "aggregates", schema=schema, names=wide)
    present = {row["name"]: row for row in graph if row["query"] is not None}
    if not present:
        return {}
    by_view = {part: rows_by(connection, f"aggregate_{part}", "table", schema=schema, names=list(present))
               for part in ("columns", "jobs", "grants", "dependants")}
    internal, relations = next(iter(present.values()))["relation_schema"], [row["relation"] for row in present.values()]
    by_relation = {part: rows_by(connection, part, "table", schema=internal, names=relations)
                   for part in ("indexes", "aggregate_settings")}
    by_relation["columnstore"] = {} if capabilities.timescaledb < columnstore.LEFT_TO_SERVER else \
        rows_by(connection, "columnstore", "table", schema=internal, names=relations)
    sources = [row["source"] for row in present.values()]
    lengths = {(row["schema"], row["table"]): row["chunk"]
               for row in rows(connection, "chunk_lengths", names=[*relations, *sources])}
    return {name: _live(row, schema, graph, lengths, {part: grouped.get(name, ()) for part, grouped in by_view.items()}
                        | {part: grouped.get(row["relation"], ()) for part, grouped in by_relation.items()})
            for name, row in present.items()}


def read_spans(connection: Connection[Any],
               asked: Mapping[str, tuple[str, str, LiveAggregate | None, LiveAggregate | None]]) -> dict[str, Span]:
    """Read the time range that each aggregate has to materialize, in five queries; absent where its source does not
    exist.

    `asked` has (source, its time column, the live aggregate, the one being built) by the aggregate's name.
    """
    if not asked:
        return {}
    sources = _sources(connection, [source for source, *_ in asked.values()])
    parts = [sql.SQL("SELECT {} AS name, {} AS first, {} AS last, {} AS live_first, {} AS beside_last").format(
        sql.Literal(name), _edge("min", source, time), _edge("max", source, time),
        _edge("min", live.relation, live.bucket.name) if live else sql.SQL("NULL::jsonb"),
        _edge("max", replacement.relation, replacement.bucket.name) if replacement else sql.SQL("NULL::jsonb"))
        for name, (source, time, live, replacement) in asked.items() if source in sources]
    if not parts:
        return {}
    with connection.cursor(row_factory=dict_row) as cursor:
        edge_rows = cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    return {row["name"]: _span(row, sources[asked[row["name"]][0]]) for row in edge_rows}


def _span(row: Row, source: _Source) -> Span:
    first, live_first = refresh_windows.moment(row["first"]), refresh_windows.moment(row["live_first"])
    return Span(first, refresh_windows.moment(row["last"]), source.chunk, live_first,
                refresh_windows.moment(row["beside_last"]),
                source.dropped and refresh_windows.alike(source.dropped, live_first))


def _edge(function: str, relation: str, column: str) -> sql.Composable:
    return sql.SQL("(SELECT to_jsonb({}({})) FROM {})").format(sql.SQL(function), sql.Identifier(column),
                                                               _relation(relation))


@dataclass(frozen=True)
class _Source:
    """A source's chunk length, and where its rows begin after retention has dropped older ones."""

    chunk: str
    dropped: datetime | None = None


def _sources(connection: Connection[Any], names: Iterable[str]) -> dict[str, _Source]:
    """Read these hypertables and aggregates, by full name; four queries."""
    held = {(row["relation_schema"], row["relation"]): qualified(row["schema"], row["name"])
            for row in rows(connection, "aggregates", schema="", names=[])}
    wanted = set(names)
    plain = [*{name.rpartition(".")[2] for name in wanted}, *(relation for _, relation in held)]

    def name(row: Row) -> str:
        return held.get((row["schema"], row["table"]), qualified(row["schema"], row["table"]))

    edges = {name(row): row["edge"] for row in rows(connection, "oldest_chunks", names=plain)}
    limits = {name(row): row["drop_after"] for row in rows(connection, "retention_limits")}
    return {name(row): _Source(row["chunk"], _dropped(edges.get(name(row)), limits.get(name(row))))
            for row in rows(connection, "chunk_lengths", names=plain) if name(row) in wanted}


def _dropped(edge: datetime | None, limit: str | None) -> datetime | None:
    """Return where the oldest chunk begins, if retention would have dropped the one before it by now."""
    if edge is None or limit is None or intervals.length(limit)[0] == "integer":
        return None
    return edge if edge <= datetime.now(UTC) - timedelta(microseconds=intervals.fixed_length(limit)) else None


def _live(row: Row, schema: str, graph: Sequence[Row], lengths: Mapping[tuple[str, str], str],
          parts: Mapping[str, Sequence[Row]]) -> LiveAggregate:
    jobs = tuple(policy_job(item) for item in parts["jobs"])
    details = next(iter(parts["columnstore"]), None)
    settings = columnstore.with_details(_settings(parts["aggregate_settings"]), details) if row["compressed"] else None
    comment = next((item["table_comment"] for item in parts["columns"]), None)
    refreshes = refreshes_of(jobs)
    source = row["source_schema"], row["source"]
    own = row["relation_schema"], row["relation"]
    relations = {(item["relation_schema"], item["relation"]) for item in graph}
    aggregate = ContinuousAggregate(
        row["name"], query(row["query"]), not row["materialized_only"], next(iter(refreshes), None),
        tuple(index(item) for item in parts["indexes"]), compression_of(settings, jobs), retention_of(jobs),
        refreshes[1:], _chunk(lengths, own, source, nested=source in relations), schema=schema, comment=comment)
    names = {(item["relation_schema"], item["relation"]): qualified(item["schema"], item["name"]) for item in graph}
    aggregates = set(names.values())
    return LiveAggregate(
        aggregate, row["owner"], f"{own[0]}.{own[1]}", names.get(source, qualified(*source)),
        lengths.get(own, "0"),
        tuple(_column(item) for item in parts["columns"]),
        tuple(qualified(item["schema"], item["name"]) for item in graph
              if (item["source_schema"], item["source"]) == own),
        frozenset(item["name"] for item in parts["indexes"] if not item["valid"]), jobs,
        tuple(Grant(item["privilege"], item["grantee"], item["column"], item["grantable"]) for item in parts["grants"]),
        tuple(Dependant(item["kind"], item["name"], item["query"], tuple(item["options"]), tuple(item["columns"]))
              for item in parts["dependants"] if item["kind"] != "view" or item["name"] not in aggregates))


def _chunk(lengths: Mapping[tuple[str, str], str], own: tuple[str, str], source: tuple[str, str], *,
           nested: bool) -> str | None:
    """The length of the aggregate's chunks, where it is not the one that TimescaleDB chooses for this source."""
    length, below = lengths.get(own), lengths.get(source)
    if length is None or below is None:
        return None
    usual = intervals.fixed_length(below) * (1 if nested else LONGER)
    return None if intervals.fixed_length(length) == usual else length


def _settings(rows: Sequence[Row]) -> Compression:
    order = sorted((row for row in rows if row["place"] is not None), key=lambda row: int(row["place"]))
    return Compression(None, tuple(row["name"] for row in rows if row["segment"] is not None),
                       tuple(_order(row) for row in order))


def _order(row: Row) -> str:
    nulls = "" if row["nulls_first"] != row["up"] else " NULLS FIRST" if row["nulls_first"] else " NULLS LAST"
    return f"{ident(row['name'])}{'' if row['up'] else ' DESC'}{nulls}"


def query(text: str) -> str:
    """Return a view's definition without surrounding space and final semicolon."""
    return text.strip().removesuffix(";").rstrip()


def _column(row: Row) -> Column:
    comment = row["comment"]
    unfilled = json.loads(comment.removeprefix(UNFILLED)) if (comment or "").startswith(UNFILLED) and comment else None
    return Column(row["name"], row["type"], refresh_windows.moment(unfilled), row["stale"])




def read_weights(connection: Connection[Any],
                 asked: Mapping[str, tuple[LiveAggregate, str | None]]) -> dict[str, Weight]:
    """Read how much changes would affect (rows, bytes, chunks), by aggregate name.

    `asked` has each live aggregate with the declared retention limit.
    """
    if not asked:
        return {}
    relations = {name: _relation_names(live.relation) for name, (live, _) in asked.items()}
    unreadable = read_unreadable(connection, relations.values())
    parts = [_weight(name, live, limit, readable=relations[name] not in unreadable)
             for name, (live, limit) in asked.items()]
    with connection.cursor(row_factory=dict_row) as cursor:
        weight_rows = cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    return {row["name"]: Weight(row["has_rows"], row["bytes"] or 0, row["chunks"], row["compressed"], row["expired"],
                                readable=relations[row["name"]] not in unreadable) for row in weight_rows}


WEIGHT = """
SELECT {name} AS name, {filled} AS has_rows,
       (pg_total_relation_size({quoted}) + (SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0) FROM pg_inherits
         WHERE inhparent = {quoted}::regclass))::bigint AS bytes,
       c.chunks, c.compressed, {expired} AS expired
  FROM (SELECT count(*) AS chunks, count(*) FILTER (WHERE is_compressed) AS compressed
          FROM timescaledb_information.chunks
         WHERE format('%I.%I', hypertable_schema, hypertable_name) = {quoted}) AS c
"""


def _weight(name: str, live: LiveAggregate, limit: str | None, *, readable: bool) -> sql.Composable:
    expired: sql.Composable = sql.SQL("0")
    if limit is not None and not limit.strip().isdigit():
        expired = sql.SQL("(SELECT count(*) FROM show_chunks({}, older_than => {}::interval))").format(
            sql.Literal(live.relation), sql.Literal(limit))
    filled = sql.SQL("EXISTS (SELECT FROM {})").format(_relation(live.relation)) if readable else sql.SQL("true")
    return sql.SQL(WEIGHT).format(name=sql.Literal(name), filled=filled,
                                  quoted=sql.Literal(live.relation), expired=expired)


def _relation(name: str) -> sql.Identifier:
    return sql.Identifier(*_relation_names(name))


def _relation_names(name: str) -> tuple[str, str]:
    schema, _, relation = name.partition(".") if "." in name else ("public", "", name)
    return schema.strip('"'), relation.strip('"')
