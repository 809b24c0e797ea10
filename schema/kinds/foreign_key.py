"""Foreign keys."""

from __future__ import annotations

from schema.kinds import constraint
from schema.live import Comparison
from schema.names import ident, idents
from schema.objects import ForeignKey
from schema.step import Step


def definition(key: ForeignKey) -> str:
    """The foreign key as CREATE TABLE and ADD take it."""
    text = (f"CONSTRAINT {ident(key.name)} FOREIGN KEY ({idents(key.columns)}) "
            f"REFERENCES {ident(key.table)} ({idents(key.references)})")
    if key.on_delete != "no action":
        text += f" ON DELETE {key.on_delete.upper()}"
    if key.on_update != "no action":
        text += f" ON UPDATE {key.on_update.upper()}"
    return text


def steps(comparison: Comparison) -> list[Step]:
    """Add the foreign keys that are missing, replace those that differ, validate those that never were."""
    live = {key.name: key for key in comparison.present.table.foreign_keys}
    found: list[Step] = []
    for key in comparison.declared.foreign_keys:
        if key.name not in live:
            found.extend(constraint.online(comparison, key.name, f"ADD {definition(key)}", "the foreign key does "
                                                                                           "not exist"))
        elif key != live[key.name] or (key.name in comparison.present.not_valid and comparison.has_columnstore):
            why = f"it is {definition(live[key.name])}" if key != live[key.name] else "it was never validated"
            found.extend(constraint.online(comparison, key.name,
                                           f"DROP CONSTRAINT {ident(key.name)}, ADD {definition(key)}", why))
        elif key.name in comparison.present.not_valid:
            found.append(constraint.validation(comparison, key.name, "it was never validated"))
    return found
