"""Plan: the steps from live to declared in their order, as data that can be printed, reviewed and tested; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schema.canonical import normalising
from schema.kinds import grants, registry
from schema.kinds.undeclared import NOTHING, Dropping
from schema.lint import lint
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Step
from schema.model.names import ident
from schema.model.objects import Object
from schema.planning import view_dependants

# Extensions may be in the second.
IN_EVERY_DATABASE = ("public", "pg_catalog")


@dataclass(frozen=True)
class Plan:
    """Steps in order, `warnings` about what stays as it is, and the declared parts that the server cannot have.

    `needed` are the undeclared objects that stay because others need them, by name with the line about each.
    """

    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    needed: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A digest of the steps: equal for equal plans, so that only a reviewed plan is applied."""
        text = "\x1f".join(f"{step.object}\x1e{step.sql}\x1e{','.join(step.hazards)}" for step in self.steps)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def refused(self, allowed: Collection[str]) -> tuple[Step, ...]:
        """Return the steps with a hazard that is not allowed by name."""
        return tuple(step for step in self.steps if step.refused(allowed))

    def render(self) -> list[str]:
        """Return the plan as lines of text; no line where there is nothing to do."""
        return [step.render() for step in self.steps]


def plan(diffs: Iterable[Diff[Any, Any]], *, dropping: Dropping = NOTHING, left_out: Sequence[str] = (),
         missing_schemas: Sequence[str] = ()) -> Plan:
    """Return the steps that make every live object the declared one; no step where live equals declared.

    `diffs` are in the order in which the objects are created, `dropping` is what happens to undeclared objects.
    """
    diffs = tuple(diffs)
    steps = [Step(Action.CREATE, name, f"CREATE SCHEMA {ident(name)}", "the schema does not exist")
             for name in missing_schemas]
    warnings = list(dropping.warnings)
    of_objects: list[Step] = []
    first: list[Step] = []
    last: list[Step] = []
    later: list[Step] = []
    coming = {diff.name for diff in diffs if diff.live is None}
    for diff in diffs:
        coming.discard(diff.name)
        planned = replace(diff, context=replace(diff.context, later=frozenset(coming))) if coming else diff
        own, own_warnings = registry.of(diff.declared).steps(planned)
        own += grants.steps(diff)
        own = [replace(step, allowed=diff.declared.allow) for step in own]
        first.extend(step for step in own if step.first)
        of_objects.extend(step for step in own if not (step.first or step.last or step.later))
        later.extend(step for step in own if step.later)
        last = [*(step for step in own if step.last), *last]
        warnings.extend(own_warnings)
    steps = view_dependants.in_one_transaction([*steps, *dropping.before, *first, *of_objects], diffs)
    # What refers to an object that is created after its own table waits for it: tables may refer to each other. A
    # column is dropped once nothing that is declared depends on it any more.
    return Plan((*steps, *later, *last, *dropping.after), tuple(warnings), tuple(left_out),
                dropping.needed)


def plan_from_empty(objects: Iterable[Object], timescaledb: tuple[int, ...] = ()) -> Plan:
    """Return the plan for a database that has none of the objects yet, for this TimescaleDB; asks no server."""
    objects = tuple(objects)
    lint(objects)
    schemas = dict.fromkeys(declared.schema for declared in objects)
    missing = [schema for schema in schemas if schema not in IN_EVERY_DATABASE]
    kinds = [(declared, registry.of(declared)) for declared in objects]
    return plan((kind.diff(declared, normalising.settle(declared, None), None, kind.context(timescaledb=timescaledb))
                 for declared, kind in kinds), missing_schemas=missing)
