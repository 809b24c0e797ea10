"""Adopt a live database, and prove what was written by planning it: what cannot be planned is left out by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from schema.connection import Address
from schema.errors import DeclarationError, SchemaError
from schema.export.adoption import adopt
from schema.export.left_out import leave_out
from schema.model.objects import Object
from schema.planning.plan import Plan


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
            objects, reasons = leave_out(objects, refused)
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
