"""Views in the way of a change: which of them, where in the plan they are dropped and where they are made again; pure.

PostgreSQL changes no column's type, and drops no column and no view, under a view. A view that the plan leaves as it is
comes back in the step that dropped it; one that the plan changes comes back by its own step, in the same transaction
where nothing between them has to be outside of any.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from schema.kinds import view
from schema.model.live import Compared, Comparison, Dependant
from schema.model.objects import View
from schema.model.step import Step, Transaction


def may_be_in_the_way(comparison: Compared[Any, Any]) -> bool:
    """Whether a change of this object may meet views that stand on it."""
    if comparison.live is None:
        return False
    if isinstance(comparison.declared, View):
        return view.must_be_made_again(comparison)
    return isinstance(comparison, Comparison) and bool(retyped(comparison) or _dropped(comparison))


def retyped(comparison: Comparison) -> set[str]:
    """The columns, by the names that they have now, whose type changes."""
    live = {each.name: each.type for each in comparison.present.table.columns}
    types = [(each.renamed_from if each.renamed_from in live else each.name, wanted.type)
             for each, wanted in zip(comparison.declared.columns, comparison.wanted.columns, strict=True)]
    return {name for name, type_ in types if name and live.get(name, type_) != type_}


def _dropped(comparison: Comparison) -> set[str]:
    declared = {name for each in comparison.wanted.columns for name in (each.name, each.renamed_from)}
    declared |= {each.renamed_from for each in comparison.declared.columns}
    return {each.name for each in comparison.present.table.columns} - declared


def arranged(comparisons: Sequence[Compared[Any, Any]], gone: Collection[str] = ()) -> list[Compared[Any, Any]]:
    """The comparisons with each view in the way marked where it is made again, and dropped once.

    What the plan drops before anything else is `gone` and in nobody's way.
    """
    comparisons = [replace(each, dependants=tuple(one for one in each.dependants if one.name not in gone))
                   for each in comparisons] if gone else comparisons
    changing = {each.name for each in comparisons if isinstance(each.declared, View) and each.live is not None
                and each.wanted.query != each.live.object.query}
    dropped: set[str] = set()
    found: list[Compared[Any, Any]] = []
    for each in comparisons:
        blocking = _blocking(each)
        later = _later(each, blocking, changing)
        found.append(replace(each, dependants=tuple(
            replace(one, later=one.name in later) for one in each.dependants
            if not (one in blocking and one.name in dropped))))
        dropped |= later
    return [replace(each, dropped=True) if each.name in dropped or each.renamed in dropped else each for each in found]


def _blocking(comparison: Compared[Any, Any]) -> list[Dependant]:
    if isinstance(comparison, Comparison):
        return comparison.dependants_on(retyped(comparison)) if comparison.live else []
    return list(comparison.dependants)


def _later(comparison: Compared[Any, Any], blocking: Sequence[Dependant], changing: Collection[str]) -> set[str]:
    """The views that get their own step: on a view that is made anew all of them, else those that the plan changes and
    what stands above them."""
    planned = [each for each in blocking if each.planned and each.declared]
    if isinstance(comparison.declared, View):
        return {each.name for each in planned}
    depths = [each.depth for each in planned if each.declared and each.declared.full_name in changing]
    return {each.name for each in planned if depths and each.depth >= min(depths)}


def as_one(steps: Sequence[Step], comparisons: Sequence[Compared[Any, Any]]) -> list[Step]:
    """The steps with those from a view's drop to its own creation in one transaction, where each of them can be."""
    found = list(steps)
    for each in comparisons:
        if not each.dropped:
            continue
        begin = next((n for n, step in enumerate(found) if (each.renamed or each.name) in step.drops), None)
        end = next((n for n, step in enumerate(found) if step.object == each.name), None)
        if begin is not None and end is not None and all(step.transactional for step in found[begin:end + 1]):
            found[begin:end + 1] = [replace(step, transaction=Transaction.SHARED) for step in found[begin:end + 1]]
    return found
