"""Views in the way of a change: which of them, where the plan drops them and where it creates them again; pure.

PostgreSQL changes no column's type, and drops no column and no view, under a view. A view that the plan leaves as it is
is created again in the step that dropped it. A view that the plan changes is created again by its own step, in the same
transaction where no step between them has to run outside of one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.kinds import materialized_view, view
from schema.model.change.diff import Diff, Match
from schema.model.change.step import Step, Transaction
from schema.model.live.tables import LiveTable
from schema.model.live.views import Dependant
from schema.model.objects import MaterializedView, Table, View

Dependants = Mapping[str, tuple[Dependant, ...]]


def may_be_in_the_way(match: Match[Any, Any]) -> bool:
    """Whether a change of this object may meet views that depend on it."""
    if match.live is None:
        return False
    if isinstance(match.declared, View):
        return view.must_be_recreated(match.canonical, match.live, match.scratch)
    if isinstance(match.declared, MaterializedView):
        return materialized_view.must_be_recreated(match.canonical, match.live)
    return isinstance(match.declared, Table) and bool(retyped_columns(match) or _dropped_columns(match))


def retyped_columns(match: Match[Table, LiveTable]) -> set[str]:
    """The columns whose type or collation changes, by the names that they have now."""
    if match.live is None:
        return set()
    live = {column.name: (column.type, column.collation) for column in match.live.table.columns}
    types = [(column.renamed_from if column.renamed_from in live else column.name,
              (canonical.type, canonical.collation))
             for column, canonical in zip(match.declared.columns, match.canonical.columns, strict=True)]
    return {name for name, type_ in types if name and live.get(name, type_) != type_}


def _dropped_columns(match: Match[Table, LiveTable]) -> set[str]:
    declared = {name for column in match.canonical.columns for name in (column.name, column.renamed_from)}
    declared |= {column.renamed_from for column in match.declared.columns}
    return {column.name for column in match.live.table.columns} - declared if match.live else set()


def arrange(matches: Sequence[Match[Any, Any]], dependants: Dependants,
            dropped: Collection[str] = ()) -> tuple[Dependants, set[str]]:
    """Decide where each view in the way is dropped and created again: each is dropped once only.

    `dependants` are by the live name of the relation; what the plan drops before everything else, `dropped`, is in the
    way of nothing. Returns them by declared name, with `later` set, and the views that their own step creates again.
    """
    changing = {match.name for match in matches if isinstance(match.declared, View) and match.live is not None
                and match.canonical.query != match.live.object.query}
    gone, recreated = frozenset(dropped), set[str]()
    arranged: dict[str, tuple[Dependant, ...]] = {}
    for match in matches:
        around = [dependant for dependant in dependants.get(match.live_name, ())
                  if not (dependant.objects and dependant.objects <= gone)]
        if not around:
            continue
        blocking = _blocking(match, around)
        later = _later(match, blocking, changing)
        arranged[match.name] = tuple(
            replace(dependant, later=dependant.name in later) for dependant in around
            if not (dependant in blocking and dependant.name in recreated))
        recreated |= later
    return arranged, recreated


def _blocking(match: Match[Any, Any], dependants: Sequence[Dependant]) -> list[Dependant]:
    if not isinstance(match.declared, Table):
        return list(dependants)
    columns = retyped_columns(match)
    return [dependant for dependant in dependants if dependant.column in columns]


def _later(match: Match[Any, Any], blocking: Sequence[Dependant], changing: Collection[str]) -> set[str]:
    """The views that their own step creates again: all of them above a view that is itself created again, else those
    that the plan changes, with what depends on them."""
    planned = [dependant for dependant in blocking if dependant.planned and dependant.declared]
    if isinstance(match.declared, View | MaterializedView):
        return {dependant.name for dependant in planned}
    depths = [dependant.depth for dependant in planned
              if dependant.declared and dependant.declared.full_name in changing]
    return {dependant.name for dependant in planned if depths and dependant.depth >= min(depths)}


def in_one_transaction(steps: Sequence[Step], diffs: Sequence[Diff[Any, Any]]) -> list[Step]:
    """Return the steps with those from a view's drop to its own creation in one transaction, where each of them can be
    in one."""
    arranged = list(steps)
    for diff in diffs:
        if not diff.context.recreated:
            continue
        live_name = diff.context.former_name or diff.name
        first = next((n for n, step in enumerate(arranged) if live_name in step.drops), None)
        last = next((n for n, step in enumerate(arranged) if step.object == diff.name), None)
        if first is not None and last is not None and all(step.transactional for step in arranged[first:last + 1]):
            arranged[first:last + 1] = [replace(step, transaction=Transaction.SHARED)
                                        for step in arranged[first:last + 1]]
    return arranged
