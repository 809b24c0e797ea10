"""Options of tables, columns, constraints and triggers that cannot be, or that say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema.model.objects import Column, Exclusion, ForeignKey, Index, Key, Object, Table, Trigger
from schema.model.table_options import IDENTITIES

CHOICES = {"storage": ("plain", "external", "extended", "main"), "compression": ("pglz", "lz4"),
           "match": ("simple", "full"), "role": ("origin", "replica", "always")}


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield unknown words, options that need another one, and index names that the table does not declare."""
    for table in objects:
        if isinstance(table, Table):
            yield from _words(table)
            yield from _needs(table)
            yield from _marks(table)


def _words(table: Table) -> Iterable[str]:
    parts: tuple[Column | ForeignKey | Trigger, ...] = (*table.columns, *table.foreign_keys, *table.triggers)
    for part in parts:
        for name, choices in CHOICES.items():
            word = getattr(part, name, None)
            if word is not None and word.lower() not in choices:
                yield f"{table.full_name}.{part.name}: {name} {word!r} is not known; use one of {', '.join(choices)}"
    owners: tuple[Table | Key | Index | Exclusion, ...] = (table, *table.keys, *table.indexes, *table.exclusions)
    for owner in owners:
        where = table.full_name if owner is table else f"{table.full_name}.{owner.name}"
        yield from (f"{where}: option {option!r} has no value; write it as 'name = value'"
                    for option in owner.options if "=" not in option)


def _needs(table: Table) -> Iterable[str]:
    parts: tuple[Key | ForeignKey | Exclusion | Trigger, ...] = (
        *table.keys, *table.foreign_keys, *table.exclusions, *table.triggers)
    for part in parts:
        if part.initially_deferred and not part.deferrable:
            yield f"{table.full_name}.{part.name}: initially_deferred needs deferrable; declare both or neither"
    for trigger in table.triggers:
        if (trigger.deferrable or trigger.from_table) and not trigger.constraint:
            yield f"{table.full_name}.{trigger.name}: deferrable and from_table need a constraint trigger; declare one"
    for column in table.columns:
        if column.numbers and not (column.serial or column.identity):
            yield f"{table.full_name}.{column.name}: numbers needs identity or serial; declare one of them"
        if column.virtual and column.generated is None:
            yield f"{table.full_name}.{column.name}: virtual needs generated; declare the expression"
    for key in table.foreign_keys:
        if key.set_columns and key.on_delete not in ("set null", "set default"):
            yield f"{table.full_name}.{key.name}: set_columns needs on_delete set null or set default; declare one"


def _marks(table: Table) -> Iterable[str]:
    groups: tuple[tuple[Key | Index | Exclusion, ...], ...] = (table.indexes, table.keys, table.exclusions)
    names = {part.name for group in groups for part in group}
    marks = (("cluster", table.cluster), ("replica_identity", table.replica_identity))
    for word, name in marks:
        if name is not None and name not in names and not (word == "replica_identity" and name in IDENTITIES):
            yield (f"{table.full_name}: {word} names the index {name}, which is not declared; declare it or correct "
                   "the name")
