"""Adopt a live database, and prove what was written by planning it: what cannot be planned is left out by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from schema.canonical.scratch import PREFIX
from schema.connection import Address
from schema.errors import DeclarationError, SchemaError
from schema.export.adoption import adopt
from schema.model import dependencies
from schema.model.objects import ForeignKey, Object, Table
from schema.planning.plan import Plan

_SCRATCH = re.compile(rf"\b{PREFIX}_\d+_\d+\.")


@dataclass(frozen=True)
class ProvenAdoption:
    """The declarations, remarks on what is left out, and what a plan of them still does: a line for each step.

    `unproven` is the reason why no plan could be made, as on a standby; None where one was.
    """

    objects: tuple[Object, ...]
    remarks: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    unproven: str | None = None


def adopt_and_plan(address: Address, schemas: Sequence[str], plan: Callable[[Sequence[Object]], Plan],
                   allowed: Collection[str]) -> ProvenAdoption:
    """Read these schemas, or all, as declarations, and plan them by `plan`, as the written file would be planned.

    An object that the server or a check of the declarations refuses is left out, and so is what depends on it; the rest
    is planned anew. Changes nothing: what planning creates is rolled back. Raises SchemaError where the database cannot
    be read.
    """
    adopted = adopt(address, schemas)
    objects, remarks = list(adopted.objects), list(adopted.remarks)
    while True:
        try:
            changes = plan(objects)
        except DeclarationError as error:
            refused = _refused(objects, error)
            if not refused:
                return ProvenAdoption(tuple(objects), tuple(remarks), unproven=str(error))
            objects, reasons = _without(objects, refused)
            remarks += reasons
        except SchemaError as error:
            return ProvenAdoption(tuple(objects), tuple(remarks), unproven=str(error))
        else:
            return ProvenAdoption(tuple(objects), tuple(remarks), _differences(changes, allowed))


def _differences(changes: Plan, allowed: Collection[str]) -> tuple[str, ...]:
    return tuple(f"{step.object}: {' '.join(step.render(allowed).split())}" for step in changes.steps)


def _refused(objects: Sequence[Object], error: DeclarationError) -> dict[Object, str]:
    """Map the objects that the lines of the error begin with, or with a part of, to their lines."""
    names = {declared.full_name: declared for declared in objects}
    refused: dict[Object, str] = {}
    for line in str(error).splitlines():
        place = line.split(": ", 1)[0]
        candidates = [name for name in names if place == name or place.startswith(f"{name}.")]
        if candidates:
            refused.setdefault(names[max(candidates, key=len)], line)
    return refused


def _without(objects: Sequence[Object], refused: dict[Object, str]) -> tuple[list[Object], list[str]]:
    """Return the objects that are left, and why each other is not, those that depend on refused ones included."""
    gone = dict.fromkeys(refused)
    # Names of scratch schemas are other ones in every run.
    reasons = [f"{_SCRATCH.sub('', line)} (so it was left out)" for line in refused.values()]
    for declared in dependencies.ordered(objects):
        if declared not in gone:
            needed = [needed for needed in (*dependencies.needs(declared, objects), *_referred(declared, objects))
                      if needed in gone]
            if needed:
                gone[declared] = None
                reasons.append(f"{declared.full_name}: stands on {needed[0].full_name}, which was left out (so it was "
                               "left out, too)")
    return [declared for declared in objects if declared not in gone], reasons


def _referred(declared: Object, objects: Sequence[Object]) -> list[Object]:
    """Return the tables that its foreign keys refer to."""
    keys: Sequence[ForeignKey] = declared.foreign_keys if isinstance(declared, Table) else ()
    names = {key.table for key in keys}
    return [table for table in objects if isinstance(table, Table) and table.full_name in names and table != declared]
