"""Plan: the steps from live to declared in their order, as data that can be printed, reviewed and tested; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schema.aggregates.live import AggregateComparison
from schema.canonical import normalising
from schema.kinds import (
    check,
    column,
    columnstore,
    comment,
    constraint,
    continuous_aggregate,
    enum,
    foreign_key,
    function,
    hypertable,
    index,
    job,
    key,
    reorder,
    retention,
    row_security,
    table,
    trigger,
    view,
)
from schema.kinds import undeclared as undeclared_kind
from schema.lint import lint
from schema.model import renames
from schema.model.live import Compared, Comparison, Undeclared, default_time_index
from schema.model.names import ident
from schema.model.objects import ContinuousAggregate, Enum, Function, Index, Job, Object, Table, View
from schema.model.step import Action, Step, Transaction
from schema.planning import view_dependants

# What a kind plans for one of its objects: steps, and warnings about what is left in place.
Planned = tuple[list[Step], list[str]]
Planner = Callable[[Any, Collection[str]], Planned]

# The order in which the parts of one table are made: what later parts stand on comes first.
PARTS = (column.steps, key.steps, column.after_keys, hypertable.steps, check.steps, foreign_key.steps, index.steps,
         columnstore.steps, retention.steps, reorder.steps, trigger.steps, row_security.steps)


@dataclass(frozen=True)
class Plan:
    """Steps in order, what was left alone or out (`warnings`), and the declared parts the server cannot have."""

    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same steps: what was reviewed is what is applied."""
        text = "\x1f".join(f"{step.object}\x1e{step.sql}\x1e{','.join(step.hazards)}" for step in self.steps)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def refused(self, allowed: Collection[str]) -> tuple[Step, ...]:
        """The steps with a hazard that is not allowed by name."""
        return tuple(step for step in self.steps if step.refused(allowed))

    def render(self) -> list[str]:
        """The plan as lines of text; none where there is nothing to do."""
        return [step.render() for step in self.steps]


def plan(comparisons: Iterable[Compared[Any, Any]], allowed: Collection[str] = (), left_out: Sequence[str] = (), *,
         undeclared: Sequence[Undeclared] = (), protect: Collection[str] = (), backed_up: bool = False,
         missing_schemas: Sequence[str] = ()) -> Plan:
    """The steps that make every live object the declared one; what nobody declares goes only where that is allowed."""
    dropping = undeclared_kind.plan(undeclared, allowed, protect, backed_up=backed_up)
    steps = [Step(Action.CREATE, name, f"CREATE SCHEMA {ident(name)}",
                  "the schema does not exist") for name in missing_schemas]
    steps.extend(dropping.before)
    warnings = list(dropping.warnings)
    late: list[Step] = []
    comparisons = view_dependants.arranged([*comparisons], gone={step.object for step in dropping.before})
    for comparison in comparisons:
        found, said = PLANNERS[type(comparison.declared)](comparison, {*allowed, *comparison.declared.allow})
        found = [replace(step, allowed=comparison.declared.allow) for step in found]
        steps.extend(step for step in found if not step.last)
        late = [*(step for step in found if step.last), *late]
        warnings.extend(said)
    steps = view_dependants.as_one(steps, comparisons)
    # A column is dropped once nothing that is declared stands on it any more.
    return Plan((*steps, *late, *dropping.after), tuple(warnings), tuple(left_out))


def plan_from_empty(objects: Iterable[Object], timescaledb: tuple[int, ...] = ()) -> Plan:
    """The plan for a database that has none of the objects yet, in ways that this version knows; asks no server."""
    objects = tuple(objects)
    lint(objects)
    schemas = list(dict.fromkeys(each.schema for each in objects if each.schema != "public"))
    return plan((COMPARISONS[type(each)](each, normalising.settle(each, None), None, 0, False, timescaledb)
                 for each in objects), missing_schemas=schemas)


def table_steps(comparison: Comparison, allowed: Collection[str]) -> Planned:
    """The steps of one table, with all that hangs on it."""
    steps: list[Step] = []
    warnings: list[str] = []
    if comparison.live is None:
        steps.append(table.create_step(comparison.declared))
        comparison = comparison.once_created()
    else:
        if comparison.renamed:
            step = renames.step("TABLE", comparison.renamed, comparison.declared)
            steps.append(replace(step, transaction=Transaction.OWN))
        comparison, renamed = renames.columns(comparison)
        steps.extend(renamed)
        comparison, renamed = constraint.renames(comparison)
        steps.extend(renamed)
        undeclared, warnings = _undeclared_steps(comparison, allowed)
        steps.extend(undeclared)
        comparison = constraint.without(comparison, {step.object for step in undeclared})
        comparison, without = column.without_generated(comparison)
        steps.extend(without)
    for part in PARTS:
        steps.extend(part(comparison))
        if part is hypertable.steps:
            comparison = hypertable.converted(comparison)
    steps.extend(comment.steps(comparison, {step.object for step in steps}))
    # Last, when nothing that is declared stands on them any more.
    dropped, left = _permitted(column.drop_steps(comparison, allowed), allowed)
    if dropped:
        columnstore.require_released(comparison)
    return [*steps, *dropped], [*warnings, *left]


def _undeclared_steps(comparison: Comparison, allowed: Collection[str]) -> Planned:
    """Drop what nobody declares where its hazard is allowed by name; say what was left in place."""
    wanted, live = comparison.wanted, comparison.present.table
    passing = {column.not_null_proof(each.name) for each in wanted.columns}
    declared = constraint.names(wanted) | passing
    found = [constraint.drop_step(comparison, name, "nobody declares the constraint")
             for name in sorted(constraint.names(live) - declared)]
    found += [index.drop_step(comparison, name) for name in _undeclared_indexes(comparison)]
    declared = {each.name for each in wanted.triggers}
    found += [trigger.drop_step(comparison, each.name) for each in live.triggers if each.name not in declared]
    found += row_security.undeclared_steps(comparison, allowed)
    return _permitted(found, allowed)


def _permitted(found: Sequence[Step], allowed: Collection[str]) -> Planned:
    """Of steps that drop something, those that are allowed, and a warning for each of the others."""
    steps = [step for step in found if all(hazard in allowed for hazard in step.hazards)]
    warnings = [f"{step.object} is not declared and was left in place; declare it, or allow {step.hazards[0]} to "
                "drop it"
                for step in found if step not in steps]
    return steps, warnings


def _undeclared_indexes(comparison: Comparison) -> list[str]:
    """Indexes nobody declares, but for TimescaleDB's own on time, our unfinished ones and twins about to be renamed."""
    wanted, live = comparison.wanted, comparison.present.table
    ours = {each.name for each in wanted.indexes} | {each.name for each in wanted.keys}
    ours |= {name[:63 - len(index.BESIDE)] + index.BESIDE for name in ours}
    if live.hypertable:
        ours.add(default_time_index(live, live.hypertable))
    missing = ours - {each.name for each in live.indexes}
    twins = {_unnamed(each) for each in wanted.indexes if each.name in missing}
    return [each.name for each in live.indexes if each.name not in ours and _unnamed(each) not in twins]


def _unnamed(each: Index) -> tuple[object, ...]:
    return (each.columns, each.unique, each.method, each.include, each.where)


PLANNERS: Mapping[type[Object], Planner] = {
    ContinuousAggregate: continuous_aggregate.steps,
    Enum: enum.steps, Function: function.steps, Table: table_steps, View: view.steps,
    Job: job.steps}
# The class of a kind's comparisons.
COMPARISONS: Mapping[type[Object], Callable[..., Compared[Any, Any]]] = {
    ContinuousAggregate: AggregateComparison,
    Enum: Compared, Function: function.compared, Table: Comparison, View: Compared,
    Job: Compared}
