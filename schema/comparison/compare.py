"""Compare declared objects with live ones and plan the difference. Changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema import lint
from schema.catalog.queries import rows
from schema.catalog.readers import undeclared
from schema.comparison.context import gather
from schema.comparison.declaration import Declaration, Options
from schema.comparison.match import match, read_live
from schema.kinds import undeclared as undeclared_kind
from schema.model.diff import Diff
from schema.planning.plan import Plan
from schema.planning.plan import plan as plan_steps

__all__ = ["Declaration", "Options", "compare_and_plan"]


def compare_and_plan(connection: Connection[Any], declaration: Declaration) -> tuple[Plan, list[Diff[Any, Any]]]:
    """Return today's plan and the diffs that it comes from."""
    live = read_live(connection, declaration.capabilities, declaration.declared)
    matches = match(connection, declaration, live)
    dropping = _plan_undeclared(connection, declaration)
    diffs = gather(connection, declaration, live, matches, {step.object for step in dropping.before})
    plan = plan_steps(diffs, dropping=dropping, left_out=declaration.left_out,
                      missing_schemas=_missing_schemas(connection, declaration))
    warnings = [declaration.capabilities.explain_left_out(name) for name in declaration.left_out]
    warnings += lint.warnings(declaration.objects) if declaration.options.whole_schema else []
    return replace(plan, warnings=(*warnings, *plan.warnings)), diffs


def _plan_undeclared(connection: Connection[Any], declaration: Declaration) -> undeclared_kind.Dropping:
    """The drops of objects that nobody declares; none unless the run is for the whole schema."""
    options = declaration.options
    if not options.whole_schema:
        return undeclared_kind.Dropping()
    found = undeclared.read(connection, declaration.capabilities, declaration.objects, undeclared_kind.TYPES)
    return undeclared_kind.plan(found, options.allow, options.protect, backed_up=options.backed_up)


def _missing_schemas(connection: Connection[Any], declaration: Declaration) -> list[str]:
    """The declared schemas that do not exist."""
    schemas = sorted({declared.schema for declared in declaration.declared} - {"public"})
    if not schemas:
        return []
    existing = {row["name"] for row in rows(connection, "schemas", names=schemas)}
    return [name for name in schemas if name not in existing]
