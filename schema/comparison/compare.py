"""Compare declared objects with live ones and plan the difference, in one pass. Changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from psycopg import Connection

from schema import lint
from schema.comparison.context import gather
from schema.comparison.declaration import Declaration, Options
from schema.comparison.grants import read_grants
from schema.comparison.live_schema import read_schema
from schema.comparison.match import match
from schema.comparison.names import free_names
from schema.comparison.removed import require_removable
from schema.comparison.undeclared import read_needs
from schema.kinds import undeclared
from schema.model.change.diff import Diff
from schema.planning.lasting_needs import ended_by_declaration, ended_by_steps
from schema.planning.plan import Plan, plan

__all__ = ["Options", "compare_and_plan"]


def compare_and_plan(connection: Connection[Any], declaration: Declaration) -> tuple[Plan, list[Diff[Any, Any]]]:
    """Return today's plan and the diffs that it comes from: read, canonicalise, gather what is around, plan."""
    options = declaration.options
    live = read_schema(connection, declaration)
    matches = match(connection, declaration, live.objects)
    extra = read_needs(connection, declaration, live.undeclared, matches)
    drops = partial(undeclared.plan, extra, options.allow, options.protect, backed_up=options.backed_up)
    dropping = drops(ends=ended_by_declaration(declaration.objects))
    granted = read_grants(connection, matches)
    diffs = gather(connection, declaration, live.objects, matches, granted, {step.object for step in dropping.before})
    if dropping.after:  # what the steps leave as it is goes on needing what it needs
        dropping = drops(ends=ended_by_steps(declaration.objects, plan(diffs).steps))
    dropping = free_names(connection, dropping, diffs)
    planned = plan(diffs, dropping=dropping, left_out=declaration.left_out, missing_schemas=live.missing_schemas)
    require_removable(connection, declaration.capabilities, planned.steps, diffs)
    warnings = [declaration.capabilities.explain_left_out(name) for name in declaration.left_out]
    warnings += lint.warnings(declaration.objects) if options.whole_schema else []
    warnings += [f"{diff.name}: the login may not read its rows, so it was taken for a table with rows"
                 for diff in diffs if not diff.weight.readable]
    return replace(planned, warnings=(*warnings, *planned.warnings)), diffs
