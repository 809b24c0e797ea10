"""Continuous aggregates: buckets, and policies of the aggregate and of its source that conflict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from schema.aggregates import aggregate_query, refreshes
from schema.aggregates.live_aggregate import NEW, OLD
from schema.errors import DeclarationError
from schema.lint import durations, policies
from schema.lint.finding import Finding, Lint
from schema.model import intervals
from schema.model.change import dependencies
from schema.model.names import LONGEST_BYTES
from schema.model.objects import ContinuousAggregate, Object, Table

INTEGERS = frozenset({"smallint", "integer", "bigint", "int", "int2", "int4", "int8"})
_DAY = intervals.fixed_length("1 day")


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield what TimescaleDB would refuse, and what would lose history."""
    taken: dict[str, str] = {}
    for aggregate in objects:
        if not isinstance(aggregate, ContinuousAggregate):
            continue
        yield from _names(aggregate)
        for index in aggregate.indexes:
            first = taken.setdefault(index.name, aggregate.full_name)
            if first != aggregate.full_name or [one.name for one in aggregate.indexes].count(index.name) > 1:
                yield (f"{aggregate.full_name}.{index.name}: the indexes of all aggregates share their names, and "
                       f"{first} uses this one; choose another")
        if aggregate_query.bucket(aggregate.query) is None:
            yield f"{aggregate.full_name}: the query groups by no time_bucket(width, time); add it"
            continue
        unreadable = [*_unreadable(aggregate)]
        yield from unreadable
        if not unreadable:
            yield from _policies(aggregate)
            for source in _sources(aggregate, objects):
                yield from _buckets(aggregate, source)
                yield from _refresh(aggregate, source)


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Yield aggregates that refresh buckets which are in the columnstore already, and those that miss late rows."""
    for aggregate in objects:
        if not isinstance(aggregate, ContinuousAggregate):
            continue
        yield from _late(aggregate)
        compression, refresh = aggregate.compression, aggregate.refresh
        if compression and compression.after and refresh and not [*_unreadable(aggregate)] and \
                _beyond(refresh.start, compression.after):
            yield Finding(Lint.REFRESHES_COLUMNSTORE, aggregate.full_name, "compression",
                          f"buckets go to the columnstore after {compression.after} and are still refreshed "
                          f"{_back(refresh.start)}, which unpacks them; compress later or refresh less far back")


def _late(aggregate: ContinuousAggregate) -> Iterator[Finding]:
    """Yield buckets shorter than a day that count in a time zone: where clocks change, late rows are missed."""
    bucket = aggregate_query.bucket(aggregate.query)
    if bucket and _is_readable(bucket.width) and aggregate_query.zoned(aggregate.query) and \
            intervals.fixed_length(bucket.width) < _DAY:
        yield Finding(Lint.LATE_ROWS, aggregate.full_name, "query",
                      f"TimescaleDB (2.29 and before) does not compute every bucket of {bucket.width} in a time zone "
                      "again for rows that come late, around a change of the clocks; take the time zone out, or "
                      "refresh those days by hand with force => true")


def _names(aggregate: ContinuousAggregate) -> Iterator[str]:
    name = aggregate.full_name
    if len((aggregate.name + NEW).encode()) > LONGEST_BYTES:
        yield (f"{name}: building it anew needs the name with {NEW} after it, more than the {LONGEST_BYTES} bytes "
               "that PostgreSQL takes; shorten it")
    if aggregate.name.endswith((NEW, OLD)):
        yield f"{name}: names with {NEW} and {OLD} are those of aggregates being replaced; use another"
    for index in aggregate.indexes:
        if index.unique:
            yield f"{name}.{index.name}: an aggregate has no unique index; declare it without unique"


def _unreadable(aggregate: ContinuousAggregate) -> Iterator[str]:
    """Yield fields that are no interval."""
    bucket = aggregate_query.bucket(aggregate.query)
    texts: list[tuple[str, str | None]] = [("bucket", bucket.width)] if bucket else []
    texts.append(("chunk", aggregate.chunk))
    for part in (*refreshes.declared(aggregate), aggregate.compression, aggregate.retention):
        texts += [(field, getattr(part, field, None)) for field in ("start", "end", "after", "drop_after", "schedule",
                                                                    "recompress", *policies.INTERVALS)]
    yield from durations.unreadable(aggregate.full_name, texts)
    yield from policies.errors(aggregate.full_name, aggregate)


def _policies(aggregate: ContinuousAggregate) -> Iterator[str]:
    """Yield conflicts between the aggregate's own policies."""
    name, retention, compression = aggregate.full_name, aggregate.retention, aggregate.compression
    bucket = aggregate_query.bucket(aggregate.query)
    if aggregate.further_refreshes and aggregate.refresh is None:
        yield f"{name}.further_refreshes: there is no refresh; declare the first one as refresh"
    for refresh in refreshes.declared(aggregate):
        if refresh.start is not None and bucket:
            window = intervals.fixed_length(refresh.start) - intervals.fixed_length(refresh.end or "0")
            if window < 2 * intervals.fixed_length(bucket.width):
                yield (f"{name}.refresh: from {refresh.start} to {refresh.end or 'now'} is less than two buckets of "
                       f"{bucket.width}; start further back")
        if retention and retention.drop_after and _beyond(refresh.start, retention.drop_after):
            yield (f"{name}.refresh: it reaches {_back(refresh.start)}, retention drops buckets after "
                   f"{retention.drop_after}, and a refresh would compute them again; start the refresh later or "
                   "keep them longer")
    if compression and compression.recompress and intervals.length(compression.recompress)[0] == "integer":
        yield (f"{name}.compression: recompress needs the current time, and an aggregate over integer time has no "
               "function for it; leave recompress out, or recompress chunks by hand")
    if compression and compression.after and retention and retention.drop_after and \
            intervals.fixed_length(compression.after) >= intervals.fixed_length(retention.drop_after):
        yield (f"{name}: compression after {compression.after} never happens, retention drops buckets after "
               f"{retention.drop_after}; compress earlier")


def _sources(aggregate: ContinuousAggregate, objects: Sequence[Object]) -> list[Table | ContinuousAggregate]:
    """List the declared hypertables and aggregates that the query reads; a column may share the name of another."""
    read = aggregate_query.relations(aggregate.query)
    return [other for other in dependencies.needs(aggregate, objects) if other.name in read
            and (isinstance(other, ContinuousAggregate) or (isinstance(other, Table) and other.hypertable))]


def _buckets(aggregate: ContinuousAggregate, source: Table | ContinuousAggregate) -> Iterator[str]:
    """Yield a bucket that is no multiple of its source's."""
    upper = aggregate_query.bucket(aggregate.query)
    if not isinstance(source, ContinuousAggregate) or [*_unreadable(source)]:
        return
    lower = aggregate_query.bucket(source.query)
    if upper and lower and not _is_multiple(upper.width, lower.width):
        yield (f"{aggregate.full_name}: buckets of {upper.width} are not made of whole buckets of {lower.width}, which "
               f"{source.full_name} has; use a multiple of those")


def _is_multiple(upper: str, lower: str) -> bool:
    """Tell whether buckets of length `upper` consist of whole buckets of length `lower`."""
    (_, months, rest), (_, few, little) = intervals.length(upper), intervals.length(lower)
    if months and few:
        return not rest and not little and months % few == 0
    if months:
        return little > 0 and _DAY % little == 0
    return not few and little > 0 and rest >= little and rest % little == 0


def _refresh(aggregate: ContinuousAggregate, source: Table | ContinuousAggregate) -> Iterator[str]:
    """Yield refreshes that reach past the source's retention: a bucket without source rows would become empty."""
    name = aggregate.full_name
    if isinstance(source, Table) and source.row_security:
        yield (f"{name}: {source.full_name} has row-level security, and no aggregate can be made on that; leave out "
               "one of them")
    limit = source.retention.drop_after if source.retention else None
    for refresh in refreshes.declared(aggregate):
        if limit and _is_readable(limit) and _beyond(refresh.start, limit):
            yield (f"{name}.refresh: it reaches {_back(refresh.start)}, {source.full_name} keeps rows for {limit}: a "
                   f"refresh would erase the buckets of rows that are gone; start it at {limit} or later")
    if aggregate.refresh is None:
        return
    if isinstance(source, Table) and source.hypertable and source.hypertable.now is None:
        types = {column.name: column.type.lower() for column in source.columns}
        if types.get(source.hypertable.time) in INTEGERS:
            yield (f"{name}.refresh: {source.full_name} has an integer time column and no function that returns the "
                   "current time; declare now in its hypertable")


def _beyond(start: str | None, limit: str) -> bool:
    """Tell whether a refresh from `start` reaches further back than `limit`."""
    return start is None or intervals.fixed_length(start) > intervals.fixed_length(limit)


def _back(start: str | None) -> str:
    return "back to the beginning" if start is None else f"{start} back"


def _is_readable(text: str) -> bool:
    try:
        intervals.length(text)
    except DeclarationError:
        return False
    return True
