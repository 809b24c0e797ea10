"""Continuous aggregates: their buckets, and the policies of theirs and of their source that would work against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from schema.aggregates import aggregate_query
from schema.aggregates.live import BESIDE, OLD
from schema.errors import DeclarationError
from schema.lint import durations
from schema.lint.finding import Finding, Lint
from schema.model import dependencies, intervals
from schema.model.names import LONGEST_BYTES
from schema.model.objects import ContinuousAggregate, Object, Table

INTEGERS = frozenset({"smallint", "integer", "bigint", "int", "int2", "int4", "int8"})
_DAY = intervals.fixed_length("1 day")


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """What TimescaleDB would refuse, and what would take history away."""
    taken: dict[str, str] = {}
    for each in objects:
        if not isinstance(each, ContinuousAggregate):
            continue
        yield from _names(each)
        for index in each.indexes:
            first = taken.setdefault(index.name, each.full_name)
            if first != each.full_name or [one.name for one in each.indexes].count(index.name) > 1:
                yield (f"{each.full_name}.{index.name}: the indexes of all aggregates share their names, and {first} "
                       "has this one; give it another")
        if aggregate_query.bucket(each.query) is None:
            yield f"{each.full_name}: the query groups by no time_bucket(width, time); add it"
            continue
        unreadable = [*_unreadable(each)]
        yield from unreadable
        if not unreadable:
            yield from _policies(each)
            for source in _sources(each, objects):
                yield from _buckets(each, source)
                yield from _refresh(each, source)


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Buckets that are computed again when they are in the columnstore already."""
    for each in objects:
        if isinstance(each, ContinuousAggregate) and each.compression and each.compression.after and each.refresh and \
                not [*_unreadable(each)] and _beyond(each.refresh.start, each.compression.after):
            yield Finding(Lint.REFRESHES_COLUMNSTORE, each.full_name, "compression",
                          f"buckets go to the columnstore after {each.compression.after} and are still refreshed "
                          f"{_back(each.refresh.start)}, which unpacks them; compress later or refresh less far back")


def _names(each: ContinuousAggregate) -> Iterator[str]:
    name = each.full_name
    if len((each.name + BESIDE).encode()) > LONGEST_BYTES:
        yield (f"{name}: building it anew needs the name with {BESIDE} after it, more than the {LONGEST_BYTES} bytes "
               "that PostgreSQL takes; shorten it")
    if each.name.endswith((BESIDE, OLD)):
        yield f"{name}: names with {BESIDE} and {OLD} are those of aggregates being replaced; use another"
    for index in each.indexes:
        if index.unique:
            yield f"{name}.{index.name}: an aggregate has no unique index; declare it without unique"


def _unreadable(each: ContinuousAggregate) -> Iterator[str]:
    """Durations that are no interval."""
    bucket = aggregate_query.bucket(each.query)
    texts: list[tuple[str, str | None]] = [("bucket", bucket.width)] if bucket else []
    for part in (each.refresh, each.compression, each.retention):
        texts += [(field, getattr(part, field, None)) for field in ("start", "end", "after", "drop_after", "schedule",
                                                                    "recompress")]
    yield from durations.unreadable(each.full_name, texts)


def _policies(each: ContinuousAggregate) -> Iterator[str]:
    """The aggregate's own policies against each other."""
    name, refresh, retention, compression = each.full_name, each.refresh, each.retention, each.compression
    bucket = aggregate_query.bucket(each.query)
    if refresh and refresh.start is not None and bucket:
        window = intervals.fixed_length(refresh.start) - intervals.fixed_length(refresh.end or "0")
        if window < 2 * intervals.fixed_length(bucket.width):
            yield (f"{name}.refresh: from {refresh.start} to {refresh.end or 'now'} is less than two buckets of "
                   f"{bucket.width}; start further back")
    if refresh and retention and _beyond(refresh.start, retention.drop_after):
        yield (f"{name}.refresh: it reaches {_back(refresh.start)}, retention drops buckets after "
               f"{retention.drop_after}, and they would be computed again; start the refresh later or keep them longer")
    if compression and compression.recompress and intervals.length(compression.recompress)[0] == "integer":
        yield (f"{name}.compression: nothing tells the present of an aggregate that counts time in integers, by which "
               "recompress reaches back; leave it out, or compress its chunks anew by hand")
    if compression and compression.after and retention and \
            intervals.fixed_length(compression.after) >= intervals.fixed_length(retention.drop_after):
        yield (f"{name}: compression after {compression.after} never happens, retention drops buckets after "
               f"{retention.drop_after}; compress earlier")


def _sources(each: ContinuousAggregate, objects: Sequence[Object]) -> list[Table | ContinuousAggregate]:
    """The declared hypertables and aggregates that the query reads."""
    return [other for other in dependencies.needs(each, objects)
            if isinstance(other, ContinuousAggregate) or (isinstance(other, Table) and other.hypertable)]


def _buckets(each: ContinuousAggregate, source: Table | ContinuousAggregate) -> Iterator[str]:
    """Buckets upon buckets: each is made of whole ones."""
    upper = aggregate_query.bucket(each.query)
    if not isinstance(source, ContinuousAggregate) or [*_unreadable(source)]:
        return
    lower = aggregate_query.bucket(source.query)
    if upper and lower and not _is_made_of(upper.width, lower.width):
        yield (f"{each.full_name}: buckets of {upper.width} are not made of whole buckets of {lower.width}, which "
               f"{source.full_name} has; use a multiple of those")


def _is_made_of(upper: str, lower: str) -> bool:
    (_, months, rest), (_, few, little) = intervals.length(upper), intervals.length(lower)
    if months and few:
        return not rest and not little and months % few == 0
    if months:
        return little > 0 and _DAY % little == 0
    return not few and little > 0 and rest >= little and rest % little == 0


def _refresh(each: ContinuousAggregate, source: Table | ContinuousAggregate) -> Iterator[str]:
    """What the source keeps against what the refresh asks of it: a bucket whose rows are gone would come back empty."""
    name, refresh = each.full_name, each.refresh
    if isinstance(source, Table) and source.row_security:
        yield (f"{name}: {source.full_name} has row-level security, and no aggregate can be made on that; leave out "
               "one of them")
    if refresh is None:
        return
    if source.retention and _is_readable(source.retention.drop_after) and \
            _beyond(refresh.start, source.retention.drop_after):
        yield (f"{name}.refresh: it reaches {_back(refresh.start)}, {source.full_name} keeps rows for "
               f"{source.retention.drop_after}: a refresh would erase the buckets of rows that are gone; start it at "
               f"{source.retention.drop_after} or later")
    if isinstance(source, Table) and source.hypertable and source.hypertable.now is None:
        types = {column.name: column.type.lower() for column in source.columns}
        if types.get(source.hypertable.time) in INTEGERS:
            yield (f"{name}.refresh: {source.full_name} counts time in integers, and nothing tells the present; "
                   "declare now in its hypertable")


def _beyond(start: str | None, limit: str) -> bool:
    """Whether a refresh from `start` reaches back behind `limit`."""
    return start is None or intervals.fixed_length(start) > intervals.fixed_length(limit)


def _back(start: str | None) -> str:
    return "back to the beginning" if start is None else f"{start} back"


def _is_readable(text: str) -> bool:
    try:
        intervals.length(text)
    except DeclarationError:
        return False
    return True
