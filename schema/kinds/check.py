"""Check constraints, compared by their expressions in the server's words."""

from __future__ import annotations

from schema.kinds import constraint
from schema.live import Comparison
from schema.names import ident
from schema.objects import Check
from schema.step import Step


def definition(check: Check) -> str:
    """The check as CREATE TABLE and ADD take it."""
    return f"CONSTRAINT {ident(check.name)} CHECK ({check.expression})"


def steps(comparison: Comparison) -> list[Step]:
    """Add the checks that are missing, replace those that differ, validate those that never were."""
    live = {check.name: check for check in comparison.present.table.checks}
    found: list[Step] = []
    for declared, wanted in zip(comparison.declared.checks, comparison.wanted.checks, strict=True):
        name = wanted.name
        if name not in live:
            found.extend(constraint.online(comparison, name, f"ADD {definition(declared)}", "the check does not exist"))
        elif wanted != live[name] or (name in comparison.present.not_valid and comparison.has_columnstore):
            why = f"it checks {live[name].expression}" if wanted != live[name] else "it was never validated"
            found.extend(constraint.online(comparison, name,
                                           f"DROP CONSTRAINT {ident(name)}, ADD {definition(declared)}", why))
        elif name in comparison.present.not_valid:
            found.append(constraint.validation(comparison, name, "it was never validated"))
    return found
