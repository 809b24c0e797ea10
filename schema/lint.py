"""Find what is wrong in the declarations themselves, before any server is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from schema import intervals
from schema.errors import DeclarationError
from schema.names import LONGEST_BYTES
from schema.objects import Check, Column, ForeignKey, Function, Index, Job, Key, Object, Table

Named = Table | Column | Key | ForeignKey | Check | Index


def lint(objects: Sequence[Object]) -> None:
    """Raise DeclarationError with every finding, one line each."""
    # Relations and types share their names; functions and jobs have names of their own.
    names = Counter((type(each) if isinstance(each, Function | Job) else Table, each.full_name) for each in objects)
    findings = [f"{name}: declared twice; keep one" for (_, name), count in names.items() if count > 1]
    for each in objects:
        if isinstance(each, Table):
            findings.extend(_table(each))
    if findings:
        raise DeclarationError("\n".join(findings))


def _table(table: Table) -> Iterable[str]:
    name = table.full_name
    parts: tuple[Named, ...] = (*table.columns, *table.keys, *table.foreign_keys, *table.checks, *table.indexes)
    for each in (table, *parts):
        if len(each.name.encode()) > LONGEST_BYTES:
            yield (f"{name}: name {each.name!r} has {len(each.name.encode())} bytes; PostgreSQL cuts at "
                   f"{LONGEST_BYTES}: shorten it")
    groups: tuple[tuple[Named, ...], ...] = (
        table.columns, (*table.keys, *table.foreign_keys, *table.checks), (*table.indexes, *table.keys))
    for group in groups:
        for twice in [part for part, count in Counter(part.name for part in group).items() if count > 1]:
            yield f"{name}.{twice}: declared twice; keep one"
    columns = {column.name for column in table.columns}
    constrained: tuple[Key | ForeignKey, ...] = (*table.keys, *table.foreign_keys)
    for key in constrained:
        for missing in [column for column in key.columns if column not in columns]:
            yield f"{name}.{key.name}: column {missing!r} is not declared; declare it or correct the key"
    if sum(key.primary for key in table.keys) > 1:
        yield f"{name}: more than one primary key is declared; keep one"
    yield from _hypertable(table, columns)


def _hypertable(table: Table, columns: set[str]) -> Iterable[str]:
    name = table.full_name
    if table.hypertable is None:
        for part in ("compression", "retention"):
            if getattr(table, part) is not None:
                yield f"{name}.{part}: the table is no hypertable; declare hypertable, or drop the {part}"
        return
    time = table.hypertable.time
    if time not in columns:
        yield f"{name}.hypertable: column {time!r} is not declared; declare it or name another"
    for key in table.keys:
        if time not in key.columns:
            yield f"{name}.{key.name}: a key of a hypertable must contain {time!r}; add it"
    for index in table.indexes:
        if index.unique and time not in [term.split()[0] for term in index.columns]:
            yield f"{name}.{index.name}: a unique index of a hypertable must contain {time!r}; add it"
    unreadable = [*_unreadable(table)]
    yield from unreadable or _policies(table, columns)


def _unreadable(table: Table) -> Iterable[str]:
    """Durations that are no interval."""
    for part in (table.hypertable, table.compression, table.retention):
        for field in ("chunk", "after", "drop_after", "schedule"):
            text = getattr(part, field, None)
            try:
                intervals.length(text or "0")
            except DeclarationError as error:
                yield f"{table.full_name}.{field}: {error}"


def _policies(table: Table, columns: set[str]) -> Iterable[str]:
    name, compression, retention = table.full_name, table.compression, table.retention
    if compression:
        for term in (*compression.segment_by, *compression.order_by):
            if term.split()[0] not in columns:
                yield f"{name}.compression: column {term.split()[0]!r} is not declared; declare it or name another"
    if compression and compression.after and retention and \
            intervals.fixed_length(compression.after) >= intervals.fixed_length(retention.drop_after):
        yield (f"{name}: compression after {compression.after} never happens, retention drops rows after "
               f"{retention.drop_after}; compress earlier")
