"""Continuous aggregates: created, canonicalised, and changed in the way that costs least on this server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.aggregates.live_aggregate import (
    BUILDING,
    INDEXES,
    OLD,
    REPLACED,
    AggregateContext,
    AggregateDiff,
    LiveAggregate,
    as_table,
)
from schema.capabilities import RENAMES_IN_QUERY
from schema.catalog.readers.timescaledb import aggregates
from schema.errors import UnsupportedError
from schema.kinds import columnstore, comment, index, index_targets, policy, refresh, retention
from schema.kinds.continuous_aggregate import columns, rebuild
from schema.kinds.kind import Drop, Kind, ServerWords, nothing_alone
from schema.model import intervals
from schema.model.change.renames import step as rename_step
from schema.model.change.step import Action, Hazard, Step, Transaction, split_allowed
from schema.model.live.tables import Weight
from schema.model.names import ident, literal
from schema.model.objects import ContinuousAggregate, Index
from schema.model.table_options import bare_index, targets


def creation(aggregate: ContinuousAggregate) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the aggregate, empty, with the indexes that have expressions."""
    yield aggregate.full_name, rebuild.create_sql(aggregate)
    for declared_index in aggregate.indexes:
        if index.plain(declared_index) is None:
            yield declared_index.name, index.definition(as_table(aggregate), _scratch_index(aggregate, declared_index))


def canonicalise(aggregate: ContinuousAggregate, scratch: LiveAggregate) -> ContinuousAggregate:
    """Return the declared aggregate as the server spelled the scratch one."""
    created = {index.name: index for index in scratch.object.indexes}
    indexes = tuple(
        index.plain(declared) or replace(created[_scratch_index(aggregate, declared).name], name=declared.name,
                                         comment=declared.comment, statistics=targets(declared.statistics))
        for declared in aggregate.indexes)
    return replace(aggregate, query=scratch.object.query, indexes=indexes)


def _scratch_index(aggregate: ContinuousAggregate, declared: Index) -> Index:
    """The index under a scratch name: the indexes of all aggregates share one schema, the live ones, too."""
    place = aggregate.indexes.index(declared)
    return replace(declared, name=f"words_{aggregate.name[:45]}_{place}")


def steps(diff: AggregateDiff) -> tuple[list[Step], list[str]]:
    """Make the live aggregate the declared one with all its parts; no step where it is as declared."""
    steps: list[Step] = []
    warnings: list[str] = []
    change = diff.context.change
    span = diff.context.span
    if diff.live is None and span and span.first is not None:
        steps += rebuild.build_steps(diff)
        diff = _once_built(diff)
    elif diff.live is None:
        steps.append(rebuild.create_step(diff))
        diff = _once_created(diff)
    else:
        if diff.context.former_name:
            steps.append(replace(rename_step("MATERIALIZED VIEW", diff.context.former_name, diff.declared),
                                 transaction=Transaction.OWN))
        if change.rebuilt:
            steps += rebuild.build_steps(diff)
            diff = _once_built(diff)
        else:
            if change.renamed and diff.context.timescaledb < RENAMES_IN_QUERY:
                # Once a column is renamed, the server can no longer switch it.
                steps += _real_time(diff)
                switched = replace(diff.present.object, real_time=diff.canonical.real_time)
                diff = diff.with_live(replace(diff.present, object=switched))
            steps += columns.rename_steps(diff, change)
            added, warnings = columns.add_steps(diff, change)
            steps += added
            if diff.context.building is not None and diff.context.building.object.comment == BUILDING:
                steps.append(rebuild.drop_beside(diff))
            undeclared, further = _undeclared(diff)
            steps += undeclared
            warnings += further
    dropping, further = _drop_old(diff, rebuilt=change.rebuilt)
    return [*steps, *_parts(diff), *dropping], [*warnings, *further]


def _parts(diff: AggregateDiff) -> list[Step]:
    """The steps for the parts of the aggregate; some of them are parts of its hypertable."""
    table = diff.as_table()
    indexes = index.steps(table)
    # The refresh policy first: TimescaleDB 2.23 takes no columnstore policy without one.
    return [*_real_time(diff), *_chunk(diff), *indexes, *index_targets.steps(table, indexes), *refresh.steps(diff),
            *columnstore.steps(table), *retention.steps(table), *_comments(diff)]


def _once_created(diff: AggregateDiff) -> AggregateDiff:
    bare = replace(diff.canonical, indexes=(), compression=None, retention=None, refresh=None, further_refreshes=(),
                   chunk=None, comment=None)
    return diff.with_live(LiveAggregate(bare))


def _once_built(diff: AggregateDiff) -> AggregateDiff:
    """The diff as it stands once the new aggregate has the name: with its indexes, without policies."""
    built = rebuild.built_indexes(diff)
    indexes = tuple(replace(index_, name=built_index.name, comment=None, statistics=())
                    for index_, built_index in zip(diff.canonical.indexes, built, strict=True))
    bare = replace(diff.canonical, indexes=indexes, compression=None, retention=None, refresh=None,
                   further_refreshes=())
    old = diff.live
    return diff.with_live(LiveAggregate(bare, above=old.above if old else ()), weight=Weight(has_rows=True),
                          columnstore=())


def _chunk(diff: AggregateDiff) -> list[Step]:
    wanted, live = diff.canonical.chunk, diff.present.object.chunk
    if wanted is None or wanted == live:
        return []
    return [Step(Action.ALTER, f"{diff.name}.chunk", f"SELECT set_chunk_time_interval({literal(ident(diff.name))}, "
                 f"{intervals.sql(wanted)})", f"chunks span {live or 'what TimescaleDB chose'}; those that exist stay "
                 "as they are", transaction=diff.as_table().transaction)]


def _real_time(diff: AggregateDiff) -> list[Step]:
    declared, live = diff.declared, diff.present.object
    if declared.real_time == live.real_time:
        return []
    stale = [column.name for column in diff.present.columns if column.stale]
    if stale and diff.context.timescaledb < RENAMES_IN_QUERY:
        raise UnsupportedError(
            f"{diff.name}.real_time: {', '.join(stale)} was renamed, and TimescaleDB "
            f"{'.'.join(map(str, diff.context.timescaledb))} cannot switch it after that "
            f"({'.'.join(map(str, RENAMES_IN_QUERY))} required); update TimescaleDB, or leave real_time as it is")
    why = "it computes what is not materialized yet" if live.real_time else "it shows only what is materialized"
    return [Step(Action.ALTER, diff.name, f"ALTER MATERIALIZED VIEW {ident(diff.name)} SET "
                                  f"(timescaledb.materialized_only = {'false' if declared.real_time else 'true'})", why,
                 transaction=Transaction.OWN, cost="ACCESS EXCLUSIVE, no scan")]


def _comments(diff: AggregateDiff) -> list[Step]:
    declared, live = diff.declared, diff.present.object
    comments = {index.name: index.comment for index in live.indexes}
    steps = [comment.step(f"VIEW {ident(diff.name)}", diff.name, declared.comment, live.comment)]
    steps += [comment.step(f"INDEX {INDEXES}.{ident(index.name)}", f"{diff.name}.{index.name}",
                           index.comment, comments.get(index.name)) for index in declared.indexes]
    return [step for step in steps if step is not None]


def _undeclared(diff: AggregateDiff) -> tuple[list[Step], list[str]]:
    """Drop undeclared indexes and policies by creation where that is allowed; indexes without a name of their own are
    never touched."""
    table = diff.as_table()
    names = {index.name for index in diff.canonical.indexes}
    names |= {index.new_name(name) for name in names}
    existing = {index.name for index in diff.present.object.indexes}
    nameless = {bare_index(index) for index in diff.canonical.indexes if index.name not in existing}
    extra = policy.undeclared(table)
    extra += [index.drop_step(table, live_index.name) for live_index in diff.present.object.indexes
             if live_index.name not in names and not diff.present.owns_index(live_index.name)
             and bare_index(live_index) not in nameless]
    steps, warnings = split_allowed(extra, diff.allowed)
    return steps, warnings + refresh.left_in_place(diff)


def _drop_old(diff: AggregateDiff, *, rebuilt: bool) -> tuple[list[Step], list[str]]:
    """Drop what was replaced, last of all; it stays, with a warning, where other aggregates still read it."""
    old = diff.declared.full_name + OLD
    steps: list[Step] = []
    warnings: list[str] = []
    interrupted = diff.context.replaced is not None and diff.context.replaced.object.comment == REPLACED
    if (rebuilt or interrupted) and diff.context.staying:
        readers = ", ".join(diff.context.staying)
        warnings.append(f"{old} was replaced and was left in place, for {readers} stands on it; "
                        "apply that, too, or drop it")
    elif rebuilt or interrupted:
        steps.append(rebuild.drop_old(old))
    if diff.context.old_source:
        steps.append(rebuild.drop_old(diff.context.old_source))
    return steps, warnings


KIND = Kind(
    ContinuousAggregate, resource="schema:ContinuousAggregate", page="continuous-aggregate.md", read=aggregates.read,
    server_words=ServerWords(creation, canonicalise), steps=steps, lint=nothing_alone,
    diff=AggregateDiff, context=AggregateContext,
    choose=lambda canonical, live, _: live.named_like(canonical),
    drops=(Drop("aggregate", "DROP MATERIALIZED VIEW {}", Hazard.DROPS_AGGREGATE, first=True),))
