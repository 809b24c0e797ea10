"""A new aggregate that is built beside the live one, filled, and put in its place in one transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from schema.aggregates.aggregate_query import same
from schema.aggregates.live_aggregate import (
    BUILDING,
    INDEXES,
    NEW,
    OLD,
    REPLACED,
    AggregateDiff,
    Dependant,
    Grant,
    LiveAggregate,
    as_table,
)
from schema.errors import UnsafeChangeError
from schema.kinds import index
from schema.kinds.continuous_aggregate import fill
from schema.model import intervals
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.names import ident, idents, literal
from schema.model.objects import ContinuousAggregate, Index, qualified
from schema.model.table_options import bare_index, column_of


def create_sql(aggregate: ContinuousAggregate, name: str = "") -> str:
    """Return CREATE MATERIALIZED VIEW: nothing computed yet, and without TimescaleDB's own indexes."""
    return (f"CREATE MATERIALIZED VIEW {ident(name or aggregate.full_name)} WITH (timescaledb.continuous, "
            f"timescaledb.materialized_only = {'false' if aggregate.real_time else 'true'}, "
            f"timescaledb.create_group_indexes = false) AS\n{aggregate.query.strip().removesuffix(';')}\nWITH NO DATA")


def create_step(diff: AggregateDiff) -> Step:
    """Create the aggregate over a source that has no rows yet."""
    return Step(Action.CREATE, diff.name, create_sql(diff.declared), "the aggregate does not exist")


def build_steps(diff: AggregateDiff) -> list[Step]:
    """Build a new aggregate, compute it window by window, then swap the names; resumes an interrupted build."""
    _require_movable(diff)
    _require_ours(diff)
    declared, new_name = diff.declared, diff.declared.full_name + NEW
    live = diff.live
    why = "the aggregate does not exist" if live is None else \
        "its source is built anew" if diff.context.source_rebuilt else "its query is another"
    steps: list[Step] = []
    building = diff.context.building
    if building is None or not same(building.object.query, diff.canonical.query) or building.source != _source(diff):
        if building is not None:
            steps.append(drop_beside(diff))
        text = f"{create_sql(declared, new_name)};\nCOMMENT ON VIEW {ident(new_name)} IS {literal(BUILDING)}"
        if diff.canonical.chunk is not None:
            text += (f";\nSELECT set_chunk_time_interval({literal(ident(new_name))}, "
                     f"{intervals.sql(diff.canonical.chunk)})")
        steps.append(Step(Action.CREATE, diff.name, text, why, transaction=Transaction.OWN,
                          cost="ACCESS SHARE on the source, no scan"))
        building = None
    built = {index.name for index in building.object.indexes} if building else set()
    table = replace(as_table(declared), name=declared.name + NEW)
    steps += [Step(Action.CREATE, f"{diff.name}.{declared_index.name}", index.definition(table, declared_index),
                   "the index is built with the aggregate", transaction=Transaction.OWN)
              for declared_index in built_indexes(diff) if declared_index.name not in built]
    steps += [Step(Action.CREATE, diff.name, index.definition(table, kept), "the aggregate had this index, too",
                   transaction=Transaction.OWN) for kept in _kept_indexes(diff, building)]
    windows = fill.windows_of(diff)
    done = diff.context.span.building_last if diff.context.span and building else None
    steps += [fill.step(diff, new_name, declared_window, f"window {number} of {len(windows)}",
                                  last=number == len(windows))
              for number, declared_window in enumerate(windows, 1)
              if done is None or declared_window.until > done]  # type: ignore[operator]
    return [*steps, _swap(diff)]


def built_indexes(diff: AggregateDiff) -> tuple[Index, ...]:
    """Return the indexes of the new aggregate: under other names while the live aggregate's indexes have theirs."""
    taken = diff.live.index_names() if diff.live else set()
    return tuple(replace(declared, name=index.new_name(declared.name)) if declared.name in taken else declared
                 for declared in diff.declared.indexes)


def _kept_indexes(diff: AggregateDiff, building: LiveAggregate | None) -> list[Index]:
    """The indexes without a name of the live aggregate that the new one lacks; those on columns that go, too, go."""
    if diff.live is None:
        return []
    names = {column.name for column in diff.context.scratch.columns} if diff.context.scratch else set()
    present = {bare_index(index_) for index_ in building.object.indexes} if building else set()
    return [kept for kept in diff.live.carried_indexes(diff.canonical.indexes) if bare_index(kept) not in present
            and all(column_of(term) in names for term in kept.columns)]


def drop_beside(diff: AggregateDiff) -> Step:
    """Drop the unfinished aggregate that an interrupted build left and that nobody needs any more."""
    _require_ours(diff)
    return Step(Action.DROP, diff.name, f"DROP MATERIALIZED VIEW {ident(diff.declared.full_name + NEW)}",
                "an interrupted build left it, for another query", transaction=Transaction.OWN)


def drop_old(name: str, hazards: tuple[Hazard, ...] = ()) -> Step:
    """Drop an aggregate that was replaced, once nothing reads it."""
    return Step(Action.DROP, name.removesuffix(OLD), f"DROP MATERIALIZED VIEW {ident(name)}", "it was replaced",
                hazards,
                Transaction.OWN, "ACCESS EXCLUSIVE on it and on its source, no scan", last=True)


def hazards(diff: AggregateDiff) -> tuple[Hazard, ...]:
    """Return the hazards of replacing the live aggregate."""
    lost = (Hazard.LOSES_HISTORY,) if diff.loses_history else ()
    live = diff.live
    names = {index.name for index in diff.canonical.indexes}
    extra = live is not None and any(index.name not in names and not live.owns_index(index.name)
                                     for index in live.object.indexes)
    return (*lost, Hazard.DROPS_INDEX) if extra else lost


def _source(diff: AggregateDiff) -> str:
    return diff.context.scratch.source if diff.context.scratch else ""


def _swap(diff: AggregateDiff) -> Step:
    """The new aggregate takes the name, the rights, the comment and the views of the old one."""
    declared, live = diff.declared, diff.live
    old, new_name = declared.name + OLD, declared.full_name + NEW
    name = ident(declared.full_name)
    lines = []
    if live is not None:
        # Readers lock a view before the aggregate under it. So does this, or each would wait for the other; the option
        # comes back with the view.
        lines += [f"ALTER VIEW {ident(dependant.name)} RESET (security_barrier)" for dependant in live.dependants]
        lines.append(f"ALTER MATERIALIZED VIEW {name} RENAME TO {ident(old)}")
    lines.append(f"ALTER MATERIALIZED VIEW {ident(new_name)} RENAME TO {ident(declared.name)}")
    taken = live.index_names() if live else set()
    lines += [f"DROP INDEX {INDEXES}.{ident(index.name)}" for index in declared.indexes if index.name in taken]
    lines.append(f"COMMENT ON VIEW {name} IS {literal(declared.comment)}")
    if live is not None:
        lines.append(f"COMMENT ON VIEW {ident(qualified(declared.schema, old))} IS {literal(REPLACED)}")
        lines += _grants(live.grants, name)
        if diff.context.scratch and diff.context.scratch.owner != live.owner:
            lines.append(f"ALTER MATERIALIZED VIEW {name} OWNER TO {ident(live.owner)}")
        lines += [_view(dependant) for dependant in live.dependants]
    what = "it is complete" if live is None else \
        "it is complete: names are exchanged, rights and views kept" if live.dependants or live.grants else \
        "it is complete: names are exchanged"
    return Step(Action.REPLACE, diff.name, ";\n".join(lines), what, hazards(diff), Transaction.OWN,
                "ACCESS EXCLUSIVE, no scan")


def _grants(grants: tuple[Grant, ...], name: str) -> list[str]:
    """The rights, those of one role and kind in one statement."""
    groups: dict[tuple[str | None, bool], list[str]] = defaultdict(list)
    for grant in grants:
        on = f" ({ident(grant.column)})" if grant.column else ""
        groups[grant.grantee, grant.grantable].append(f"{grant.privilege}{on}")
    return [f"GRANT {', '.join(rights)} ON {name} TO {'PUBLIC' if grantee is None else ident(grantee)}"
            f"{' WITH GRANT OPTION' if grantable else ''}" for (grantee, grantable), rights in groups.items()]


def _view(dependant: Dependant) -> str:
    options = f" WITH ({', '.join(dependant.options)})" if dependant.options else ""
    query = (dependant.query or "").strip().removesuffix(";")
    return f"CREATE OR REPLACE VIEW {ident(dependant.name)}{options} AS {query}"


def _require_movable(diff: AggregateDiff) -> None:
    """Raise UnsafeChangeError where an object uses the aggregate that cannot be moved to a new one."""
    if diff.live is None:
        return
    new = {column.name: column.type for column in diff.context.scratch.columns} if diff.context.scratch else {}
    old = {column.name: column.type for column in diff.live.columns}
    for dependant in diff.live.dependants:
        if dependant.kind != "view":
            raise UnsafeChangeError(f"{diff.name}: its query can only be changed by building it anew, and the "
                                    f"{dependant.kind} {dependant.name} stands on it by identity; drop that, apply, "
                                    "and create it again")
        lost = [name for name in dependant.columns if new.get(name) != old.get(name)] if new else []
        if lost:
            raise UnsafeChangeError(f"{diff.name}: the view {dependant.name} uses {idents(lost)}, which the new query "
                                    "has not, or with another type; change or drop the view first")


def _require_ours(diff: AggregateDiff) -> None:
    """Raise UnsafeChangeError where an aggregate that is not ours has the name that the new one needs."""
    for leftover, mark in ((diff.context.building, BUILDING), (diff.context.replaced, REPLACED)):
        if leftover is not None and leftover.object.comment != mark:
            raise UnsafeChangeError(f"{diff.name}: {leftover.object.full_name} exists, a name that building it anew "
                                    "needs, and was not made by that; rename or drop it")
