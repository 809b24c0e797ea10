"""Renamed objects and columns: the live values are rewritten as if they had the new names already; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Step
from schema.model.live.objects import Live
from schema.model.names import ident, literal
from schema.model.objects import (
    Aggregate,
    Column,
    CompositeType,
    Declared,
    Domain,
    Enum,
    Function,
    MaterializedView,
    Sequence,
    Statistics,
    Table,
    View,
    qualified,
)
from schema.model.sql_names import rename

# What an aggregate function calls.
FUNCTIONS = ("sfunc", "finalfunc", "combinefunc", "serialfunc", "deserialfunc", "msfunc", "minvfunc", "mfinalfunc")
TYPES = Enum | Domain | CompositeType
OPAQUE = frozenset({"comment", "options", "match", "role", "from_table", "collation",
                    "type", "schema", "on_delete", "on_update", "method", "chunk", "interval", "body"})


def column_names(declared: Table, live: Table) -> dict[str, str]:
    """New names by old ones of the live columns that the declaration renames."""
    names = {column.name for column in live.columns}
    return {column.renamed_from: column.name for column in declared.columns
            if column.renamed_from and column.renamed_from in names and column.name not in names}


def columns(diff: TableDiff) -> tuple[TableDiff, list[Step]]:
    """Give live columns their declared names; returns the diff as it stands afterwards."""
    live = diff.present.table
    names = column_names(diff.declared, live)
    if not names:
        return diff, []
    steps = [Step(Action.RENAME, f"{diff.name}.{new}",
                  f"ALTER TABLE {ident(diff.name)} RENAME COLUMN {ident(old)} TO {ident(new)}",
                  "the column bears its former name", transaction=diff.transaction)
             for old, new in names.items()]
    table = replace(live, columns=tuple(replace(column, name=names.get(column.name, column.name),
                                                generated=_text(column.generated, names))
                                        for column in live.columns))
    for part in ("keys", "foreign_keys", "checks", "exclusions", "indexes", "hypertable", "compression",
                 "triggers", "row_security"):
        table = replace(table, **{part: _inside(getattr(table, part), names, part)})
    policies = _inside(diff.present.policies, names, "row_security")
    chunks = _inside(diff.context.columnstore, names, "columnstore")
    return diff.with_live(replace(diff.present, table=table, policies=policies), columnstore=chunks), steps


def enum_values(objects: Iterable[tuple[Declared, Live | None]]) -> Mapping[str, str]:
    """New values by old ones of the enums whose values are about to be renamed, as the server writes them in
    expressions; `objects` are (declared, live)."""
    return {f"{literal(value.old)}::{declared.full_name}": f"{literal(value.new)}::{declared.full_name}"
            for declared, live in objects if isinstance(declared, Enum) and live and isinstance(live.object, Enum)
            for value in declared.renames
            if value.old in live.object.values and value.new not in live.object.values}


def relations(value: Any, renamed: Mapping[str, Declared], values: Mapping[str, str]) -> Any:
    """Rewrite the names in a live object's SQL and foreign keys; `renamed` has the new objects by former full name."""
    plain = {old.rpartition(".")[2]: new.name for old, new in renamed.items()
             if not isinstance(new, TYPES | Function | Aggregate)}
    types = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if isinstance(new, TYPES)}
    calls = {old.rpartition(".")[2]: new.name for old, new in renamed.items()
             if isinstance(new, Function | Aggregate)}

    numbers = {f"{literal(ident(old))}::regclass": f"{literal(ident(new.full_name))}::regclass"
               for old, new in renamed.items() if isinstance(new, Sequence)}

    def text(sql: str) -> str:
        rewritten = rename(rename(sql, calls, before="("), types, after="::")
        for old, new in {**values, **numbers}.items():
            rewritten = rewritten.replace(old, new)
        return rewritten

    if isinstance(value, Table):
        names = {old: new.full_name for old, new in renamed.items()}
        keys = tuple(replace(key, table=names.get(key.table, key.table)) for key in value.foreign_keys)
        columns = tuple(replace(column, type=rename(column.type, types)) for column in value.columns)
        moved = replace(value, foreign_keys=keys, columns=columns)
        return _texts(moved, text) if types or calls or values or numbers else moved
    if isinstance(value, Statistics):
        target = renamed.get(value.table)
        return replace(value, table=target.full_name if target else value.table,
                       expressions=tuple(map(text, value.expressions)))
    if isinstance(value, Sequence | Domain | CompositeType):
        return _foundation(value, renamed, types, text)
    if isinstance(value, Function):
        body = text(rename(value.body, plain)) if value.is_parsed else value.body
        return replace(value, body=body, arguments=rename(value.arguments, {**plain, **types}),
                       returns=value.returns and rename(value.returns, {**plain, **types}))
    if isinstance(value, Aggregate):
        return _aggregate(value, calls, types)
    return _parts(replace(value, query=text(rename(value.query, plain))), text) if hasattr(value, "query") else value


def _aggregate(value: Aggregate, calls: Mapping[str, str], types: Mapping[str, str]) -> Aggregate:
    """The aggregate function with what it calls, and its types, under their new names."""
    called: dict[str, Any] = {name: rename(getattr(value, name), calls) for name in FUNCTIONS if getattr(value, name)}
    return replace(value, **called, arguments=rename(value.arguments, types), stype=rename(value.stype, types),
                   mstype=value.mstype and rename(value.mstype, types))


def _parts(value: Any, text: Callable[[str], str]) -> Any:
    """A view or materialized view with its parts' expressions rewritten."""
    def maybe(sql: str | None) -> str | None:
        return None if sql is None else text(sql)

    if isinstance(value, View):
        return replace(value, columns=tuple(replace(column, default=maybe(column.default)) for column in value.columns),
                       triggers=tuple(replace(trigger, calls=text(trigger.calls), when=maybe(trigger.when))
                                      for trigger in value.triggers))
    if isinstance(value, MaterializedView):
        return replace(value, indexes=tuple(replace(index, columns=tuple(map(text, index.columns)),
                                                    where=maybe(index.where)) for index in value.indexes))
    return value


def _foundation(value: Sequence | Domain | CompositeType, renamed: Mapping[str, Declared], types: Mapping[str, str],
                text: Callable[[str], str]) -> Declared:
    """A sequence or type with its expressions rewritten, and with the new names of its owner or types."""
    if isinstance(value, Sequence):
        table, _, column = (value.owned_by or "").rpartition(".")
        return replace(value, owned_by=f"{renamed[table].full_name}.{column}") if table in renamed else value
    if isinstance(value, Domain):
        return replace(value, type=rename(value.type, types), default=value.default and text(value.default),
                       checks=tuple(replace(check, expression=text(check.expression)) for check in value.checks))
    return replace(value, attributes=tuple(replace(one, type=rename(one.type, types)) for one in value.attributes))


def _texts(table: Table, text: Callable[[str], str]) -> Table:
    """The table with its expressions rewritten."""
    def maybe(sql: str | None) -> str | None:
        return None if sql is None else text(sql)

    security = table.row_security
    return replace(
        table, columns=tuple(replace(column, default=maybe(column.default), generated=maybe(column.generated))
                             for column in table.columns),
        checks=tuple(replace(check, expression=text(check.expression)) for check in table.checks),
        indexes=tuple(replace(index, columns=tuple(map(text, index.columns)), where=maybe(index.where))
                      for index in table.indexes),
        triggers=tuple(replace(trigger, calls=text(trigger.calls), when=maybe(trigger.when))
                       for trigger in table.triggers),
        row_security=security and replace(security, policies=tuple(
            replace(policy, using=maybe(policy.using), check=maybe(policy.check)) for policy in security.policies)))


def step(kind: str, old: str, declared: Declared) -> Step:
    """Build the step that renames an object; `kind` is such as "TABLE", `old` its present full name."""
    return Step(Action.RENAME, declared.full_name, f"ALTER {kind} {ident(old)} RENAME TO {ident(declared.name)}",
                f"it is called {old}")


def former_name(declared: Declared) -> str | None:
    """Return the object's former full name, or None where its declaration has none."""
    return qualified(declared.schema, declared.renamed_from) if declared.renamed_from else None


def _text(sql: str | None, names: Mapping[str, str]) -> str | None:
    return None if sql is None else rename(sql, names)


def _inside(value: Any, names: Mapping[str, str], field: str) -> Any:
    """Return a part of a table with its columns' new names; the part's own name stays."""
    if is_dataclass(value) and not isinstance(value, type | Column):
        own = {"name", "references", "table", "roles", *OPAQUE} | ({"index"} if field == "reorder" else set())
        return replace(value, **{attribute.name: _inside(getattr(value, attribute.name), names, attribute.name)
                                 for attribute in fields(value) if attribute.name not in own})
    if isinstance(value, tuple):
        return tuple(_inside(element, names, field) for element in value)
    if isinstance(value, str):
        return rename(value, names)
    return value
