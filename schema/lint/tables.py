"""Tables in themselves: parts declared once, columns that are there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from schema.model.objects import Check, Column, ForeignKey, Index, Key, Object, Policy, Table, Trigger
from schema.model.sql_names import plain

Named = Column | Key | ForeignKey | Check | Index | Trigger | Policy
# A column's name as an index term begins with it; anything else is an expression.
_COLUMN = re.compile(r'\s*(?P<name>"(?:[^"]|"")+"|[A-Za-z_]\w*\b)(?!\s*[(.])')


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Parts that are declared twice, or that name columns which are not declared."""
    for each in objects:
        if isinstance(each, Table):
            yield from _twice(each)
            yield from _missing(each)


def column_of(term: str) -> str | None:
    """The column that an index term begins with; None for an expression."""
    found = _COLUMN.match(term)
    return plain(found["name"]) if found else None


def _twice(table: Table) -> Iterable[str]:
    policies = table.row_security.policies if table.row_security else ()
    groups: tuple[tuple[Named, ...], ...] = (
        table.columns, (*table.keys, *table.foreign_keys, *table.checks), (*table.indexes, *table.keys),
        table.triggers, policies)
    for group in groups:
        for twice in [part for part, count in Counter(part.name for part in group).items() if count > 1]:
            yield f"{table.full_name}.{twice}: declared twice; keep one"
    if sum(key.primary for key in table.keys) > 1:
        yield f"{table.full_name}: more than one primary key is declared; keep one"


def _missing(table: Table) -> Iterable[str]:
    columns = {column.name for column in table.columns}
    constrained: tuple[Key | ForeignKey, ...] = (*table.keys, *table.foreign_keys)
    parts: list[tuple[str, Iterable[str | None], str]] = [(key.name, key.columns, "key") for key in constrained]
    parts += [(index.name, (*map(column_of, index.columns), *index.include), "index") for index in table.indexes]
    for name, used, kind in parts:
        for missing in [column for column in used if column is not None and column not in columns]:
            yield f"{table.full_name}.{name}: column {missing!r} is not declared; declare it or correct the {kind}"
    for key in table.foreign_keys:
        if len(key.columns) != len(key.references):
            yield (f"{table.full_name}.{key.name}: {len(key.columns)} columns refer to {len(key.references)}; "
                   "name as many")
