"""Continuous aggregates: created, changed by the gentlest way the server has, and put into its words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schema.aggregates.live import (
    BUILDING,
    INDEXES,
    OLD,
    REPLACED,
    AggregateContext,
    AggregateDiff,
    LiveAggregate,
    as_table,
)
from schema.catalog.readers import aggregates
from schema.kinds import columnstore, comment, index, refresh, retention
from schema.kinds.continuous_aggregate import columns, rebuild
from schema.kinds.kind import Drop, Kind, ServerWords, nothing_alone
from schema.model.live import Weight
from schema.model.names import ident
from schema.model.objects import ContinuousAggregate, Index
from schema.model.renames import step as rename_step
from schema.model.step import Action, Hazard, Step, Transaction


def creation(aggregate: ContinuousAggregate) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the aggregate, empty, where its source is, with the indexes that have expressions."""
    yield aggregate.full_name, rebuild.create_sql(aggregate)
    for each in aggregate.indexes:
        if index.plain(each) is None:
            yield each.name, index.definition(as_table(aggregate), _made(aggregate, each))


def canonicalise(aggregate: ContinuousAggregate, found: LiveAggregate) -> ContinuousAggregate:
    """The declared aggregate with the words of the one that was made of it."""
    made = {each.name: each for each in found.object.indexes}
    indexes = tuple(index.plain(each) or replace(made[_made(aggregate, each).name], name=each.name,
                                                 comment=each.comment) for each in aggregate.indexes)
    return replace(aggregate, query=found.object.query, indexes=indexes)


def _made(aggregate: ContinuousAggregate, each: Index) -> Index:
    """The index as it is made only to be read: all indexes of aggregates share one schema, the live ones, too."""
    place = aggregate.indexes.index(each)
    return replace(each, name=f"words_{aggregate.name[:45]}_{place}")


def steps(diff: AggregateDiff) -> tuple[list[Step], list[str]]:
    """Make the live aggregate the declared one, with all that hangs on it."""
    found: list[Step] = []
    said: list[str] = []
    change = diff.context.change
    span = diff.context.span
    if diff.live is None and span and span.first is not None:
        found += rebuild.build_steps(diff)
        diff = _once_built(diff)
    elif diff.live is None:
        found.append(rebuild.create_step(diff))
        diff = _once_created(diff)
    else:
        if diff.context.former_name:
            found.append(replace(rename_step("MATERIALIZED VIEW", diff.context.former_name, diff.declared),
                                 transaction=Transaction.OWN))
        if change.rebuilt:
            found += rebuild.build_steps(diff)
            diff = _once_built(diff)
        else:
            found += columns.rename_steps(diff, change)
            added, said = columns.add_steps(diff, change)
            found += added
            if diff.context.building is not None and diff.context.building.object.comment == BUILDING:
                found.append(rebuild.drop_beside(diff))
            undeclared, more = _undeclared_indexes(diff)
            found += undeclared
            said += more
    dropping, more = _drop_old(diff, rebuilt=change.rebuilt)
    return [*found, *_parts(diff), *dropping], [*said, *more]


def _parts(diff: AggregateDiff) -> list[Step]:
    """The steps for what hangs on the aggregate; its hypertable takes those that tables have, too."""
    table = diff.as_table()
    # The refresh policy first: TimescaleDB 2.23 takes no columnstore policy without one.
    return [*_real_time(diff), *index.steps(table), *refresh.steps(diff), *columnstore.steps(table),
            *retention.steps(table), *_comments(diff)]


def _once_created(diff: AggregateDiff) -> AggregateDiff:
    bare = replace(diff.canonical, indexes=(), compression=None, retention=None, refresh=None, comment=None)
    return diff.with_live(LiveAggregate(bare))


def _once_built(diff: AggregateDiff) -> AggregateDiff:
    """As it stands once the one built beside has the name: with its indexes, without policies."""
    built = rebuild.built_indexes(diff)
    indexes = tuple(replace(each, name=one.name, comment=None)
                    for each, one in zip(diff.canonical.indexes, built, strict=True))
    bare = replace(diff.canonical, indexes=indexes, compression=None, retention=None, refresh=None)
    old = diff.live
    return diff.with_live(LiveAggregate(bare, above=old.above if old else ()), weight=Weight(has_rows=True),
                          columnstore=())


def _real_time(diff: AggregateDiff) -> list[Step]:
    declared, live = diff.declared, diff.present.object
    if declared.real_time == live.real_time:
        return []
    why = "it computes what is not materialized yet" if live.real_time else "it shows only what is materialized"
    return [Step(Action.ALTER, diff.name, f"ALTER MATERIALIZED VIEW {ident(diff.name)} SET "
                                  f"(timescaledb.materialized_only = {'false' if declared.real_time else 'true'})", why,
                 transaction=Transaction.OWN, cost="ACCESS EXCLUSIVE, no scan")]


def _comments(diff: AggregateDiff) -> list[Step]:
    declared, live = diff.declared, diff.present.object
    comments = {each.name: each.comment for each in live.indexes}
    found = [comment.step(f"VIEW {ident(diff.name)}", diff.name, declared.comment, live.comment)]
    found += [comment.step(f"INDEX {INDEXES}.{ident(each.name)}", f"{diff.name}.{each.name}",
                           each.comment, comments.get(each.name)) for each in declared.indexes]
    return [step for step in found if step is not None]


def _undeclared_indexes(diff: AggregateDiff) -> tuple[list[Step], list[str]]:
    """Drop indexes that nobody declares where that is allowed; those of TimescaleDB's own making are never touched."""
    table = diff.as_table()
    names = {each.name for each in diff.canonical.indexes}
    names |= {index.beside(name) for name in names}
    nameless = {replace(each, name="", comment=None) for each in diff.canonical.indexes
                if each.name not in {one.name for one in diff.present.object.indexes}}
    extra = [index.drop_step(table, each.name) for each in diff.present.object.indexes
             if each.name not in names and not diff.present.owns_index(each.name)
             and replace(each, name="", comment=None) not in nameless]
    steps = [step for step in extra if all(hazard in diff.allowed for hazard in step.hazards)]
    return steps, [f"{step.object} is not declared and was left in place; declare it, or allow {step.hazards[0]} to "
                   "drop it" for step in extra if step not in steps]


def _drop_old(diff: AggregateDiff, *, rebuilt: bool) -> tuple[list[Step], list[str]]:
    """Drop what was replaced, last of all; what others still stand on stays, and is told."""
    old = diff.declared.full_name + OLD
    found: list[Step] = []
    said: list[str] = []
    left = diff.context.replaced is not None and diff.context.replaced.object.comment == REPLACED
    if (rebuilt or left) and diff.context.staying:
        said.append(f"{old} was replaced and was left in place, for {', '.join(diff.context.staying)} stands on it; "
                    "apply that, too, or drop it")
    elif rebuilt or left:
        found.append(rebuild.drop_old(old))
    if diff.context.old_source:
        found.append(rebuild.drop_old(diff.context.old_source))
    return found, said


KIND = Kind(
    ContinuousAggregate, resource="schema:ContinuousAggregate", page="continuous-aggregate.md", read=aggregates.read,
    server_words=ServerWords(creation, canonicalise), steps=steps, lint=nothing_alone,
    diff=AggregateDiff, context=AggregateContext,
    drops=(Drop("aggregate", "DROP MATERIALIZED VIEW {}", Hazard.DROPS_AGGREGATE, first=True),))
