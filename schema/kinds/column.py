"""Columns: added, given their declared type, default, nullability and identity."""

from __future__ import annotations

import re
from dataclasses import replace

from schema.errors import DeclarationError, UnsafeChangeError, UnsupportedError
from schema.kinds import column_options, column_type, view
from schema.kinds.column_type import step as _step
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step, Transaction
from schema.model.names import ident, literal, quoted
from schema.model.objects import Column

SERIALS = {"smallint": "smallserial", "int2": "smallserial", "integer": "serial", "int": "serial", "int4": "serial",
           "bigint": "bigserial", "int8": "bigserial"}
# Functions that give every existing row the same value: such a default is stored once and rewrites nothing.
STABLE = re.compile(r"\b(now|transaction_timestamp|statement_timestamp|timezone|to_timestamp)\s*\(", re.I)
_LITERAL = re.compile(r"[eEbBxX]?'(?:[^']|'')*'")
_CAST = re.compile(r'::(?:"(?:[^"]|"")+"|[A-Za-z_][\w ]*(?:\([\d, ]*\))?(?: with(?:out)? time zone)?|\.)+(?:\[\])*')


def definition(column: Column) -> str:
    """The column as CREATE TABLE and ADD COLUMN take it."""
    if column.serial and column.type.lower() not in SERIALS:
        raise DeclarationError(f"{column.name}: serial is declared with type {column.type}, which numbers nothing; use "
                               "smallint, integer or bigint")
    parts = [quoted(column.name), SERIALS[column.type.lower()] if column.serial else column.type]
    if column.collation:
        parts.append(f"COLLATE {column.collation}")
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generated}) {'VIRTUAL' if column.virtual else 'STORED'}")
    if column.identity:
        options = column_options.counting(column)
        parts.append(f"GENERATED {column.identity.upper()} AS IDENTITY{f' ({options})' if options else ''}")
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if not column.null:
        parts.append("NOT NULL")
    return " ".join(parts)


def steps(diff: TableDiff) -> list[Step]:
    """Add the columns that are missing and alter those that differ."""
    live = {column.name: column for column in diff.present.table.columns}
    steps: list[Step] = []
    columns = list(zip(diff.declared.columns, diff.canonical.columns, strict=True))
    # What is computed from other columns comes after them.
    for declared, canonical in sorted(columns, key=lambda pair: pair[0].generated is not None):
        if canonical.name not in live:
            steps.extend(_add(diff, declared, canonical))
            steps.extend(column_options.steps(diff, declared, canonical, column_options.as_created(canonical)))
        elif canonical != live[canonical.name]:
            steps.extend(_alter(diff, declared, canonical, live[canonical.name]))
    return steps


def drop_steps(diff: TableDiff) -> list[Step]:
    """Drop the columns that nobody declares, with their values; what is computed from another goes before it."""
    names = {column.name for column in diff.canonical.columns}
    gone = [column for column in diff.present.table.columns if column.name not in names]
    return [_drop(diff, column) for column in sorted(gone, key=_is_plain)]


def _is_plain(column: Column) -> bool:
    return column.generated is None


def _drop(diff: TableDiff, column: Column) -> Step:
    """What this plan changes does not use the column by then; other views are created again as they are declared."""
    step = replace(_step(diff, column, f"DROP COLUMN {quoted(column.name)}", "nobody declares the column",
                         Hazard.DROPS_COLUMN, action=Action.DROP), last=True,
                   removes=(Removed(Sort.COLUMN, diff.name, column.name),))
    if Hazard.DROPS_COLUMN not in diff.allowed:
        return step
    blocking = [dependant for dependant in diff.dependants_on({column.name}) if not dependant.planned]
    before, after = view.around(step.object, blocking, "the column is going to be dropped", view.as_declared)
    return replace(step, sql="; ".join([*before, step.sql, *after]), drops=view.dropped_names(blocking))


def _add(diff: TableDiff, column: Column, canonical: Column) -> list[Step]:
    has_rows = diff.weight.has_rows
    if column.identity:
        _require_no_chunks(diff, column)
    fills = bool(column.default or column.serial or column.identity or column.generated)
    if has_rows and not column.null and not fills:
        raise UnsafeChangeError(f"{diff.name}.{column.name}: NOT NULL without a default cannot be added to a "
                                "table with rows; declare a default, or add it nullable, fill it and declare it then")
    if diff.has_columnstore and (_computed(column) or not _constant(canonical.default)):
        # TimescaleDB would take a serial and leave it NULL in every compressed row.
        raise UnsupportedError(f"{diff.name}.{column.name}: a column whose values are computed cannot be added "
                               "while the columnstore is enabled (a constant default is required); declare a constant, "
                               "or no default, and fill the column")
    hazards = (Hazard.REWRITES_TABLE,) if has_rows and _rewrites(column) else ()
    why = "the column does not exist"
    if diff.has_columnstore and not column.null and not fills:
        # NOT NULL comes by itself: under the columnstore it is refused together with the column, rows or no rows.
        return [_step(diff, column, f"ADD COLUMN {definition(replace(column, null=True))}", why,
                      action=Action.CREATE),
                *_set_not_null(diff, column)]
    step = _step(diff, column, f"ADD COLUMN {definition(column)}", why, *hazards, action=Action.CREATE)
    return [replace(step, removes=(Removed(Sort.ROW, diff.name),)) if fills else step]


def _computed(column: Column) -> bool:
    return bool(column.serial or column.identity or column.generated)


def _rewrites(column: Column) -> bool:
    """Whether adding the column computes a value row by row."""
    if _computed(column):
        return not column.virtual
    return bool(column.default) and "(" in STABLE.sub("", column.default or "")


def _constant(default: str | None) -> bool:
    """Whether a canonical default is a constant: nothing but literals, casts and signs."""
    rest = _CAST.sub("", _LITERAL.sub("0", default or ""))
    return re.fullmatch(r"(true|false|null|[\d\s.+\-()])*", rest, re.I) is not None


def _alter(diff: TableDiff, declared: Column, canonical: Column, live: Column) -> list[Step]:
    steps: list[Step] = []
    name = quoted(declared.name)
    if diff.has_columnstore and (canonical.generated, canonical.identity) != (live.generated, live.identity):
        raise UnsupportedError(f"{diff.name}.{declared.name}: identity and generation cannot be changed while "
                               "the columnstore is enabled; declare the table without compression first (its chunks "
                               "must be decompressed), apply, then declare both")
    if (canonical.generated, canonical.virtual) != (live.generated, live.virtual):
        steps.append(_alter_generated(diff, declared, live))
    if (canonical.type, canonical.collation) != (live.type, live.collation):
        steps.append(column_type.alter(diff, declared, canonical, live))
        # The server gives the column what its new type has.
        live = replace(live, storage=None, compression=None,
                       default=live.default if live.default is None else canonical.default)
    if live.identity and not canonical.identity:
        steps.append(replace(_step(diff, declared, f"ALTER COLUMN {name} DROP IDENTITY", "the column is no identity"),
                             removes=_sequence(diff, declared)))
    if (canonical.default, canonical.serial) != (live.default, live.serial):
        steps.extend(_alter_default(diff, declared, live))
        # A sequence that is new counts by its own.
        live = replace(live, numbers=live.numbers if live.serial else None)
    if canonical.null and not live.null and not _in_primary_key(diff, declared):
        steps.append(_drop_not_null(diff, declared))
    elif live.null and not canonical.null:
        steps.extend(_set_not_null(diff, declared))
    if canonical.identity and canonical.identity != live.identity:
        steps.extend(_alter_identity(diff, declared, live, canonical.identity.upper()))
    return [*steps, *column_options.steps(diff, declared, canonical, live)]


def _alter_identity(diff: TableDiff, column: Column, live: Column, kind: str) -> list[Step]:
    name = quoted(column.name)
    if live.identity:
        return [_step(diff, column, f"ALTER COLUMN {name} SET GENERATED {kind}",
                      f"the column is {live.identity} identity")]
    _require_no_chunks(diff, column)
    where, table = f"{diff.name}.{column.name}", ident(diff.name)
    sequence = f"pg_get_serial_sequence({literal(table)}, {literal(column.name)})"
    options = column_options.counting(column)
    identity = f"{kind} AS IDENTITY{f' ({options})' if options else ''}"
    return [
        _step(diff, column, f"ALTER COLUMN {name} ADD GENERATED {identity}", "the column is no identity"),
        Step(Action.ALTER, where, f"SELECT setval({sequence}, {column_options.next_number(column)}, false) FROM "
             f"{table}", "the next number is a new one", transaction=diff.transaction),
    ]


def _require_no_chunks(diff: TableDiff, column: Column) -> None:
    if diff.present.table.hypertable and diff.weight.chunks:
        raise UnsupportedError(f"{diff.name}.{column.name}: a hypertable with chunks takes no identity column; "
                               "declare it serial, or with a default of its own")


def after_keys(diff: TableDiff) -> list[Step]:
    """Make columns nullable that a primary key held until it was replaced."""
    live = {column.name: column for column in diff.present.table.columns}
    kept = {key.name for key in diff.canonical.keys}
    replaced = {name for key in diff.present.table.keys for name in key.columns
                if key.primary and key.name in kept}
    return [_drop_not_null(diff, column) for column in diff.canonical.columns
            if column.null and column.name in replaced and column.name in live and not live[column.name].null]


def _in_primary_key(diff: TableDiff, column: Column) -> bool:
    return any(key.primary and column.name in key.columns for key in diff.present.table.keys)


def _alter_generated(diff: TableDiff, column: Column, live: Column) -> Step:
    name = quoted(column.name)
    if column.generated is None:
        return _step(diff, column, f"ALTER COLUMN {name} DROP EXPRESSION", "the column is not generated")
    if live.generated is None or column.virtual != live.virtual or diff.context.server_version < 170000:
        raise UnsupportedError(f"{diff.name}.{column.name}: its generation expression cannot be changed in "
                               "place on this server; drop the column (allow drops_column) and apply again")
    hazards = (Hazard.REWRITES_TABLE,) if diff.weight.has_rows else ()
    return _step(diff, column, f"ALTER COLUMN {name} SET EXPRESSION AS ({column.generated})",
                 f"it is generated as {live.generated}", *hazards)


def _alter_default(diff: TableDiff, column: Column, live: Column) -> list[Step]:
    name = quoted(column.name)
    why = f"the default is {'the next number' if live.serial else live.default or 'none'}"
    if not column.serial:
        action = f"SET DEFAULT {column.default}" if column.default is not None else "DROP DEFAULT"
        step = _step(diff, column, f"ALTER COLUMN {name} {action}", why)
        return [replace(step, sql=f"{step.sql}; {_without_sequence(diff, column)}",
                        removes=_sequence(diff, column)) if live.serial else step]
    table = diff.declared
    sequence = f"{table.full_name}_{column.name}_seq"
    last = (f"SELECT setval({literal(ident(sequence))}, {column_options.next_number(replace(column, numbers=None))}, "
            f"false) FROM {ident(table.full_name)}")
    where = f"{table.full_name}.{column.name}"
    owner = f"OWNED BY {ident(where)}"
    return [
        Step(Action.CREATE, where, f"CREATE SEQUENCE IF NOT EXISTS {ident(sequence)} AS {column.type}", why),
        Step(Action.ALTER, where, f"ALTER SEQUENCE {ident(sequence)} {owner}", "the sequence goes with its column"),
        _step(diff, column, f"ALTER COLUMN {name} SET DEFAULT nextval({literal(ident(sequence))})", why),
        Step(Action.ALTER, where, last, "the next number is a new one"),
    ]


def _sequence(diff: TableDiff, column: Column) -> tuple[Removed, ...]:
    return (Removed(Sort.SEQUENCE, diff.name, column.name),)


def _without_sequence(diff: TableDiff, column: Column) -> str:
    """SQL that drops the sequence which the column owns."""
    table, name = literal(ident(diff.name)), literal(column.name)
    return f"DO $$ BEGIN EXECUTE format('DROP SEQUENCE %s', pg_get_serial_sequence({table}, {name})); END $$"


def _drop_not_null(diff: TableDiff, column: Column) -> Step:
    return _step(diff, column, f"ALTER COLUMN {quoted(column.name)} DROP NOT NULL", "the column is NOT NULL")


def _set_not_null(diff: TableDiff, column: Column) -> list[Step]:
    """Set NOT NULL at once in a table without rows, else through a check that is validated without blocking writers."""
    name = quoted(column.name)
    plain = _step(diff, column, f"ALTER COLUMN {name} SET NOT NULL", "the column is nullable")
    if not diff.weight.has_rows:
        return [plain]
    if diff.has_columnstore:
        return [replace(plain, hazards=(Hazard.BLOCKS_WRITES,), heavy=True)]
    proof = ident(not_null_proof(column.name))
    table = ident(diff.name)
    return [
        _step(diff, column, f"DROP CONSTRAINT IF EXISTS {proof}, ADD CONSTRAINT {proof} CHECK ({name} IS NOT "
                                  "NULL) NOT VALID", "a check first proves that no row is NULL"),
        Step(Action.VALIDATE, plain.object, f"ALTER TABLE {table} VALIDATE CONSTRAINT {proof}",
             "reads every row, blocks no writer",
             transaction=Transaction.OWN, cost=f"SHARE UPDATE EXCLUSIVE, {diff.weight.text()}", heavy=True),
        Step(Action.ALTER, plain.object, f"{plain.sql}, DROP CONSTRAINT {proof}", plain.why,
             transaction=Transaction.OWN,
             cost="ACCESS EXCLUSIVE, no scan"),
    ]


def not_null_proof(column: str) -> str:
    """The name of the passing check that proves a column to hold no NULL."""
    return f"{column}_is_not_null"[-63:]
