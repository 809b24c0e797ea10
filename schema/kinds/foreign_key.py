"""Foreign keys."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import constraint
from schema.model.diff import TableDiff
from schema.model.names import ident, idents
from schema.model.objects import ForeignKey
from schema.model.step import Action, Step


def definition(key: ForeignKey) -> str:
    """The foreign key as CREATE TABLE and ADD take it."""
    text = (f"CONSTRAINT {ident(key.name)} FOREIGN KEY ({idents(key.columns)}) "
            f"REFERENCES {ident(key.table)} ({idents(key.references)})")
    if key.on_delete != "no action":
        text += f" ON DELETE {key.on_delete.upper()}"
    if key.on_update != "no action":
        text += f" ON UPDATE {key.on_update.upper()}"
    return text


def steps(diff: TableDiff) -> list[Step]:
    """Add the foreign keys that are missing, replace those that differ, validate those that never were."""
    steps = constraint.compared_steps(
        diff, diff.declared.foreign_keys, diff.canonical.foreign_keys,
        diff.present.table.foreign_keys, what="foreign key", definition=definition,
        describe=lambda live: f"it is {definition(live)}")
    # What adds one locks the other table against writers; a validation does not.
    keys = {f"{diff.name}.{key.name}": key for key in diff.declared.foreign_keys}
    return [replace(step, locks_first=constraint.parents_locks(diff, keys[step.object].name, keys[step.object]))
            if step.action is not Action.VALIDATE else step for step in steps]
