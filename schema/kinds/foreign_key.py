"""Foreign keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema.kinds import constraint
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Step
from schema.model.names import ident, idents, quoted
from schema.model.objects import ForeignKey


def definition(key: ForeignKey) -> str:
    """The foreign key as CREATE TABLE and ADD take it."""
    text = (f"CONSTRAINT {quoted(key.name)} FOREIGN KEY ({_columns(key.columns, period=key.period)}) "
            f"REFERENCES {ident(key.table)} ({_columns(key.references, period=key.period)})")
    if key.match != "simple":
        text += f" MATCH {key.match.upper()}"
    if key.on_delete != "no action":
        text += f" ON DELETE {key.on_delete.upper()}"
        text += f" ({idents(key.set_columns)})" if key.set_columns else ""
    if key.on_update != "no action":
        text += f" ON UPDATE {key.on_update.upper()}"
    return text + constraint.deferred(key) + ("" if key.enforced else " NOT ENFORCED")


def _columns(names: Sequence[str], *, period: bool) -> str:
    """The names as SQL, the last one as a period where it is one."""
    return ", ".join([*map(quoted, names[:-1]), f"PERIOD {quoted(names[-1])}"]) if period else idents(names)


def steps(diff: TableDiff) -> list[Step]:
    """Add the foreign keys that are missing, replace those that differ, validate those that never were."""
    diff, altered = _alterations(diff)
    steps = constraint.compared_steps(
        diff, diff.declared.foreign_keys, diff.canonical.foreign_keys,
        diff.present.table.foreign_keys, what="foreign key", definition=definition,
        describe=lambda live: f"it is {definition(live)}")
    # What adds one locks the other table against writers; a validation does not.
    keys = {f"{diff.name}.{key.name}": key for key in diff.declared.foreign_keys}
    return [replace(step, locks_first=constraint.parents_locks(diff, keys[step.object].name, keys[step.object]))
            if step.action is not Action.VALIDATE else step for step in (*altered, *steps)]


def _alterations(diff: TableDiff) -> tuple[TableDiff, list[Step]]:
    """Set when a foreign key is checked where that alone differs; returns the diff as it stands afterwards."""
    table = diff.present.table
    canonical = {key.name: key for key in diff.canonical.foreign_keys}
    altered = {}
    steps = []
    for live in table.foreign_keys:
        wanted = canonical.get(live.name, live)
        key = replace(live, deferrable=wanted.deferrable, initially_deferred=wanted.initially_deferred)
        if key != live and not table.hypertable and key == replace(wanted, comment=live.comment, valid=live.valid):
            altered[live.name] = key
            steps.append(Step(
                Action.ALTER, f"{diff.name}.{live.name}", f"ALTER TABLE {ident(diff.name)} ALTER CONSTRAINT "
                f"{quoted(live.name)}{constraint.deferred(key) or ' NOT DEFERRABLE'}", f"it is {definition(live)}",
                transaction=diff.transaction, cost="ACCESS EXCLUSIVE, no scan" if diff.weight.has_rows else ""))
    keys = tuple(altered.get(key.name, key) for key in table.foreign_keys)
    return diff.with_live(replace(diff.present, table=replace(table, foreign_keys=keys))), steps
