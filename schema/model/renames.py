"""Renamed objects and columns: the live values are rewritten as if they had the new names already; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from schema.model.live import Compared, Comparison
from schema.model.names import ident, literal
from schema.model.objects import Column, Declared, Enum, Function, Statistics, Table, qualified
from schema.model.sql_names import rename
from schema.model.step import Action, Step

OPAQUE = frozenset({"comment", "type", "schema", "on_delete", "on_update", "method", "chunk", "interval", "body"})


def columns(comparison: Comparison) -> tuple[Comparison, list[Step]]:
    """Plan the renames of a table's columns; return the comparison as it is after them, and the steps."""
    live = comparison.present.table
    live_names = {column.name for column in live.columns}
    former = {column.renamed_from: column.name for column in comparison.declared.columns
              if column.renamed_from in live_names and column.name not in live_names}
    names = {old: new for old, new in former.items() if old is not None}
    if not names:
        return comparison, []
    steps = [Step(Action.RENAME, f"{comparison.name}.{new}",
                  f"ALTER TABLE {ident(comparison.name)} RENAME COLUMN {ident(old)} TO "
                  f"{ident(new)}", "the column bears its former name", transaction=comparison.transaction)
             for old, new in names.items()]
    table = replace(live, columns=tuple(replace(column, name=names.get(column.name, column.name),
                                                default=column.default, generated=_text(column.generated, names))
                                        for column in live.columns))
    for part in ("keys", "foreign_keys", "checks", "indexes", "hypertable", "compression", "triggers", "row_security"):
        table = replace(table, **{part: _inside(getattr(table, part), names, part)})
    policies = _inside(comparison.present.policies, names, "row_security")
    chunks = _inside(comparison.present.columnstore, names, "columnstore")
    present = replace(comparison.present, table=table, policies=policies, columnstore=chunks)
    return replace(comparison, live=present), steps


def values(comparisons: Iterable[Compared[Any, Any]]) -> Mapping[str, str]:
    """Map each enum value that is about to be renamed to its new spelling, both as the server writes them in
    expressions.

    Shape: {"'old'::type": "'new'::type"}.
    """
    return {f"{literal(change.old)}::{comparison.name}": f"{literal(change.new)}::{comparison.name}"
            for comparison in comparisons if isinstance(comparison.declared, Enum) and comparison.live
            for change in comparison.declared.renames
            if change.old in comparison.live.object.values and change.new not in comparison.live.object.values}


def relations(value: Any, renamed: Mapping[str, Declared], values: Mapping[str, str]) -> Any:
    """Rewrite the names in a live object's SQL and foreign keys; `renamed` has the new objects by former full name."""
    plain = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if not isinstance(new, Enum | Function)}
    types = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if isinstance(new, Enum)}
    calls = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if isinstance(new, Function)}

    def text(sql: str) -> str:
        rewritten = rename(rename(sql, calls, before="("), types, after="::")
        for old, new in values.items():
            rewritten = rewritten.replace(old, new)
        return rewritten

    if isinstance(value, Table):
        names = {old: new.full_name for old, new in renamed.items()}
        keys = tuple(replace(key, table=names.get(key.table, key.table)) for key in value.foreign_keys)
        columns = tuple(replace(column, type=rename(column.type, types)) for column in value.columns)
        return _texts(replace(value, foreign_keys=keys, columns=columns), text) if types or calls or values else \
            replace(value, foreign_keys=keys)
    if isinstance(value, Statistics):
        moved = renamed.get(value.table)
        return replace(value, table=moved.full_name) if moved else value
    if isinstance(value, Function):
        return replace(value, arguments=rename(value.arguments, {**plain, **types}),
                       returns=value.returns and rename(value.returns, {**plain, **types}))
    return replace(value, query=text(rename(value.query, plain))) if hasattr(value, "query") else value


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
