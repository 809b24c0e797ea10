"""Comparisons of continuous aggregates completed: what is built anew, what moves with it, and what there is to compute.

An aggregate that is built anew takes those that stand on it along: they, too, are built anew, on the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.aggregates import aggregate_query
from schema.aggregates.live import BESIDE, OLD, REPLACED, AggregateComparison, LiveAggregate, bucket_of
from schema.canonical import normalising
from schema.capabilities import Capabilities
from schema.catalog.readers import aggregates
from schema.catalog.readers.weights import read_columnstore
from schema.kinds import columnstore
from schema.kinds.continuous_aggregate.query_change import change_of, lost_history
from schema.model.live import Compared, Comparison, Live
from schema.model.objects import ContinuousAggregate, Object

Key = tuple[type[Object], str]
Comparisons = list[Compared[Any, Any]]


def attached(comparisons: Comparisons, live: Mapping[Key, Live]) -> Comparisons:
    """The comparisons with what interrupted rebuilds left and with the scratch aggregates, whose columns have types.

    Columns of tables that get their declared names first are called so in live queries already.
    """
    columns = _renamed_columns(comparisons)
    return [_attached(each, live, columns) if isinstance(each, AggregateComparison) else each
            for each in comparisons]


def completed(connection: Connection[Any], capabilities: Capabilities, comparisons: Comparisons) -> Comparisons:
    """The comparisons with all that planning needs; asks only for aggregates that differ, in three queries or four."""
    if not any(isinstance(each, AggregateComparison) for each in comparisons):
        return comparisons
    found = _moved(comparisons)
    mine = _with_columnstore(connection, [each for each in found if isinstance(each, AggregateComparison)])
    weights = aggregates.read_weights(connection, {
        name: (each.present, each.declared.retention.drop_after if each.declared.retention else None)
        for name, each in mine.items() if each.live and _differs(each)})
    mine = {name: each.with_live(replace(each.present, weight=weights[name])) if name in weights else each
            for name, each in mine.items()}
    mine = _with_spans(connection, mine, found)
    mine = _with_leftovers(connection, capabilities, mine)
    return [mine.get(each.name, each) if isinstance(each, AggregateComparison) else each for each in found]


def _with_columnstore(connection: Connection[Any],
                      comparisons: Sequence[AggregateComparison]) -> dict[str, AggregateComparison]:
    """The comparisons by name, with the compressed chunks of those aggregates that may have them compressed anew."""
    tables, limits = {}, {}
    for each in comparisons:
        limit = columnstore.limit(each.as_table()) if each.live else None
        if limit:
            schema, _, name = each.present.relation.partition(".")
            tables[each.present.relation] = replace(each.as_table().present.table, name=name, schema=schema)
            limits[each.present.relation] = limit
    chunks = read_columnstore(connection, tables, limits)
    return {each.name: each.with_live(replace(each.live, columnstore=chunks.get(each.live.relation, ())))
            if each.live else each for each in comparisons}


def _attached(each: AggregateComparison, live: Mapping[Key, Live],
              columns: Mapping[str, Mapping[str, str]]) -> AggregateComparison:
    def found(name: str) -> LiveAggregate | None:
        value = live.get((ContinuousAggregate, name))
        return value if isinstance(value, LiveAggregate) else None

    each = _over_renamed(each, columns)
    made = each.made and replace(each.made, source=each.made.source.removeprefix("public."))
    return replace(each, beside=found(each.name + BESIDE), old=found(each.name + OLD), made=made)


def _over_renamed(each: AggregateComparison, columns: Mapping[str, Mapping[str, str]]) -> AggregateComparison:
    """The comparison as it stands once the columns of the source bear their new names."""
    there = each.live
    names = columns.get(there.source, {}) if there else {}
    parsed = aggregate_query.parse(there.object.query) if there and names else None
    if there is None or parsed is None:
        return each
    there = replace(there, object=replace(there.object, query=parsed.with_source_columns(names).text()))
    return replace(each, live=there, wanted=normalising.settle(each.wanted, there.object))


def _renamed_columns(comparisons: Iterable[Compared[Any, Any]]) -> dict[str, dict[str, str]]:
    """New names by old ones of the columns that are about to be renamed, by table."""
    found: dict[str, dict[str, str]] = {}
    for each in comparisons:
        if isinstance(each, Comparison) and each.live:
            there = {column.name for column in each.live.table.columns}
            found[each.name] = {column.renamed_from: column.name for column in each.declared.columns
                                if column.renamed_from in there and column.renamed_from and column.name not in there}
    return {name: columns for name, columns in found.items() if columns}


def _moved(comparisons: Comparisons) -> Comparisons:
    """The comparisons with those marked whose source is, or was, built anew."""
    rebuilt: set[str] = set()
    columns: dict[str, Mapping[str, str]] = {}
    found: Comparisons = []
    for each in comparisons:
        if isinstance(each, AggregateComparison):
            each = _over_renamed(each, columns)  # noqa: PLW2901
            if each.live and each.made:
                source, wanted = each.live.source, each.made.source
                beside = each.beside
                if beside and source in rebuilt:  # it reads what is about to be replaced
                    beside = replace(beside, source=source + OLD)
                each = replace(each, moves=source in rebuilt or source == wanted + OLD, beside=beside)  # noqa: PLW2901
            change = change_of(each)
            columns[each.name] = change.renamed
            if change.rebuilt:
                rebuilt.add(each.name)
        found.append(each)
    return found


def _differs(each: AggregateComparison) -> bool:
    live = each.present
    jobs = [job.procedure for job in live.jobs]
    names = {index.name for index in each.wanted.indexes}
    extra = any(index.name not in names and not live.owns_index(index.name) for index in live.object.indexes)
    unfilled = any(column.unfilled is not None for column in live.columns)
    unfinished = live.invalid or columnstore.stale(each.as_table()) or len(jobs) > len(set(jobs)) or unfilled
    return bool(extra or unfinished or each.moves or each.renamed or not normalising.equal(each.wanted, live.object))


def _with_spans(connection: Connection[Any], mine: Mapping[str, AggregateComparison],
                comparisons: Sequence[Compared[Any, Any]]) -> dict[str, AggregateComparison]:
    former = {each.name: each.renamed for each in comparisons if each.renamed}
    columns = _renamed_columns(comparisons)
    asked = {}
    for name, each in mine.items():
        if each.made and _computes(each):
            source, time = each.made.source, bucket_of(each.made.object).time
            back = {new: old for old, new in columns.get(source, {}).items()}
            asked[name] = (former.get(source) or source, back.get(time, time), each.live, each.beside)
    spans = aggregates.read_spans(connection, asked)
    found = {name: replace(each, span=spans.get(name)) for name, each in mine.items()}
    for name, each in found.items():
        below = found.get(each.live.source) if each.live else None
        if below and each.moves and lost_history(below) and each.span and below.span:
            found[name] = replace(each, span=replace(each.span, first=below.span.first, last=below.span.last))
    return found


def _computes(each: AggregateComparison) -> bool:
    """Whether buckets have to be computed to make the aggregate the declared one."""
    change = change_of(each)
    return each.live is None or change.rebuilt or bool(change.added) or \
        any(column.unfilled is not None for column in each.live.columns)


def _with_leftovers(connection: Connection[Any], capabilities: Capabilities,
                    mine: Mapping[str, AggregateComparison]) -> dict[str, AggregateComparison]:
    """Say who stays on what is replaced, and which replaced source nobody but the plan's own aggregates stands on."""
    leaving: set[str] = set()  # the aggregates that will stand on nothing replaced once the plan is done
    found = dict(mine)
    for name, each in reversed(list(mine.items())):  # what stands on others comes after them, and goes before them
        rebuilt = change_of(each).rebuilt
        above = each.present.above if rebuilt else each.old.above if each.old else ()
        staying = tuple(other for other in above if other not in leaving)
        found[name] = replace(each, staying=staying)
        if not staying and (rebuilt or _replaced(each.old)):
            leaving.add((each.renamed or name) if rebuilt else name + OLD)
    for source, name in _old_sources(mine).items():
        schema, _, plain = source.rpartition(".")
        old = aggregates.read(connection, capabilities, schema or "public", [plain]).get(plain)
        if old and _replaced(old) and leaving.issuperset(old.above):
            found[name] = replace(found[name], old_source=source)
    return found


def _old_sources(mine: Mapping[str, AggregateComparison]) -> dict[str, str]:
    """Replaced sources that the plan does not otherwise know, each with the first aggregate that stood on it."""
    found: dict[str, str] = {}
    for name, each in mine.items():
        for live in (each.live if each.moves else None, each.old if _replaced(each.old) else None):
            if live and live.source.endswith(OLD) and live.source.removesuffix(OLD) not in mine:
                found.setdefault(live.source, name)
    return found


def _replaced(old: LiveAggregate | None) -> bool:
    return old is not None and old.object.comment == REPLACED
