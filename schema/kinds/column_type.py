"""Changes of a column's type: what is rewritten, what converts, and which views and triggers are in the way."""

from __future__ import annotations

from dataclasses import replace

from schema.capabilities import TYPES_IN_COLUMNSTORE
from schema.catalog import conversions
from schema.errors import UnsupportedError
from schema.kinds import comment, row_security, trigger, view
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step
from schema.model.live.views import Dependant
from schema.model.names import ident, literal, quoted
from schema.model.objects import Check, Column, ForeignKey, Index, Key
from schema.model.sql_names import names_in


def step(diff: TableDiff, column: Column, change: str, why: str, *hazards: Hazard,
         action: Action = Action.ALTER) -> Step:
    """Return a step that changes one column of the table."""
    return Step(action, f"{diff.name}.{column.name}", f"ALTER TABLE {ident(diff.name)} {change}", why,
                hazards,
                diff.transaction, diff.weight.text() and f"ACCESS EXCLUSIVE, {diff.weight.text()}",
                heavy=Hazard.REWRITES_TABLE in hazards)


def alter(diff: TableDiff, declared: Column, canonical: Column, live: Column) -> Step:
    """Give the column its declared type; whatever is in the way is dropped before and created again after it."""
    _require_rowstore(diff, declared, live)
    name = quoted(declared.name)
    collation = f" COLLATE {declared.collation}" if declared.collation else ""
    type_ = f"{declared.type}{collation}"
    guard, using, changes = _conversion(diff, declared, canonical, live)
    actions = [f"ALTER COLUMN {name} TYPE {type_}{using}"]
    if live.default is not None:
        # The old default need not be one of the new type.
        actions = [f"ALTER COLUMN {name} DROP DEFAULT", *actions]
        actions += [f"ALTER COLUMN {name} SET DEFAULT {declared.default}"] if declared.default is not None else []
    if live.generated is not None:
        guard, changes = "", None
        actions = [f"ALTER COLUMN {name} TYPE {type_}"]
    change = step(diff, declared, ", ".join(actions), f"the type is {live.type}"
                  f"{f' COLLATE {live.collation}' if live.collation or canonical.collation else ''}",
                  *_hazards(diff, canonical, live), *((changes,) if changes else ()))
    if changes:
        change = replace(change, cost=", ".join(filter(None, [_changed(diff, declared), change.cost])))
    change = replace(change, sql=f"{guard}{change.sql}")
    before, after = _out_of_the_way(diff, declared)
    change = replace(change, drops=view.dropped_names(_views(diff, declared)), removes=(
        Removed(Sort.ROW, diff.name), *(Removed(Sort.TYPE, diff.name, name, canonical.type)
                                        for name in (declared.name, declared.renamed_from) if name)))
    if live.serial and canonical.serial:
        after = [_sequence_type(diff, declared), *after]
    return replace(change, sql="; ".join([*before, change.sql, *after]))


def _hazards(diff: TableDiff, canonical: Column, live: Column) -> tuple[Hazard, ...]:
    """What is rewritten: the rows, or for another collation only the indexes, and nothing of an empty table."""
    if not diff.weight.has_rows:
        return ()
    if live.type != canonical.type and not conversions.keeps_storage(live.type, canonical.type):
        return (Hazard.REWRITES_TABLE,)
    return (Hazard.BLOCKS_WRITES,) if live.collation != canonical.collation else ()


def _conversion(diff: TableDiff, declared: Column, canonical: Column, live: Column) -> tuple[str, str, Hazard | None]:
    """What the statement needs first, its USING, and the hazard that values change.

    Where none is known to change, none does: the server refuses to assign what does not fit or, where it would round or
    cut without a word, the statement looks itself. They are cast where the hazard is there, which counts them.
    """
    name = quoted(declared.name)
    types = declared.type, canonical.type, live.type
    cast = f" USING {conversions.converted(name, *types)}"
    if conversions.is_exact(live.type, canonical.type):
        return "", cast, None
    values = diff.weight.changed(declared.name)
    if values.rows or (values.rows is None and diff.weight.has_rows and
                       (Hazard.CHANGES_VALUES in diff.allowed or not values.comparable)):
        return "", cast, Hazard.CHANGES_VALUES
    if conversions.is_refused(live.type, canonical.type):
        return "", "", None
    if not diff.weight.has_rows:
        return "", cast, None
    changed = conversions.changed(name, *types, collated=live.collation is not None)
    condition = changed if values.comparable else f"{name} IS NOT NULL"
    return f"{conversions.guard(ident(diff.name), declared.name, condition)}; ", cast, None


def _changed(diff: TableDiff, column: Column) -> str:
    """How many values the step changes, for people."""
    values = diff.weight.changed(column.name)
    if values.rows is None:
        return "the rows whose value changes were not counted"
    count = f"the values of {values.rows} row{'' if values.rows == 1 else 's'}"
    return f"{count} change" if values.comparable else f"{count} cannot be told to stay the same"


def _sequence_type(diff: TableDiff, column: Column) -> str:
    """SQL that gives the column's sequence the column's type: else its numbers end where the old type's end."""
    table, name = literal(ident(diff.name)), literal(column.name)
    return (f"DO $$ BEGIN EXECUTE format('ALTER SEQUENCE %s AS {column.type}', "
            f"pg_get_serial_sequence({table}, {name})); END $$")


def _out_of_the_way(diff: TableDiff, column: Column) -> tuple[list[str], list[str]]:
    """Statements before and after a change of type, for the views, triggers and policies that name the column: the
    server changes no type under them."""
    table, declared = diff.present.table, diff.declared
    blocking = _views(diff, column)
    before, after = view.around(f"{diff.name}.{column.name}", blocking, "its type is going to be changed",
                                view.as_it_was)
    on = ident(diff.name)
    for live_trigger in table.triggers:
        if column.name in names_in([live_trigger.fires, live_trigger.when or ""]):
            before.append(f"DROP TRIGGER {quoted(live_trigger.name)} ON {on}")
            after += [trigger.definition(declared, live_trigger),
                      *([] if trigger.is_enabled(live_trigger) else [trigger.state(declared, live_trigger)]),
                      *_comment(f"TRIGGER {quoted(live_trigger.name)} ON {on}", live_trigger.comment)]
    for policy in diff.present.policies:
        if column.name in names_in([policy.using or "", policy.check or ""]):
            before.append(f"DROP POLICY {quoted(policy.name)} ON {on}")
            after += [row_security.definition(declared, policy),
                      *_comment(f"POLICY {quoted(policy.name)} ON {on}", policy.comment)]
    for remarked, text in _remarks(diff, column) if table.hypertable else ():
        before.append(f"COMMENT ON {remarked} IS NULL")
        after += _comment(remarked, text)
    return before, after


def _remarks(diff: TableDiff, column: Column) -> list[tuple[str, str]]:
    """What of the column's constraints and indexes has a comment, and which: TimescaleDB refuses a type where the
    server would make such a comment again."""
    table = diff.present.table
    uses: list[tuple[str, Key | ForeignKey | Check | Index, set[str]]] = [
        ("CONSTRAINT", key, {*key.columns, *key.include}) for key in table.keys]
    uses += [("CONSTRAINT", key, {*key.columns}) for key in table.foreign_keys]
    uses += [("CONSTRAINT", check, {*names_in([check.expression])}) for check in table.checks]
    uses += [("INDEX", index, {*index.include, *names_in([*index.columns, index.where or ""])})
             for index in table.indexes]
    return [(f"{kind} {comment.on_part(kind, diff.declared.schema, ident(diff.name), part.name)}", part.comment)
            for kind, part, columns in uses if part.comment is not None and column.name in columns]


def _views(diff: TableDiff, column: Column) -> list[Dependant]:
    """The views that use the column, under its old or new name."""
    return diff.dependants_on({column.name, column.renamed_from or column.name})


def _comment(on: str, text: str | None) -> list[str]:
    return [f"COMMENT ON {on} IS {literal(text)}"] if text is not None else []


def _require_rowstore(diff: TableDiff, declared: Column, live: Column) -> None:
    """Raise where the columnstore keeps a column's type from being changed."""
    if not diff.has_columnstore:
        return
    what = f"{diff.name}.{declared.name}: type {live.type} cannot become {declared.type}"
    if diff.context.timescaledb < TYPES_IN_COLUMNSTORE:
        raise UnsupportedError(f"{what} while the columnstore is enabled; declare the table without compression first "
                               "(its chunks must be decompressed), apply, then declare both")
    if diff.weight.compressed_chunks:
        raise UnsupportedError(f"{what} while chunks are compressed, and {diff.weight.compressed_chunks} are; "
                               "decompress them (decompress_chunk), apply, and let the policy compress them again")
