"""The table itself with all its parts: created, put into the server's words, changed part by part, dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.catalog.readers import tables
from schema.kinds import (
    check,
    column,
    columnstore,
    comment,
    constraint,
    foreign_key,
    hypertable,
    index,
    key,
    reorder,
    retention,
    row_security,
    trigger,
)
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model import renames
from schema.model.diff import TableDiff
from schema.model.live import LiveTable, default_time_index
from schema.model.names import ident
from schema.model.objects import Check, Column, ForeignKey, Index, Key, Policy, Table, Trigger
from schema.model.step import Action, Hazard, Step, Transaction

Named = Column | Key | ForeignKey | Check | Index | Trigger | Policy
# The order in which the parts of one table are made: what later parts stand on comes first.
PARTS = (column.steps, key.steps, column.after_keys, hypertable.steps, check.steps, foreign_key.steps, index.steps,
         columnstore.steps, retention.steps, reorder.steps, trigger.steps, row_security.steps)


def create_step(table: Table) -> Step:
    """Create the table with its columns, keys, checks and foreign keys."""
    lines = [*(column.definition(each) for each in table.columns), *(key.definition(each) for each in table.keys),
             *(check.definition(each) for each in table.checks),
             *(foreign_key.definition(each) for each in table.foreign_keys)]
    body = ",\n    ".join(lines)
    return Step(Action.CREATE, table.full_name, f"CREATE TABLE {ident(table.full_name)} (\n    {body}\n)",
                "the table does not exist")


def needs_server(table: Table) -> bool:
    """Whether the table has parts that the server words only where the whole table is made."""
    return bool(table.triggers or (table.row_security and table.row_security.policies))


def creation(table: Table) -> Iterable[tuple[str, str]]:
    """(part, SQL) that make the table where nothing is: what its expressions and the queries over it can name.

    Numbers come from no sequence here, and rows refer to nothing.
    """
    bare = replace(table, foreign_keys=(), columns=tuple(replace(each, serial=False, identity=None, default=None)
                                                         for each in table.columns))
    yield table.full_name, create_step(bare).sql
    if table.hypertable:
        yield table.full_name, hypertable.creation(table, table.hypertable)
        if table.hypertable.now:
            yield table.full_name, hypertable.present(table, table.hypertable)
    for each in table.triggers:
        yield each.name, trigger.definition(table, each)
    for policy in table.row_security.policies if table.row_security else ():
        yield policy.name, row_security.definition(table, policy)


def with_plain_words(declared: Table, merged: Table | None,
                     words: Mapping[tuple[str, str | None], tuple[str, str | None]]) -> Table:
    """The declared table in the server's words but for what needs a scratch table of its own.

    `merged` has the words of its expressions where it has any, `words` those of types and defaults.
    """
    source = merged or declared
    columns = tuple(replace(each, type=words[each.type, each.default][0], default=words[each.type, each.default][1],
                            renamed_from=None) for each in source.columns)
    return replace(source, columns=columns, renamed_from=None, allow=(),
                   indexes=tuple(index.plain(each) or each for each in source.indexes))


def canonicalise(table: Table, found: LiveTable) -> Table:
    """The declared table with the words of the one that was made of it; named parts stay in declared order."""
    made = found.table
    triggers = [replace(mine, disabled=each.disabled)
                for mine, each in zip(_ordered(table.triggers, made.triggers), table.triggers, strict=True)]
    security = table.row_security
    if security:
        security = replace(security, policies=_ordered(security.policies, found.policies))
    return replace(table, triggers=tuple(triggers), row_security=security)


def _ordered(declared: Sequence[Any], made: Sequence[Any]) -> tuple[Any, ...]:
    by_name = {each.name: each for each in made}
    return tuple(replace(by_name[each.name], comment=each.comment) if each.name in by_name else each
                 for each in declared)


def steps(diff: TableDiff) -> tuple[list[Step], list[str]]:
    """The steps of one table, with all that hangs on it."""
    found: list[Step] = []
    warnings: list[str] = []
    if diff.live is None:
        found.append(create_step(diff.declared))
        diff = diff.once_created()
    else:
        if diff.context.former_name:
            step = renames.step("TABLE", diff.context.former_name, diff.declared)
            found.append(replace(step, transaction=Transaction.OWN))
        diff, renamed = renames.columns(diff)
        found.extend(renamed)
        diff, renamed = constraint.renames(diff)
        found.extend(renamed)
        undeclared, warnings = _undeclared_steps(diff)
        found.extend(undeclared)
        diff = constraint.without(diff, {step.object for step in undeclared})
        diff, without = column.without_generated(diff)
        found.extend(without)
    for part in PARTS:
        found.extend(part(diff))
        if part is hypertable.steps:
            diff = hypertable.converted(diff)
    found.extend(comment.steps(diff, {step.object for step in found}))
    # Last, when nothing that is declared stands on them any more.
    dropped, left = _permitted(column.drop_steps(diff), diff.allowed)
    if dropped:
        columnstore.require_released(diff)
    return [*found, *dropped], [*warnings, *left]


def _undeclared_steps(diff: TableDiff) -> tuple[list[Step], list[str]]:
    """Drop what nobody declares where its hazard is allowed by name; say what was left in place."""
    canonical, live = diff.canonical, diff.present.table
    passing = {column.not_null_proof(each.name) for each in canonical.columns}
    declared = constraint.names(canonical) | passing
    found = [constraint.drop_step(diff, name, "nobody declares the constraint")
             for name in sorted(constraint.names(live) - declared)]
    found += [index.drop_step(diff, name) for name in _undeclared_indexes(diff)]
    declared = {each.name for each in canonical.triggers}
    found += [trigger.drop_step(diff, each.name) for each in live.triggers if each.name not in declared]
    found += row_security.undeclared_steps(diff)
    return _permitted(found, diff.allowed)


def _permitted(found: Sequence[Step], allowed: Collection[str]) -> tuple[list[Step], list[str]]:
    """Of steps that drop something, those that are allowed, and a warning for each of the others."""
    steps = [step for step in found if all(hazard in allowed for hazard in step.hazards)]
    warnings = [f"{step.object} is not declared and was left in place; declare it, or allow {step.hazards[0]} to "
                "drop it"
                for step in found if step not in steps]
    return steps, warnings


def _undeclared_indexes(diff: TableDiff) -> list[str]:
    """Indexes nobody declares, but for TimescaleDB's own on time, our unfinished ones and twins about to be renamed."""
    canonical, live = diff.canonical, diff.present.table
    ours = {each.name for each in canonical.indexes} | {each.name for each in canonical.keys}
    ours |= {name[:63 - len(index.BESIDE)] + index.BESIDE for name in ours}
    if live.hypertable:
        ours.add(default_time_index(live, live.hypertable))
    missing = ours - {each.name for each in live.indexes}
    twins = {_unnamed(each) for each in canonical.indexes if each.name in missing}
    return [each.name for each in live.indexes if each.name not in ours and _unnamed(each) not in twins]


def _unnamed(each: Index) -> tuple[object, ...]:
    return (each.columns, each.unique, each.method, each.include, each.where)


def errors(table: Table) -> Iterable[str]:
    """Parts that are declared twice, or that name columns which are not declared."""
    yield from _twice(table)
    yield from _missing(table)


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
    parts: list[tuple[str, Iterable[str | None], str]] = [(one.name, one.columns, "key") for one in constrained]
    parts += [(one.name, (*map(index.column_of, one.columns), *one.include), "index") for one in table.indexes]
    for part, used, kind in parts:
        for missing in [name for name in used if name is not None and name not in columns]:
            yield f"{table.full_name}.{part}: column {missing!r} is not declared; declare it or correct the {kind}"
    for one in table.foreign_keys:
        if len(one.columns) != len(one.references):
            yield (f"{table.full_name}.{one.name}: {len(one.columns)} columns refer to {len(one.references)}; "
                   "name as many")


KIND = Kind(
    Table, resource="schema:Table", page="table.md", read=tables.read,
    server_words=ServerWords(creation, canonicalise, needs_server), steps=steps, lint=errors, diff=TableDiff,
    drops=(Drop("table", "DROP TABLE {}", Hazard.DROPS_TABLE),))
