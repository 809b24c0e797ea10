"""Columns: added, given their declared type, default, nullability and identity."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from schema import dependants
from schema.capabilities import TYPES_IN_COLUMNSTORE
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.kinds import row_security, trigger, view
from schema.live import Comparison
from schema.names import ident, literal
from schema.objects import Column
from schema.rewriting import names_in
from schema.step import Hazard, Step, Transaction

SERIALS = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}
# Functions that give every existing row the same value: such a default is stored once and rewrites nothing.
STABLE = re.compile(r"\b(now|transaction_timestamp|statement_timestamp|timezone|to_timestamp)\s*\(", re.I)
_LITERAL = re.compile(r"[eEbBxX]?'(?:[^']|'')*'")
_CAST = re.compile(r'::(?:"(?:[^"]|"")+"|[A-Za-z_][\w ]*(?:\([\d, ]*\))?(?: with(?:out)? time zone)?|\.)+(?:\[\])*')
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)\Z")
_BUILT_IN = re.compile(r"(smallint|integer|bigint|numeric|real|double|text|character|\"char\"|name|boolean|date|time|"
                       r"interval|json|uuid|bytea|inet|cidr|macaddr|bit|money|xml|oid|point|line|box|circle|tsvector|"
                       r"tsquery|\w+range|\w+multirange)\b")
_VARCHAR = re.compile(r"character varying\((\d+)\)\Z")


def definition(column: Column) -> str:
    """The column as CREATE TABLE and ADD COLUMN take it."""
    parts = [ident(column.name), SERIALS.get(column.type, column.type) if column.serial else column.type]
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
    if column.identity:
        parts.append(f"GENERATED {column.identity.upper()} AS IDENTITY")
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if not column.null:
        parts.append("NOT NULL")
    return " ".join(parts)


def steps(comparison: Comparison) -> list[Step]:
    """Add the columns that are missing and alter those that differ."""
    live = {column.name: column for column in comparison.present.table.columns}
    found: list[Step] = []
    columns = list(zip(comparison.declared.columns, comparison.wanted.columns, strict=True))
    # What is computed from other columns comes after them.
    for declared, wanted in sorted(columns, key=lambda pair: pair[0].generated is not None):
        if wanted.name not in live:
            found.extend(_add(comparison, declared, wanted))
        elif wanted != live[wanted.name]:
            found.extend(_alter(comparison, declared, wanted, live[wanted.name]))
    return found


def drop_steps(comparison: Comparison, allowed: Collection[str]) -> list[Step]:
    """Drop the columns that nobody declares, with their values; what is computed from another goes before it."""
    names = {each.name for each in comparison.wanted.columns}
    gone = [each for each in comparison.present.table.columns if each.name not in names]
    return [_drop(comparison, each, allowed) for each in sorted(gone, key=lambda each: each.generated is None)]


def _drop(comparison: Comparison, column: Column, allowed: Collection[str]) -> Step:
    """Views that this plan changes do not stand on the column by then; others are made again as they are declared."""
    step = replace(_step(comparison, column, f"DROP COLUMN {ident(column.name)}", "nobody declares the column",
                         Hazard.DROPS_COLUMN), last=True)
    if Hazard.DROPS_COLUMN not in allowed:
        return step
    blocking = [each for each in dependants.on(comparison, {column.name}) if not (each.planned and each.declared)]
    before, after = view.around(step.object, blocking, "the column is going to be dropped", view.as_declared)
    return replace(step, sql="; ".join([*before, step.sql, *after]))


def without_generated(comparison: Comparison) -> tuple[Comparison, list[Step]]:
    """Drop generated columns that keep others from changing their type; they are computed anew afterwards.

    The comparison as it stands then: indexes and constraints on such a column are gone with it.
    """
    live = comparison.present.table
    wanted = {each.name: each for each in comparison.wanted.columns}
    changing = {each.name for each in live.columns if each.name in wanted and wanted[each.name].type != each.type}
    steps = []
    for each in live.columns:
        if each.generated and changing & names_in([each.generated]):
            blocking = dependants.on(comparison, {each.name})
            if blocking:
                raise UnsafeChangeError(f"{comparison.name}.{each.name}: it is computed from a column whose type "
                                        f"changes and has to be dropped, and {blocking[0].name} stands on it; take "
                                        "it out of there first, apply, then change the type")
            why, hazards = "it is computed from a column whose type changes", [Hazard.DROPS_COLUMN]
            if each.name in wanted:
                why += ", and will be computed anew"
                hazards = [Hazard.REWRITES_TABLE] if comparison.weight.has_rows else []
            steps.append(_step(comparison, each, f"DROP COLUMN {ident(each.name)}", why, *hazards))
            comparison = _without(comparison, each.name)
    return comparison, steps


def _without(comparison: Comparison, name: str) -> Comparison:
    """The comparison once a column is dropped."""
    table = comparison.present.table

    def stays(*texts: str) -> bool:
        return name not in names_in(texts)

    table = replace(
        table, columns=tuple(each for each in table.columns if each.name != name),
        keys=tuple(each for each in table.keys if name not in each.columns),
        foreign_keys=tuple(each for each in table.foreign_keys if name not in each.columns),
        checks=tuple(each for each in table.checks if stays(each.expression)),
        indexes=tuple(each for each in table.indexes
                      if stays(*each.columns, each.where or "") and name not in each.include))
    return replace(comparison, live=replace(comparison.present, table=table))


def _step(comparison: Comparison, column: Column, action: str, why: str, *hazards: Hazard) -> Step:
    return Step(f"{comparison.name}.{column.name}", f"ALTER TABLE {ident(comparison.name)} {action}", why, hazards,
                comparison.transaction, comparison.weight.text() and f"ACCESS EXCLUSIVE, {comparison.weight.text()}",
                heavy=Hazard.REWRITES_TABLE in hazards)


def _add(comparison: Comparison, column: Column, wanted: Column) -> list[Step]:
    has_rows = comparison.weight.has_rows
    fills = bool(column.default or column.serial or column.identity or column.generated)
    if has_rows and not column.null and not fills:
        raise UnsafeChangeError(f"{comparison.name}.{column.name}: NOT NULL without a default cannot be added to a "
                                "table "
                                "with rows; declare a default, or add it as nullable, fill it and declare it then")
    if comparison.has_columnstore and (_computed(column) or not _constant(wanted.default)):
        # TimescaleDB would take a serial and leave it NULL in every compressed row.
        raise UnsupportedError(f"{comparison.name}.{column.name}: a column whose values are computed cannot be added "
                               "while the columnstore is enabled (a constant default is required); declare a constant, "
                               "or no default, and fill the column")
    hazards = (Hazard.REWRITES_TABLE,) if has_rows and _rewrites(column) else ()
    why = "the column does not exist"
    if comparison.has_columnstore and not column.null and not fills:
        # NOT NULL comes by itself: under the columnstore it is refused together with the column, rows or no rows.
        return [_step(comparison, column, f"ADD COLUMN {definition(replace(column, null=True))}", why),
                *_set_not_null(comparison, column)]
    return [_step(comparison, column, f"ADD COLUMN {definition(column)}", why, *hazards)]


def _computed(column: Column) -> bool:
    return bool(column.serial or column.identity or column.generated)


def _rewrites(column: Column) -> bool:
    """Whether adding the column computes a value row by row."""
    if _computed(column):
        return True
    return bool(column.default) and "(" in STABLE.sub("", column.default or "")


def _constant(default: str | None) -> bool:
    """Whether a default in the server's words is a constant: nothing but literals, casts and signs."""
    rest = _CAST.sub("", _LITERAL.sub("0", default or ""))
    return re.fullmatch(r"(true|false|null|[\d\s.+\-()])*", rest, re.I) is not None


def _alter(comparison: Comparison, declared: Column, wanted: Column, live: Column) -> list[Step]:
    found: list[Step] = []
    name = ident(declared.name)
    if comparison.has_columnstore and (wanted.generated, wanted.identity) != (live.generated, live.identity):
        raise UnsupportedError(f"{comparison.name}.{declared.name}: identity and generation cannot be changed while "
                               "the columnstore is enabled; declare the table without compression first (its chunks "
                               "must be decompressed), apply, then declare both")
    if wanted.generated != live.generated:
        found.append(_alter_generated(comparison, declared, live))
    if wanted.type != live.type:
        found.append(_alter_type(comparison, declared, wanted, live))
        if live.default is not None:
            live = replace(live, default=wanted.default)
    if live.identity and not wanted.identity:
        found.append(_step(comparison, declared, f"ALTER COLUMN {name} DROP IDENTITY", "the column is no identity"))
    if (wanted.default, wanted.serial) != (live.default, live.serial):
        found.extend(_alter_default(comparison, declared, live))
    if wanted.null != live.null:
        found.extend(_drop_not_null(comparison, declared) if wanted.null else _set_not_null(comparison, declared))
    if wanted.identity and wanted.identity != live.identity:
        verb = "SET" if live.identity else "ADD"
        tail = "" if live.identity else " AS IDENTITY"
        found.append(_step(comparison, declared, f"ALTER COLUMN {name} {verb} GENERATED "
                                                 f"{wanted.identity.upper()}{tail}",
                           f"the column is {live.identity or 'no'} identity"))
    return found


def _alter_generated(comparison: Comparison, column: Column, live: Column) -> Step:
    name = ident(column.name)
    if column.generated is None:
        return _step(comparison, column, f"ALTER COLUMN {name} DROP EXPRESSION", "the column is not generated")
    if live.generated is None or comparison.server_version < 170000:
        raise UnsupportedError(f"{comparison.name}.{column.name}: its generation expression cannot be changed in "
                               "place on this server; drop the column (allow drops_column) and apply again")
    hazards = (Hazard.REWRITES_TABLE,) if comparison.weight.has_rows else ()
    return _step(comparison, column, f"ALTER COLUMN {name} SET EXPRESSION AS ({column.generated})",
                 f"it is generated as {live.generated}", *hazards)


def _alter_type(comparison: Comparison, declared: Column, wanted: Column, live: Column) -> Step:
    _require_rowstore(comparison, declared, live)
    name = ident(declared.name)
    actions = [f"ALTER COLUMN {name} TYPE {declared.type} USING {_conversion(name, declared, wanted, live)}"]
    if live.default is not None:
        # The old default need not be one of the new type.
        actions = [f"ALTER COLUMN {name} DROP DEFAULT", *actions]
        actions += [f"ALTER COLUMN {name} SET DEFAULT {declared.default}"] if declared.default is not None else []
    if live.generated is not None:
        actions = [f"ALTER COLUMN {name} TYPE {declared.type}"]
    free = _keeps_storage(live.type, wanted.type) or not comparison.weight.has_rows
    step = _step(comparison, declared, ", ".join(actions), f"the type is {live.type}",
                 *(() if free else (Hazard.REWRITES_TABLE,)))
    before, after = _out_of_the_way(comparison, declared)
    if live.serial and wanted.serial:
        after = [_sequence_type(comparison, declared), *after]
    return replace(step, sql="; ".join([*before, step.sql, *after]))


def _conversion(name: str, declared: Column, wanted: Column, live: Column) -> str:
    if {live.type, wanted.type} == {"timestamp without time zone", "timestamp with time zone"}:
        return f"{name} AT TIME ZONE 'UTC'"
    # One enum becomes another by the names of its values.
    own = not (_BUILT_IN.match(live.type) or _BUILT_IN.match(wanted.type))
    return f"{name}::text::{declared.type}" if own else f"{name}::{declared.type}"


def _sequence_type(comparison: Comparison, column: Column) -> str:
    """SQL that gives the column's sequence the column's type: else its numbers end where the old type's end."""
    table, name = literal(ident(comparison.name)), literal(column.name)
    return (f"DO $$ BEGIN EXECUTE format('ALTER SEQUENCE %s AS {column.type}', "
            f"pg_get_serial_sequence({table}, {name})); END $$")


def _out_of_the_way(comparison: Comparison, column: Column) -> tuple[list[str], list[str]]:
    """Statements before and after a change of type, for the views, triggers and policies that name the column: the
    server changes no type under them."""
    table, declared = comparison.present.table, comparison.declared
    names = {column.name, column.renamed_from or column.name}
    blocking = dependants.on(comparison, names)
    before, after = view.around(f"{comparison.name}.{column.name}", blocking, "its type is going to be changed",
                                view.as_it_was)
    on = ident(comparison.name)
    for each in table.triggers:
        if column.name in names_in([each.fires, each.when or ""]):
            before.append(f"DROP TRIGGER {ident(each.name)} ON {on}")
            after += [trigger.definition(declared, each), *([trigger.state(declared, each)] if each.disabled else []),
                      *_comment(f"TRIGGER {ident(each.name)} ON {on}", each.comment)]
    for policy in comparison.present.policies:
        if column.name in names_in([policy.using or "", policy.check or ""]):
            before.append(f"DROP POLICY {ident(policy.name)} ON {on}")
            after += [row_security.definition(declared, policy),
                      *_comment(f"POLICY {ident(policy.name)} ON {on}", policy.comment)]
    return before, after


def _comment(on: str, text: str | None) -> list[str]:
    return [f"COMMENT ON {on} IS {literal(text)}"] if text is not None else []


def _require_rowstore(comparison: Comparison, declared: Column, live: Column) -> None:
    """Raise where the columnstore keeps a column's type from being changed."""
    if not comparison.has_columnstore:
        return
    what = f"{comparison.name}.{declared.name}: type {live.type} cannot become {declared.type}"
    if comparison.timescaledb < TYPES_IN_COLUMNSTORE:
        raise UnsupportedError(f"{what} while the columnstore is enabled; declare the table without compression first "
                               "(its chunks must be decompressed), apply, then declare both")
    if comparison.weight.compressed_chunks:
        raise UnsupportedError(f"{what} while chunks are compressed, and {comparison.weight.compressed_chunks} are; "
                               "decompress them (decompress_chunk), apply, and let the policy compress them again")


def _keeps_storage(live: str, wanted: str) -> bool:
    """Whether every stored value is already one of the new type, so that nothing is rewritten."""
    before, after = _VARCHAR.match(live), _VARCHAR.match(wanted)
    if before:
        return wanted in ("text", "character varying") or bool(after and int(after[1]) >= int(before[1]))
    before, after = _NUMERIC.match(live), _NUMERIC.match(wanted)
    if before:
        return wanted == "numeric" or bool(after and int(after[1]) >= int(before[1]) and after[2] == before[2])
    return (live, wanted) in {("text", "character varying"), ("character varying", "text")}


def _alter_default(comparison: Comparison, column: Column, live: Column) -> list[Step]:
    name = ident(column.name)
    found = f"the default is {'the next number' if live.serial else live.default or 'none'}"
    if not column.serial:
        action = f"SET DEFAULT {column.default}" if column.default is not None else "DROP DEFAULT"
        return [_step(comparison, column, f"ALTER COLUMN {name} {action}", found)]
    table = comparison.declared
    sequence = f"{table.full_name}_{column.name}_seq"
    next_number = f"coalesce(max({name}), 0) + 1"
    last = f"SELECT setval({literal(ident(sequence))}, {next_number}, false) FROM {ident(table.full_name)}"
    where = f"{table.full_name}.{column.name}"
    owner = f"OWNED BY {ident(where)}"
    return [
        Step(where, f"CREATE SEQUENCE IF NOT EXISTS {ident(sequence)} AS {column.type}", found),
        Step(where, f"ALTER SEQUENCE {ident(sequence)} {owner}", "the sequence goes with its column"),
        _step(comparison, column, f"ALTER COLUMN {name} SET DEFAULT nextval({literal(ident(sequence))})", found),
        Step(where, last, "the next number is a new one"),
    ]


def _drop_not_null(comparison: Comparison, column: Column) -> list[Step]:
    return [_step(comparison, column, f"ALTER COLUMN {ident(column.name)} DROP NOT NULL", "the column is NOT NULL")]


def _set_not_null(comparison: Comparison, column: Column) -> list[Step]:
    """NOT NULL at once where there are no rows, else through a check that is validated without blocking writers."""
    name = ident(column.name)
    plain = _step(comparison, column, f"ALTER COLUMN {name} SET NOT NULL", "the column is nullable")
    if not comparison.weight.has_rows:
        return [plain]
    if comparison.has_columnstore:
        return [replace(plain, hazards=(Hazard.BLOCKS_WRITES,), heavy=True)]
    proof = ident(not_null_proof(column.name))
    table = ident(comparison.name)
    return [
        _step(comparison, column, f"DROP CONSTRAINT IF EXISTS {proof}, ADD CONSTRAINT {proof} CHECK ({name} IS NOT "
                                  "NULL) NOT VALID", "a check first proves that no row is NULL"),
        Step(plain.object, f"ALTER TABLE {table} VALIDATE CONSTRAINT {proof}", "reads every row, blocks no writer",
             transaction=Transaction.OWN, cost=f"SHARE UPDATE EXCLUSIVE, {comparison.weight.text()}", heavy=True),
        Step(plain.object, f"{plain.sql}, DROP CONSTRAINT {proof}", plain.why, transaction=Transaction.OWN,
             cost="ACCESS EXCLUSIVE, no scan"),
    ]


def not_null_proof(column: str) -> str:
    """The name of the passing check that proves a column to hold no NULL."""
    return f"{column}_is_not_null"[-63:]
