"""Plan: the steps from live to declared in their order, as data that can be printed, reviewed and tested; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from schema import words
from schema.kinds import check, column, columnstore, constraint, foreign_key, hypertable, index, key, retention, table
from schema.lint import lint
from schema.live import Comparison, default_time_index
from schema.objects import Index, Object
from schema.step import Step

# The order in which the parts of one table are made: what later parts stand on comes first.
PARTS = (column.steps, hypertable.steps, key.steps, check.steps, foreign_key.steps, index.steps, columnstore.steps,
         retention.steps, table.comment_steps)


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
        return tuple(step for step in self.steps if any(hazard not in allowed for hazard in step.hazards))

    def render(self) -> list[str]:
        """The plan as lines of text; none where there is nothing to do."""
        return [step.render() for step in self.steps]


def plan(comparisons: Iterable[Comparison], allowed: Collection[str] = (), left_out: Sequence[str] = ()) -> Plan:
    """The steps that make every live object the declared one; undeclared parts go only where that is allowed."""
    steps: list[Step] = []
    warnings: list[str] = []
    for comparison in comparisons:
        found, said = _table_steps(comparison, allowed)
        steps.extend(found)
        warnings.extend(said)
    return Plan(tuple(steps), tuple(warnings), tuple(left_out))


def plan_from_empty(objects: Iterable[Object]) -> Plan:
    """The plan for a database that has none of the objects yet; asks no server."""
    objects = tuple(objects)
    lint(objects)
    return plan(Comparison(each, words.settle(each, None), None) for each in objects)


def _table_steps(comparison: Comparison, allowed: Collection[str]) -> tuple[list[Step], list[str]]:
    steps: list[Step] = []
    warnings: list[str] = []
    if comparison.live is None:
        steps.append(table.create_step(comparison.declared))
        comparison = comparison.once_created()
    else:
        comparison, renamed = constraint.renames(comparison)
        steps.extend(renamed)
        undeclared, warnings = _undeclared_steps(comparison, allowed)
        steps.extend(undeclared)
    for part in PARTS:
        steps.extend(part(comparison))
    return steps, warnings


def _undeclared_steps(comparison: Comparison, allowed: Collection[str]) -> tuple[list[Step], list[str]]:
    """Drop what nobody declares where its hazard is allowed by name; say what was left in place."""
    wanted, live = comparison.wanted, comparison.present.table
    passing = {column.not_null_proof(each.name) for each in wanted.columns}
    declared = constraint.names(wanted) | passing
    found = [constraint.drop_step(comparison, name, "nobody declares the constraint")
             for name in sorted(constraint.names(live) - declared)]
    found += [index.drop_step(comparison, name) for name in _undeclared_indexes(comparison)]
    names = {each.name for each in wanted.columns}
    found += [column.drop_step(comparison, each) for each in live.columns if each.name not in names]
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
