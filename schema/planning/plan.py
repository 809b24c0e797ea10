"""Plan: the steps from live to declared in their order, as data that can be printed, reviewed and tested; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schema.canonical import normalising
from schema.kinds import registry
from schema.kinds import undeclared as undeclared_kind
from schema.lint import lint
from schema.model.live import Compared, Undeclared
from schema.model.names import ident
from schema.model.objects import Object
from schema.model.step import Action, Step
from schema.planning import view_dependants


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
        found, said = registry.of(comparison.declared).steps(comparison, {*allowed, *comparison.declared.allow})
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
    return plan((registry.of(each).compared(each, normalising.settle(each, None), None, 0, False, timescaledb)
                 for each in objects), missing_schemas=schemas)
