"""The table itself with all its parts: created, canonicalised, changed part by part, dropped."""

from __future__ import annotations

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
    exclusion,
    foreign_key,
    generated_column,
    hypertable,
    index,
    index_targets,
    key,
    reorder,
    retention,
    row_security,
    table_storage,
    trigger,
)
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.kinds.policy import undeclared as undeclared_policies
from schema.model import table_options
from schema.model.change import dependencies, renames
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step, Transaction, split_allowed
from schema.model.live.tables import LiveTable, default_time_index
from schema.model.names import ident, repeated
from schema.model.objects import Check, Column, Exclusion, ForeignKey, Index, Key, Policy, Table, Trigger
from schema.model.table_options import column_of

Named = Column | Key | ForeignKey | Check | Exclusion | Index | Trigger | Policy
# The order in which the parts of one table are created: each part after those that it depends on.
PARTS = (column.steps, key.steps, column.after_keys, check.steps, table_storage.steps, hypertable.steps,
         exclusion.steps, foreign_key.steps, index.steps, columnstore.steps, retention.steps, reorder.steps,
         trigger.steps, row_security.steps)


def create_step(table: Table) -> Step:
    """Create the table with its columns, keys, checks and foreign keys."""
    lines = [*(column.definition(part) for part in table.columns), *(key.definition(part) for part in table.keys),
             *(check.definition(part) for part in table.checks if part.valid),
             *(exclusion.definition(part) for part in table.exclusions),
             *(foreign_key.definition(part) for part in table.foreign_keys if part.valid)]
    body = ",\n    ".join(lines)
    return Step(Action.CREATE, table.full_name, f"CREATE {table_storage.persistence(table)}TABLE "
                f"{ident(table.full_name)} (\n    {body}\n){table_storage.definition(table)}",
                "the table does not exist")


def needs_server(table: Table) -> bool:
    """Whether the table has parts that need the whole table in the scratch schema to be canonicalised."""
    return bool(table.triggers or (table.row_security and table.row_security.policies))


def creation(table: Table) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create the table in an empty schema: all that expressions and queries can name.

    It has no sequences and no foreign keys.
    """
    bare = replace(table, foreign_keys=(), exclusions=(), options=(), unlogged=False, columns=tuple(
        replace(column, serial=False, identity=None, default=None) for column in table.columns))
    yield table.full_name, create_step(bare).sql
    if table.hypertable:
        yield table.full_name, hypertable.creation(table, table.hypertable)
        if table.hypertable.now:
            yield table.full_name, hypertable.present(table, table.hypertable)
    for declared_trigger in table.triggers:
        yield declared_trigger.name, trigger.definition(table, replace(declared_trigger, from_table=None))
    for policy in table.row_security.policies if table.row_security else ():
        yield policy.name, row_security.definition(table, policy)


# Type, default, collation and storage of a column.
Spelling = tuple[str, str | None, str | None, str | None]


def spelling(given: Column) -> Spelling:
    """What of a column the server spells in its own words: type, default, collation, storage."""
    return given.type, given.default, given.collation, given.storage and given.storage.lower()


def with_plain_words(declared: Table, merged: Table | None, words: Mapping[Spelling, Spelling]) -> Table:
    """Return the declared table in canonical form, but for the parts that need a scratch table of their own.

    `merged` has its canonical expressions where it has any, `words` the canonical spelling of its columns.
    """
    source = merged or declared
    spelled = [(given, *words[spelling(given)]) for given in source.columns]
    columns = tuple(table_options.column(replace(given, type=type_, default=default, collation=collation,
                                                 storage=storage, renamed_from=None))
                    for given, type_, default, collation, storage in spelled)
    return replace(source, columns=columns, options=table_options.options(source.options), keys=tuple(
                       replace(given, options=table_options.options(given.options)) for given in source.keys),
                    renamed_from=None, allow=(),
                   indexes=tuple(index.plain(declared_index) or declared_index for declared_index in source.indexes))


def canonicalise(table: Table, scratch: LiveTable) -> Table:
    """Return the declared table as the server spelled the scratch one; named parts stay in declared order."""
    created = scratch.table
    triggers = [replace(canonical, disabled=trigger_.disabled, role=trigger_.role, from_table=trigger_.from_table)
                for canonical, trigger_ in zip(_ordered(table.triggers, created.triggers), table.triggers, strict=True)]
    security = table.row_security
    if security:
        security = replace(security, policies=_ordered(security.policies, scratch.policies))
    return replace(table, triggers=tuple(triggers), row_security=security)


def _ordered(declared: Sequence[Any], created: Sequence[Any]) -> tuple[Any, ...]:
    by_name = {part.name: part for part in created}
    return tuple(replace(by_name[part.name], comment=part.comment) if part.name in by_name else part
                 for part in declared)


def steps(diff: TableDiff) -> tuple[list[Step], list[str]]:
    """Plan one table with all its parts; no step where live equals declared."""
    steps: list[Step] = []
    warnings: list[str] = []
    if diff.live is None:
        steps.append(create_step(diff.created))
        diff = diff.once_created()
    else:
        if diff.context.former_name:
            step = renames.step("TABLE", diff.context.former_name, diff.declared)
            steps.append(replace(step, transaction=Transaction.OWN))
        diff, renamed = renames.columns(diff)
        steps.extend(renamed)
        diff, renamed = constraint.rename_steps(diff)
        steps.extend(renamed)
        undeclared, warnings = _undeclared_steps(diff)
        steps.extend(undeclared)
        diff = constraint.without(diff, {step.object for step in undeclared})
        diff, without = generated_column.without_generated(diff)
        steps.extend(without)
    awaiting = dependencies.parts_that_await(diff.declared, diff.context.later)
    for part in PARTS:
        if part is hypertable.steps and diff.canonical.hypertable and diff.present.table.hypertable is None:
            diff, widened = index.widened(diff, hypertable.partitioning(diff.canonical.hypertable))
            steps.extend(widened)
        steps.extend(_awaiting(part(diff), awaiting) if part in (foreign_key.steps, row_security.steps) else part(diff))
        if part is hypertable.steps:
            diff = hypertable.as_hypertable(diff)
    steps.extend(index_targets.steps(diff, steps))
    changed = {step.object for step in steps}
    steps.extend(table_storage.mark_steps(diff, changed))
    remade = {step.object for step in steps if step.action in (Action.CREATE, Action.REPLACE, Action.DROP)}
    steps.extend(step if step.sql.startswith("COMMENT ON COLUMN") else _awaiting([step], awaiting)[0]
                 for step in comment.steps(diff, remade))
    # Last, when nothing that is declared depends on them any more.
    dropped, further = split_allowed(column.drop_steps(diff), diff.allowed)
    if dropped:
        columnstore.require_released(diff)
    return [*steps, *dropped], [*warnings, *further]


def _awaiting(steps: Iterable[Step], awaiting: Collection[str]) -> list[Step]:
    """The steps of parts that name what does not exist yet wait for it."""
    return [replace(step, later=True) if step.object in awaiting else step for step in steps]


def _undeclared_steps(diff: TableDiff) -> tuple[list[Step], list[str]]:
    """Drop undeclared parts where their hazards are allowed by name; returns a warning for each one that stays."""
    canonical, live = diff.canonical, diff.present.table
    passing = {column.not_null_proof(canonical_column.name) for canonical_column in canonical.columns}
    declared = constraint.names(canonical) | passing
    drops = [constraint.drop_step(diff, name, "nobody declares the constraint")
             for name in sorted(constraint.names(live) - declared)]
    drops += [index.drop_step(diff, name) for name in _undeclared_indexes(diff)]
    declared = {trigger.name for trigger in canonical.triggers}
    drops += [trigger.drop_step(diff.name, live_trigger.name, diff.transaction) for live_trigger in live.triggers
              if live_trigger.name not in declared]
    drops += row_security.undeclared_steps(diff)
    drops += undeclared_policies(diff)
    return split_allowed(drops, diff.allowed)


def _undeclared_indexes(diff: TableDiff) -> list[str]:
    """Undeclared indexes, but for TimescaleDB's own on time, our unfinished ones, and those about to be renamed."""
    canonical, live = diff.canonical, diff.present.table
    ours = {index.name for index in canonical.indexes} | {key.name for key in canonical.keys}
    ours |= set(map(index.new_name, ours))
    if live.hypertable:
        ours.add(default_time_index(live, live.hypertable))
    missing = ours - {index.name for index in live.indexes}
    twins = {_unnamed(index) for index in canonical.indexes if index.name in missing}
    return [index.name for index in live.indexes if index.name not in ours and _unnamed(index) not in twins]


def _unnamed(declared: Index) -> tuple[object, ...]:
    return (declared.columns, declared.unique, declared.method, declared.include, declared.where,
            declared.nulls_distinct, declared.options)


def errors(table: Table) -> Iterable[str]:
    """Parts that are declared twice, or that name columns which are not declared."""
    yield from _declared_twice(table)
    yield from _missing(table)


def _declared_twice(table: Table) -> Iterable[str]:
    policies = table.row_security.policies if table.row_security else ()
    groups: tuple[tuple[Named, ...], ...] = (
        table.columns, (*table.keys, *table.foreign_keys, *table.checks, *table.exclusions),
        (*table.indexes, *table.keys, *table.exclusions),
        table.triggers, policies)
    for group in groups:
        yield from (f"{table.full_name}.{twice}: declared twice; keep one"
                    for twice in repeated(part.name for part in group))
    if sum(key.primary for key in table.keys) > 1:
        yield f"{table.full_name}: more than one primary key is declared; keep one"


def _missing(table: Table) -> Iterable[str]:
    columns = {column.name for column in table.columns}
    constrained: tuple[Key | ForeignKey, ...] = (*table.keys, *table.foreign_keys)
    parts: list[tuple[str, Iterable[str | None], str]] = [(part_.name, part_.columns, "key") for part_ in constrained]
    parts += [(part_.name, part_.include, "key") for part_ in table.keys]
    parts += [(part_.name, part_.set_columns, "key") for part_ in table.foreign_keys]
    parts += [(part_.name, (*map(column_of, part_.columns), *part_.include), "index") for part_ in table.indexes]
    parts += [(part_.name, (*map(column_of, part_.elements), *part_.include), "exclusion")
              for part_ in table.exclusions]
    for part, used, kind in parts:
        for missing in [name for name in used if name is not None and name not in columns]:
            yield f"{table.full_name}.{part}: column {missing!r} is not declared; declare it or correct the {kind}"
    for part_ in table.foreign_keys:
        if len(part_.columns) != len(part_.references):
            yield (f"{table.full_name}.{part_.name}: {len(part_.columns)} columns refer to {len(part_.references)}; "
                   "name as many")


KIND = Kind(
    Table, resource="schema:Table", page="table.md", read=tables.read,
    server_words=ServerWords(creation, canonicalise, needs_server), steps=steps, lint=errors, diff=TableDiff,
    drops=(Drop("table", "DROP TABLE {}", Hazard.DROPS_TABLE),))
