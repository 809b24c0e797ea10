"""What keys, foreign keys and checks have in common: renamed where only the name differs, dropped by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step, Transaction
from schema.model.names import ident, quoted
from schema.model.objects import Check, Exclusion, ForeignKey, Index, Key, Table

C = TypeVar("C", Key, ForeignKey, Check, Exclusion)
# Those that can be added NOT VALID.
V = TypeVar("V", ForeignKey, Check)


def deferred(constraint: Key | ForeignKey | Exclusion) -> str:
    """When the constraint is checked, as SQL; nothing where that is at once."""
    if not constraint.deferrable:
        return ""
    return " DEFERRABLE INITIALLY DEFERRED" if constraint.initially_deferred else " DEFERRABLE"


def rename_steps(diff: TableDiff) -> tuple[TableDiff, list[Step]]:
    """Rename live constraints that differ from a missing one only in their names; returns the diff afterwards."""
    steps: list[Step] = []
    table = diff.present.table
    keys = _rename(diff, diff.canonical.keys, table.keys, steps)
    foreign_keys = _rename(diff, diff.canonical.foreign_keys, table.foreign_keys, steps)
    checks = _rename(diff, diff.canonical.checks, table.checks, steps)
    exclusions = _rename(diff, diff.canonical.exclusions, table.exclusions, steps)
    if not steps:
        return diff, []
    table = replace(table, keys=keys, foreign_keys=foreign_keys, checks=checks, exclusions=exclusions)
    return diff.with_live(replace(diff.present, table=table)), steps


def _rename(diff: TableDiff, canonical: Sequence[C], live: Sequence[C], steps: list[Step]) -> tuple[C, ...]:
    declared = {constraint.name for constraint in canonical}
    names = {constraint.name for constraint in live}
    missing = [constraint for constraint in canonical if constraint.name not in names]
    renamed: list[C] = []
    for present in live:
        twin = next((constraint for constraint in missing
                     if replace(constraint, name=present.name, comment=present.comment) == present), None)
        if present.name in declared or twin is None:
            renamed.append(present)
            continue
        missing.remove(twin)
        renamed.append(replace(present, name=twin.name))
        steps.append(Step(Action.RENAME, f"{diff.name}.{twin.name}",
                          f"ALTER TABLE {ident(diff.name)} RENAME CONSTRAINT {quoted(present.name)} TO "
                          f"{quoted(twin.name)}", "the same constraint bears another name",
                          transaction=diff.transaction))
    return tuple(renamed)


def without(diff: TableDiff, dropped: Collection[str]) -> TableDiff:
    """Return the diff as it stands once these constraints and indexes (full names) are dropped."""
    table = diff.present.table

    def stays(part: C | Index) -> bool:
        return f"{diff.name}.{part.name}" not in dropped

    table = replace(table, keys=tuple(filter(stays, table.keys)), checks=tuple(filter(stays, table.checks)),
                    foreign_keys=tuple(filter(stays, table.foreign_keys)),
                    exclusions=tuple(filter(stays, table.exclusions)), indexes=tuple(filter(stays, table.indexes)))
    return diff.with_live(replace(diff.present, table=table))


def names(table: Table) -> set[str]:
    """The names of all constraints of the table."""
    return {constraint.name for group in (table.keys, table.foreign_keys, table.checks, table.exclusions)
            for constraint in group}


def drop_step(diff: TableDiff, name: str, why: str) -> Step:
    """Drop a constraint that nobody declares; a foreign key before the key changes that it refers to."""
    refers = name in {key.name for key in diff.present.table.foreign_keys}
    return Step(Action.DROP, f"{diff.name}.{name}",
                f"ALTER TABLE {ident(diff.name)} DROP CONSTRAINT {quoted(name)}", why,
                (Hazard.DROPS_CONSTRAINT,), diff.transaction, locks_first=parents_locks(diff, name),
                first=refers and diff.context.former_name is None,
                removes=(Removed(Sort.CONSTRAINT, diff.name, name),))


def parents_locks(diff: TableDiff, name: str, declared: ForeignKey | None = None) -> tuple[str, ...]:
    """Return LOCK TABLE statements for the tables that a foreign key refers to, before and after its change.

    They run first, in the order of writers' transactions: the table referred to before the one that refers to it.
    """
    if not diff.weight.has_rows:
        return ()
    modes = {declared.table: "SHARE ROW EXCLUSIVE"} if declared else {}
    modes |= {key.table: "ACCESS EXCLUSIVE" for key in diff.present.table.foreign_keys if key.name == name}
    return tuple(f"LOCK TABLE {ident(table)} IN {mode} MODE" for table, mode in sorted(modes.items())
                 if table != diff.name)


def cost(diff: TableDiff, lock: str) -> str:
    """The lock and what is read under it; nothing for an empty table."""
    return diff.weight.text() and f"{lock}, {diff.weight.text()}"


def online(diff: TableDiff, name: str, change: str, why: str,
           action: Action = Action.CREATE, *, valid: bool = True, enforced: bool = True) -> list[Step]:
    """Add a constraint: at once to a table without rows, else NOT VALID first, then validated without blocking writers.

    A table with the columnstore enabled cannot validate later (TimescaleDB refuses), so there it blocks writers. One
    that need not be `valid` is not validated, nor one that is not `enforced`.
    """
    alter = f"ALTER TABLE {ident(diff.name)}"
    where = f"{diff.name}.{name}"
    if not enforced or not valid:
        return [Step(action, where, f"{alter} {change}{' NOT VALID' if enforced else ''}", why,
                     transaction=diff.transaction, cost="ACCESS EXCLUSIVE, no scan" if diff.weight.has_rows else "")]
    if not diff.weight.has_rows:
        return [Step(action, where, f"{alter} {change}", why)]
    if diff.has_columnstore:
        return [Step(action, where, f"{alter} {change}", why, (Hazard.BLOCKS_WRITES,), Transaction.OWN,
                     cost(diff, "ACCESS EXCLUSIVE"), heavy=True)]
    return [
        Step(action, where, f"{alter} {change} NOT VALID", why, transaction=Transaction.OWN,
             cost="ACCESS EXCLUSIVE, no scan"),
        validation(diff, name, "rows from before are checked, no writer is blocked"),
    ]


def validation(diff: TableDiff, name: str, why: str) -> Step:
    """Validate a NOT VALID constraint on the existing rows."""
    return Step(Action.VALIDATE, f"{diff.name}.{name}",
                f"ALTER TABLE {ident(diff.name)} VALIDATE CONSTRAINT "
                                             f"{quoted(name)}", why,
                transaction=diff.transaction, cost=cost(diff, "SHARE UPDATE EXCLUSIVE"),
                heavy=diff.weight.has_rows)


def compared_steps(diff: TableDiff, declared: Sequence[V], canonical: Sequence[V], live: Sequence[V], *,
                   what: str, definition: Callable[[V], str], describe: Callable[[V], str]) -> list[Step]:
    """Add the constraints that are missing, replace those that differ, validate those that never were."""
    steps: list[Step] = []
    by_name = {constraint.name: constraint for constraint in live}
    for written, wanted in zip(declared, canonical, strict=True):
        name, present = wanted.name, by_name.get(wanted.name)
        unproven = name in diff.present.not_valid and wanted.valid
        add = partial(online, diff, name, valid=wanted.valid, enforced=wanted.enforced)
        differs = present is not None and replace(wanted, comment=present.comment, valid=present.valid) != present
        if present is None:
            steps.extend(add(f"ADD {definition(written)}", f"the {what} does not exist"))
        elif differs or (unproven and diff.has_columnstore):
            steps.extend(add(f"DROP CONSTRAINT {quoted(name)}, ADD {definition(written)}",
                             describe(present) if differs else "it was never validated", Action.REPLACE))
        elif unproven:
            steps.append(validation(diff, name, "it was never validated"))
    return steps
