"""The diffs of continuous aggregates: what is rebuilt, what a rebuild takes along, and which buckets are to compute.

An aggregate that is rebuilt takes those that read it along: they, too, are rebuilt, on the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection

from schema.aggregates.live_aggregate import (
    NEW,
    OLD,
    REPLACED,
    AggregateContext,
    AggregateDiff,
    LiveAggregate,
    Span,
    as_table,
    bucket_of,
    lost_history,
)
from schema.aggregates.query_change import ADD_COLUMN, Change, change_of
from schema.canonical import normalising
from schema.catalog.readers.timescaledb import aggregates
from schema.catalog.readers.weights import read_columnstore
from schema.comparison.declaration import Declaration, Key
from schema.comparison.match import Matches, over_renamed
from schema.kinds import columnstore
from schema.model.change import renames
from schema.model.change.diff import Match
from schema.model.live.objects import Live, LiveGrants
from schema.model.live.tables import ColumnstoreChunk, LiveTable, Weight
from schema.model.objects import ContinuousAggregate, Object, Table

Chunks = Mapping[str, tuple[ColumnstoreChunk, ...]]


@dataclass(frozen=True)
class _Aggregate:
    """An aggregate with all that follows from the aggregates below it; the fields are those of AggregateContext."""

    match: Match[ContinuousAggregate, LiveAggregate]
    change: Change
    source_rebuilt: bool
    building: LiveAggregate | None
    replaced: LiveAggregate | None

    @property
    def live(self) -> LiveAggregate | None:
        return self.match.live

    @property
    def leaves_replaced(self) -> bool:
        """Whether an interrupted rebuild of ours left the old aggregate."""
        return self.replaced is not None and self.replaced.object.comment == REPLACED


Aggregates = Mapping[str, _Aggregate]


def aggregate_diffs(connection: Connection[Any], declaration: Declaration, live: Mapping[Key, Live],
                    matches: Matches, granted: Mapping[Object, LiveGrants]) -> dict[str, AggregateDiff]:
    """Return the finished diffs of all aggregates by name, each after those that it reads.

    Asks only about aggregates that differ; the number of queries does not grow with the number of aggregates.
    """
    by_name = _walk(declaration, live, matches)
    if not by_name:
        return {}
    chunks = _read_columnstore(connection, declaration, by_name)
    weights = _read_weights(connection, by_name, chunks)
    spans = _read_spans(connection, by_name, matches)
    staying, old_sources = _leftovers(connection, declaration, by_name)
    capabilities, allow = declaration.capabilities, declaration.options.allow
    return {name: AggregateDiff(
        aggregate.match.declared, aggregate.match.canonical, aggregate.live, AggregateContext(
            capabilities.server_version, declaration.timescaledb, capabilities.single_process, allow,
            aggregate.match.former_name, aggregate.match.scratch, weight=weights.get(name, Weight()),
            columnstore=chunks.get(name, ()), change=aggregate.change, source_rebuilt=aggregate.source_rebuilt,
            span=spans.get(name), building=aggregate.building, replaced=aggregate.replaced, staying=staying[name],
            old_source=old_sources.get(name), grants=granted.get(aggregate.match.declared)))
        for name, aggregate in by_name.items()}


def _walk(declaration: Declaration, live: Mapping[Key, Live], matches: Matches) -> dict[str, _Aggregate]:
    """The aggregates by name, each after its source: what is rebuilt or renamed below decides about those above."""
    by_name: dict[str, _Aggregate] = {}
    renamed: dict[str, Mapping[str, str]] = {}
    for match in matches:
        if not isinstance(match.declared, ContinuousAggregate):
            continue
        aggregate = _aggregate(declaration, live, _over_renamed(match, renamed), by_name)
        renamed[match.name] = aggregate.change.renamed
        by_name[match.name] = aggregate
    return by_name


def _aggregate(declaration: Declaration, live: Mapping[Key, Live], match: Match[ContinuousAggregate, LiveAggregate],
               below: Aggregates) -> _Aggregate:
    building, replaced = (_leftover(live, match.name + suffix) for suffix in (NEW, OLD))
    source_rebuilt = False
    if match.live and match.scratch:
        source = match.live.source
        rebuilt = source in below and below[source].change.rebuilt
        if building and rebuilt:  # it reads the aggregate that is about to be replaced
            building = replace(building, source=source + OLD)
        source_rebuilt = rebuilt or source == match.scratch.source + OLD
    change = change_of(match.canonical, match.live.object if match.live else None, source_rebuilt=source_rebuilt,
                       adds_columns=declaration.timescaledb >= ADD_COLUMN and match.scratch is not None)
    return _Aggregate(match, change, source_rebuilt, building, replaced)


def _over_renamed(match: Match[ContinuousAggregate, LiveAggregate],
                  renamed: Mapping[str, Mapping[str, str]]) -> Match[ContinuousAggregate, LiveAggregate]:
    """The match once the aggregates below have renamed their columns; a scratch source has its name as people write
    it."""
    scratch = match.scratch and replace(match.scratch, source=match.scratch.source.removeprefix("public."))
    live = match.live and over_renamed(match.live, renamed)
    canonical = normalising.settle(match.canonical, live.object) if live and live is not match.live else match.canonical
    return replace(match, canonical=canonical, live=live, scratch=scratch)


def _leftover(live: Mapping[Key, Live], name: str) -> LiveAggregate | None:
    """What an interrupted rebuild left under this name."""
    leftover = live.get((ContinuousAggregate, name))
    return leftover if isinstance(leftover, LiveAggregate) else None


def _read_columnstore(connection: Connection[Any], declaration: Declaration, by_name: Aggregates) -> Chunks:
    """The compressed chunks, by name, of those aggregates that may have them compressed again."""
    tables: dict[str, Table] = {}
    limits: dict[str, str] = {}
    for aggregate in by_name.values():
        limit = columnstore.limit(aggregate.match.declared, declaration.timescaledb)
        if aggregate.live and limit:
            schema, _, name = aggregate.live.relation.partition(".")
            table = as_table(aggregate.live.object, aggregate.live.chunk)
            tables[aggregate.live.relation] = replace(table, name=name, schema=schema)
            limits[aggregate.live.relation] = limit
    chunks = read_columnstore(connection, tables, limits)
    return {name: chunks.get(aggregate.live.relation, ()) for name, aggregate in by_name.items() if aggregate.live}


def _read_weights(connection: Connection[Any], by_name: Aggregates, chunks: Chunks) -> Mapping[str, Weight]:
    """The weights, by name, of the aggregates that differ: only those may get steps."""
    asked: dict[str, tuple[LiveAggregate, str | None]] = {}
    for name, aggregate in by_name.items():
        retention = aggregate.match.declared.retention
        if aggregate.live and _differs(aggregate, aggregate.live, chunks.get(name, ())):
            asked[name] = aggregate.live, retention.drop_after if retention else None
    return aggregates.read_weights(connection, asked)


def _differs(aggregate: _Aggregate, live: LiveAggregate, chunks: Sequence[ColumnstoreChunk]) -> bool:
    """Whether any step or warning may come of the aggregate; only then its weight is read."""
    canonical = aggregate.match.canonical
    jobs = [job.procedure for job in live.jobs]
    names = {index.name for index in canonical.indexes}
    undeclared = any(index.name not in names and not live.owns_index(index.name) for index in live.object.indexes)
    unfinished = live.invalid or columnstore.stale(canonical, chunks) or len(jobs) > len(set(jobs)) or _unfilled(live)
    return bool(undeclared or unfinished or aggregate.source_rebuilt or aggregate.match.former_name
                or not normalising.equal(canonical, live.object))


def _read_spans(connection: Connection[Any], by_name: Aggregates, matches: Matches) -> dict[str, Span]:
    """The spans, by name, of the aggregates that have buckets to compute.

    What is moved onto a new aggregate that lost history has that one's span, as it is computed from its buckets.
    """
    former = {match.name: match.former_name for match in matches if match.former_name}
    columns = {match.name: renames.column_names(match.declared, match.live.table) for match in matches
               if isinstance(match.declared, Table) and isinstance(match.live, LiveTable)}
    asked = {}
    for name, aggregate in by_name.items():
        scratch = aggregate.match.scratch
        if scratch and _computes(aggregate):
            source, time = scratch.source, bucket_of(scratch.object).time
            old_names = {new: old for old, new in columns.get(source, {}).items()}
            asked[name] = (former.get(source) or source, old_names.get(time, time), aggregate.live, aggregate.building)
    spans = aggregates.read_spans(connection, asked)
    for name, aggregate in by_name.items():
        scratch = aggregate.match.scratch
        source = scratch.source.removeprefix("public.") if scratch else ""
        if name in asked and name not in spans and source in spans and by_name[source].live is None:
            # The source does not exist yet: it is computed before this one, from the rows that its own source has.
            spans[name] = replace(spans[source], live_first=None, building_last=None)
        below = by_name.get(aggregate.live.source) if aggregate.live else None
        span, source_span = spans.get(name), spans.get(below.match.name) if below else None
        if below and below.live and aggregate.source_rebuilt and span and source_span \
                and lost_history(below.live, source_span):
            spans[name] = replace(span, first=source_span.first, last=source_span.last)
    return spans


def _computes(aggregate: _Aggregate) -> bool:
    """Whether buckets have to be computed to make the aggregate the declared one."""
    return aggregate.live is None or aggregate.change.rebuilt or bool(aggregate.change.added) \
        or _unfilled(aggregate.live)


def _unfilled(live: LiveAggregate) -> bool:
    return any(column.unfilled is not None for column in live.columns)


def _leftovers(connection: Connection[Any], declaration: Declaration,
               by_name: Aggregates) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """By name: the aggregates that stay on the old one, and the replaced source that only planned aggregates read."""
    leaving: set[str] = set()  # the aggregates that read nothing replaced any more once the plan is done
    staying: dict[str, tuple[str, ...]] = {}
    for name, aggregate in reversed(list(by_name.items())):  # those above come after those below, and leave before them
        rebuilt, replaced = aggregate.change.rebuilt, aggregate.replaced
        old = aggregate.live if rebuilt else replaced
        staying[name] = tuple(above for above in old.above if above not in leaving) if old else ()
        if not staying[name] and (rebuilt or aggregate.leaves_replaced):
            leaving.add(aggregate.match.live_name if rebuilt else name + OLD)
    old_sources = {}
    for source, name in _old_sources(by_name).items():
        schema, _, plain = source.rpartition(".")
        read = aggregates.read(connection, declaration.capabilities, schema or "public", [plain]).get(plain)
        if read and read.object.comment == REPLACED and leaving.issuperset(read.above):
            old_sources[name] = source
    return staying, old_sources


def _old_sources(by_name: Aggregates) -> dict[str, str]:
    """Replaced sources that the plan does not otherwise know, each with the first aggregate that read it."""
    sources: dict[str, str] = {}
    for name, aggregate in by_name.items():
        for live in (aggregate.live if aggregate.source_rebuilt else None,
                     aggregate.replaced if aggregate.leaves_replaced else None):
            if live and live.source.endswith(OLD) and live.source.removesuffix(OLD) not in by_name:
                sources.setdefault(live.source, name)
    return sources
