"""Exclusion constraints: the server builds their indexes under a lock, and knows no way beside writers."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import constraint, index
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step
from schema.model.names import ident, quoted
from schema.model.objects import Exclusion


def definition(exclusion: Exclusion) -> str:
    """The constraint as CREATE TABLE and ADD take it."""
    where = f" WHERE ({exclusion.where})" if exclusion.where else ""
    return (f"CONSTRAINT {quoted(exclusion.name)} EXCLUDE USING {exclusion.method} ({', '.join(exclusion.elements)})"
            f"{index.included(exclusion.include)}{index.parameters_of(*exclusion.options)}{where}"
            f"{constraint.deferred(exclusion)}")


def steps(diff: TableDiff) -> list[Step]:
    """Add the exclusion constraints that are missing and replace those that differ."""
    live = {exclusion.name: exclusion for exclusion in diff.present.table.exclusions}
    steps = []
    for declared, canonical in zip(diff.declared.exclusions, diff.canonical.exclusions, strict=True):
        present, name = live.get(declared.name), quoted(declared.name)
        if present is None:
            steps.append(_step(diff, declared, Action.CREATE, f"ADD {definition(declared)}",
                               "the exclusion constraint does not exist"))
        elif replace(canonical, comment=present.comment, statistics=present.statistics) != present:
            steps.append(_step(diff, declared, Action.REPLACE, f"DROP CONSTRAINT {name}, ADD {definition(declared)}",
                               f"it is {definition(present)}"))
    return steps


def _step(diff: TableDiff, exclusion: Exclusion, action: Action, change: str, why: str) -> Step:
    hazards = (Hazard.BLOCKS_WRITES,) if diff.weight.has_rows else ()
    return Step(action, f"{diff.name}.{exclusion.name}", f"ALTER TABLE {ident(diff.name)} {change}", why, hazards,
                diff.transaction, constraint.cost(diff, "ACCESS EXCLUSIVE"), heavy=diff.weight.has_rows)
