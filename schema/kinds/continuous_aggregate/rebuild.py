"""An aggregate built beside the live one, filled, and put in its place in one transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from schema.aggregates.aggregate_query import same
from schema.aggregates.live import (
    BUILDING,
    INDEXES,
    NEW,
    OLD,
    REPLACED,
    AggregateDiff,
    Dependant,
    Grant,
    as_table,
)
from schema.errors import UnsafeChangeError
from schema.kinds import index
from schema.kinds.continuous_aggregate import fill
from schema.model.names import ident, idents, literal
from schema.model.objects import ContinuousAggregate, Index, qualified
from schema.model.step import Action, Hazard, Step, Transaction


def create_sql(aggregate: ContinuousAggregate, name: str = "") -> str:
    """CREATE MATERIALIZED VIEW as SQL: nothing computed yet, and no index but those that are declared."""
    return (f"CREATE MATERIALIZED VIEW {ident(name or aggregate.full_name)} WITH (timescaledb.continuous, "
            f"timescaledb.materialized_only = {'false' if aggregate.real_time else 'true'}, "
            f"timescaledb.create_group_indexes = false) AS\n{aggregate.query.strip().removesuffix(';')}\nWITH NO DATA")


def create_step(diff: AggregateDiff) -> Step:
    """Create the aggregate over a source that has no rows yet."""
    return Step(Action.CREATE, diff.name, create_sql(diff.declared), "the aggregate does not exist")


def build_steps(diff: AggregateDiff) -> list[Step]:
    """Build the aggregate beside, compute it window by window, then give it the name; resumes what was interrupted."""
    _require_movable(diff)
    _require_ours(diff)
    declared, beside = diff.declared, diff.declared.full_name + NEW
    live = diff.live
    why = "the aggregate does not exist" if live is None else \
        "its source is built anew" if diff.context.source_rebuilt else "its query is another"
    found: list[Step] = []
    left = diff.context.building
    if left is None or not same(left.object.query, diff.canonical.query) or left.source != _source(diff):
        if left is not None:
            found.append(drop_beside(diff))
        text = f"{create_sql(declared, beside)};\nCOMMENT ON VIEW {ident(beside)} IS {literal(BUILDING)}"
        found.append(Step(Action.CREATE, diff.name, text, why, transaction=Transaction.OWN,
                          cost="ACCESS SHARE on the source, no scan"))
        left = None
    there = {each.name for each in left.object.indexes} if left else set()
    table = replace(as_table(declared), name=declared.name + NEW)
    found += [Step(Action.CREATE, f"{diff.name}.{each.name}", index.definition(table, each),
                   "the index is built with the aggregate", transaction=Transaction.OWN)
              for each in built_indexes(diff) if each.name not in there]
    windows = fill.windows_of(diff)
    done = diff.context.span.building_last if diff.context.span and left else None
    found += [fill.step(diff, beside, each, f"window {number} of {len(windows)}",
                                  last=number == len(windows))
              for number, each in enumerate(windows, 1)
              if done is None or each.until > done]  # type: ignore[operator]
    return [*found, _swap(diff)]


def built_indexes(diff: AggregateDiff) -> tuple[Index, ...]:
    """The indexes as they are built beside: under other names while the live aggregate's bear theirs."""
    taken = {each.name for each in diff.live.object.indexes} if diff.live else set()
    return tuple(replace(each, name=index.beside(each.name)) if each.name in taken else each
                 for each in diff.declared.indexes)


def drop_beside(diff: AggregateDiff) -> Step:
    """Drop what an interrupted build left and nobody needs any more."""
    _require_ours(diff)
    return Step(Action.DROP, diff.name, f"DROP MATERIALIZED VIEW {ident(diff.declared.full_name + NEW)}",
                "an interrupted build left it, for another query", transaction=Transaction.OWN)


def drop_old(name: str, hazards: tuple[Hazard, ...] = ()) -> Step:
    """Drop an aggregate that was replaced, once nothing stands on it."""
    return Step(Action.DROP, name.removesuffix(OLD), f"DROP MATERIALIZED VIEW {ident(name)}", "it was replaced",
                hazards,
                Transaction.OWN, "ACCESS EXCLUSIVE on it and on its source, no scan", last=True)


def hazards(diff: AggregateDiff) -> tuple[Hazard, ...]:
    """What is lost when the live aggregate gives way."""
    found = (Hazard.LOSES_HISTORY,) if diff.loses_history else ()
    live = diff.live
    names = {each.name for each in diff.canonical.indexes}
    extra = live is not None and any(each.name not in names and not live.owns_index(each.name)
                                     for each in live.object.indexes)
    return (*found, Hazard.DROPS_INDEX) if extra else found


def _source(diff: AggregateDiff) -> str:
    return diff.context.scratch.source if diff.context.scratch else ""


def _swap(diff: AggregateDiff) -> Step:
    """The new aggregate takes the name, the rights, the comment and the views of the old one."""
    declared, live = diff.declared, diff.live
    old, beside = declared.name + OLD, declared.full_name + NEW
    name = ident(declared.full_name)
    lines = []
    if live is not None:
        # Readers lock a view before the aggregate under it. So does this, or each would wait for the other; the option
        # comes back with the view.
        lines += [f"ALTER VIEW {ident(each.name)} RESET (security_barrier)" for each in live.dependants]
        lines.append(f"ALTER MATERIALIZED VIEW {name} RENAME TO {ident(old)}")
    lines.append(f"ALTER MATERIALIZED VIEW {ident(beside)} RENAME TO {ident(declared.name)}")
    taken = {each.name for each in live.object.indexes} if live else set()
    lines += [f"DROP INDEX {INDEXES}.{ident(each.name)}" for each in declared.indexes if each.name in taken]
    lines.append(f"COMMENT ON VIEW {name} IS {literal(declared.comment)}")
    if live is not None:
        lines.append(f"COMMENT ON VIEW {ident(qualified(declared.schema, old))} IS {literal(REPLACED)}")
        lines += _grants(live.grants, name)
        if diff.context.scratch and diff.context.scratch.owner != live.owner:
            lines.append(f"ALTER MATERIALIZED VIEW {name} OWNER TO {ident(live.owner)}")
        lines += [_view(each) for each in live.dependants]
    what = "it is complete" if live is None else \
        "it is complete: names are exchanged, rights and views kept" if live.dependants or live.grants else \
        "it is complete: names are exchanged"
    return Step(Action.REPLACE, diff.name, ";\n".join(lines), what, hazards(diff), Transaction.OWN,
                "ACCESS EXCLUSIVE, no scan")


def _grants(grants: tuple[Grant, ...], name: str) -> list[str]:
    """The rights, those of one role and kind in one statement."""
    groups: dict[tuple[str | None, bool], list[str]] = defaultdict(list)
    for each in grants:
        on = f" ({ident(each.column)})" if each.column else ""
        groups[each.grantee, each.grantable].append(f"{each.privilege}{on}")
    return [f"GRANT {', '.join(rights)} ON {name} TO {'PUBLIC' if grantee is None else ident(grantee)}"
            f"{' WITH GRANT OPTION' if grantable else ''}" for (grantee, grantable), rights in groups.items()]


def _view(each: Dependant) -> str:
    options = f" WITH ({', '.join(each.options)})" if each.options else ""
    return f"CREATE OR REPLACE VIEW {ident(each.name)}{options} AS {(each.query or '').strip().removesuffix(';')}"


def _require_movable(diff: AggregateDiff) -> None:
    """Raise UnsafeChangeError where something stands on the aggregate that cannot be moved to another."""
    if diff.live is None:
        return
    new = {each.name: each.type for each in diff.context.scratch.columns} if diff.context.scratch else {}
    old = {each.name: each.type for each in diff.live.columns}
    for each in diff.live.dependants:
        if each.kind != "view":
            raise UnsafeChangeError(f"{diff.name}: its query can only be changed by building it anew, and the "
                                    f"{each.kind} {each.name} stands on it by identity; drop that, apply, and create "
                                    "it again")
        lost = [name for name in each.columns if new.get(name) != old.get(name)] if new else []
        if lost:
            raise UnsafeChangeError(f"{diff.name}: the view {each.name} uses {idents(lost)}, which the new query "
                                    "has not, or with another type; change or drop the view first")


def _require_ours(diff: AggregateDiff) -> None:
    """Raise UnsafeChangeError where somebody's aggregate bears the name that the new one is built under."""
    for each, mark in ((diff.context.building, BUILDING), (diff.context.replaced, REPLACED)):
        if each is not None and each.object.comment != mark:
            raise UnsafeChangeError(f"{diff.name}: {each.object.full_name} exists, a name that building it anew "
                                    "needs, and was not made by that; rename or drop it")
