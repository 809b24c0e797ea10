"""An aggregate built beside the live one, filled, and put in its place in one transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from schema.aggregates.aggregate_query import same
from schema.aggregates.live import (
    BESIDE,
    BUILDING,
    INDEXES,
    OLD,
    REPLACED,
    AggregateComparison,
    Dependant,
    Grant,
    as_table,
)
from schema.errors import UnsafeChangeError
from schema.kinds import index
from schema.kinds.continuous_aggregate import fill
from schema.kinds.continuous_aggregate.query_change import lost_history
from schema.model.names import ident, idents, literal
from schema.model.objects import ContinuousAggregate, Index, qualified
from schema.model.step import Action, Hazard, Step, Transaction


def create_sql(aggregate: ContinuousAggregate, name: str = "") -> str:
    """CREATE MATERIALIZED VIEW as SQL: nothing computed yet, and no index but those that are declared."""
    return (f"CREATE MATERIALIZED VIEW {ident(name or aggregate.full_name)} WITH (timescaledb.continuous, "
            f"timescaledb.materialized_only = {'false' if aggregate.real_time else 'true'}, "
            f"timescaledb.create_group_indexes = false) AS\n{aggregate.query.strip().removesuffix(';')}\nWITH NO DATA")


def create_step(comparison: AggregateComparison) -> Step:
    """Create the aggregate over a source that has no rows yet."""
    return Step(Action.CREATE, comparison.name, create_sql(comparison.declared), "the aggregate does not exist")


def build_steps(comparison: AggregateComparison) -> list[Step]:
    """Build the aggregate beside, compute it window by window, then give it the name; resumes what was interrupted."""
    _require_movable(comparison)
    _require_ours(comparison)
    declared, beside = comparison.declared, comparison.declared.full_name + BESIDE
    live = comparison.live
    why = "the aggregate does not exist" if live is None else \
        "its source is built anew" if comparison.moves else "its query is another"
    found: list[Step] = []
    left = comparison.beside
    if left is None or not same(left.object.query, comparison.wanted.query) or left.source != _source(comparison):
        if left is not None:
            found.append(drop_beside(comparison))
        text = f"{create_sql(declared, beside)};\nCOMMENT ON VIEW {ident(beside)} IS {literal(BUILDING)}"
        found.append(Step(Action.CREATE, comparison.name, text, why, transaction=Transaction.OWN,
                          cost="ACCESS SHARE on the source, no scan"))
        left = None
    there = {each.name for each in left.object.indexes} if left else set()
    table = replace(as_table(declared), name=declared.name + BESIDE)
    found += [Step(Action.CREATE, f"{comparison.name}.{each.name}", index.definition(table, each),
                   "the index is built with the aggregate", transaction=Transaction.OWN)
              for each in built_indexes(comparison) if each.name not in there]
    windows = fill.windows_of(comparison)
    done = comparison.span.beside_last if comparison.span and left else None
    found += [fill.step(comparison, beside, each, f"window {number} of {len(windows)}",
                                  last=number == len(windows))
              for number, each in enumerate(windows, 1)
              if done is None or each.until > done]  # type: ignore[operator]
    return [*found, _swap(comparison)]


def built_indexes(comparison: AggregateComparison) -> tuple[Index, ...]:
    """The indexes as they are built beside: under other names while the live aggregate's bear theirs."""
    taken = {each.name for each in comparison.live.object.indexes} if comparison.live else set()
    return tuple(replace(each, name=index.beside(each.name)) if each.name in taken else each
                 for each in comparison.declared.indexes)


def drop_beside(comparison: AggregateComparison) -> Step:
    """Drop what an interrupted build left and nobody needs any more."""
    _require_ours(comparison)
    return Step(Action.DROP, comparison.name, f"DROP MATERIALIZED VIEW {ident(comparison.declared.full_name + BESIDE)}",
                "an interrupted build left it, for another query", transaction=Transaction.OWN)


def drop_old(name: str, hazards: tuple[Hazard, ...] = ()) -> Step:
    """Drop an aggregate that was replaced, once nothing stands on it."""
    return Step(Action.DROP, name.removesuffix(OLD), f"DROP MATERIALIZED VIEW {ident(name)}", "it was replaced",
                hazards,
                Transaction.OWN, "ACCESS EXCLUSIVE on it and on its source, no scan", last=True)


def hazards(comparison: AggregateComparison) -> tuple[Hazard, ...]:
    """What is lost when the live aggregate gives way."""
    found = (Hazard.LOSES_HISTORY,) if lost_history(comparison) else ()
    live = comparison.live
    names = {each.name for each in comparison.wanted.indexes}
    extra = live is not None and any(each.name not in names and not live.owns_index(each.name)
                                     for each in live.object.indexes)
    return (*found, Hazard.DROPS_INDEX) if extra else found


def _source(comparison: AggregateComparison) -> str:
    return comparison.made.source if comparison.made else ""


def _swap(comparison: AggregateComparison) -> Step:
    """The new aggregate takes the name, the rights, the comment and the views of the old one."""
    declared, live = comparison.declared, comparison.live
    old, beside = declared.name + OLD, declared.full_name + BESIDE
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
        if comparison.made and comparison.made.owner != live.owner:
            lines.append(f"ALTER MATERIALIZED VIEW {name} OWNER TO {ident(live.owner)}")
        lines += [_view(each) for each in live.dependants]
    what = "it is complete" if live is None else \
        "it is complete: names are exchanged, rights and views kept" if live.dependants or live.grants else \
        "it is complete: names are exchanged"
    return Step(Action.REPLACE, comparison.name, ";\n".join(lines), what, hazards(comparison), Transaction.OWN,
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


def _require_movable(comparison: AggregateComparison) -> None:
    """Raise UnsafeChangeError where something stands on the aggregate that cannot be moved to another."""
    if comparison.live is None:
        return
    new = {each.name: each.type for each in comparison.made.columns} if comparison.made else {}
    old = {each.name: each.type for each in comparison.live.columns}
    for each in comparison.live.dependants:
        if each.kind != "view":
            raise UnsafeChangeError(f"{comparison.name}: its query can only be changed by building it anew, and the "
                                    f"{each.kind} {each.name} stands on it by identity; drop that, apply, and create "
                                    "it again")
        lost = [name for name in each.columns if new.get(name) != old.get(name)] if new else []
        if lost:
            raise UnsafeChangeError(f"{comparison.name}: the view {each.name} uses {idents(lost)}, which the new query "
                                    "has not, or with another type; change or drop the view first")


def _require_ours(comparison: AggregateComparison) -> None:
    """Raise UnsafeChangeError where somebody's aggregate bears the name that the new one is built under."""
    for each, mark in ((comparison.beside, BUILDING), (comparison.old, REPLACED)):
        if each is not None and each.object.comment != mark:
            raise UnsafeChangeError(f"{comparison.name}: {each.object.full_name} exists, a name that building it anew "
                                    "needs, and was not made by that; rename or drop it")
