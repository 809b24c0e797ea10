"""Check constraints, compared by their canonical expressions."""

from __future__ import annotations

from schema.kinds import constraint
from schema.model.change.diff import TableDiff
from schema.model.change.step import Step
from schema.model.names import quoted
from schema.model.objects import Check


def definition(check: Check) -> str:
    """The check as CREATE TABLE and ADD take it."""
    return (f"CONSTRAINT {quoted(check.name)} CHECK ({check.expression}){' NO INHERIT' if check.no_inherit else ''}"
            f"{'' if check.enforced else ' NOT ENFORCED'}")


def steps(diff: TableDiff) -> list[Step]:
    """Add the checks that are missing, replace those that differ, validate those that never were."""
    return constraint.compared_steps(
        diff, diff.declared.checks, diff.canonical.checks, diff.present.table.checks,
        what="check", definition=definition, describe=lambda live: f"it is {definition(live)}")
