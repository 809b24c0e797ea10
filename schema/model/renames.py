"""Objects and columns that bear their former names on the server: found, and read as if they had the new ones; pure."""

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
    """Give live columns the names that they are declared to have now; the comparison as it stands afterwards."""
    live = comparison.present.table
    there = {each.name for each in live.columns}
    found = {each.renamed_from: each.name for each in comparison.declared.columns
             if each.renamed_from in there and each.name not in there}
    names = {old: new for old, new in found.items() if old is not None}
    if not names:
        return comparison, []
    steps = [Step(Action.RENAME, f"{comparison.name}.{new}",
                  f"ALTER TABLE {ident(comparison.name)} RENAME COLUMN {ident(old)} TO "
                  f"{ident(new)}", "the column bears its former name", transaction=comparison.transaction)
             for old, new in names.items()]
    table = replace(live, columns=tuple(replace(each, name=names.get(each.name, each.name),
                                                default=each.default, generated=_text(each.generated, names))
                                        for each in live.columns))
    for part in ("keys", "foreign_keys", "checks", "indexes", "hypertable", "compression", "triggers", "row_security"):
        table = replace(table, **{part: _inside(getattr(table, part), names, part)})
    policies = _inside(comparison.present.policies, names, "row_security")
    chunks = _inside(comparison.present.columnstore, names, "columnstore")
    present = replace(comparison.present, table=table, policies=policies, columnstore=chunks)
    return replace(comparison, live=present), steps


def values(comparisons: Iterable[Compared[Any, Any]]) -> Mapping[str, str]:
    """The values of enums that are about to be renamed, as the server writes them in expressions, by the former."""
    return {f"{literal(each.old)}::{comparison.name}": f"{literal(each.new)}::{comparison.name}"
            for comparison in comparisons if isinstance(comparison.declared, Enum) and comparison.live
            for each in comparison.declared.renames
            if each.old in comparison.live.object.values and each.new not in comparison.live.object.values}


def relations(value: Any, renamed: Mapping[str, Declared], values: Mapping[str, str]) -> Any:
    """A live object with what its SQL and its foreign keys name under their new names, by the former full names."""
    plain = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if not isinstance(new, Enum | Function)}
    types = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if isinstance(new, Enum)}
    calls = {old.rpartition(".")[2]: new.name for old, new in renamed.items() if isinstance(new, Function)}

    def text(sql: str) -> str:
        found = rename(rename(sql, calls, before="("), types, after="::")
        for old, new in values.items():
            found = found.replace(old, new)
        return found

    if isinstance(value, Table):
        names = {old: new.full_name for old, new in renamed.items()}
        keys = tuple(replace(each, table=names.get(each.table, each.table)) for each in value.foreign_keys)
        columns = tuple(replace(each, type=rename(each.type, types)) for each in value.columns)
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
        table, columns=tuple(replace(each, default=maybe(each.default), generated=maybe(each.generated))
                             for each in table.columns),
        checks=tuple(replace(each, expression=text(each.expression)) for each in table.checks),
        indexes=tuple(replace(each, columns=tuple(map(text, each.columns)), where=maybe(each.where))
                      for each in table.indexes),
        triggers=tuple(replace(each, calls=text(each.calls), when=maybe(each.when)) for each in table.triggers),
        row_security=security and replace(security, policies=tuple(
            replace(each, using=maybe(each.using), check=maybe(each.check)) for each in security.policies)))


def step(kind: str, old: str, declared: Declared) -> Step:
    """Give an object its new name; `kind` is such as "TABLE", `old` its full name as it is now."""
    return Step(Action.RENAME, declared.full_name, f"ALTER {kind} {ident(old)} RENAME TO {ident(declared.name)}",
                f"it is called {old}")


def former_name(declared: Declared) -> str | None:
    """The full name that the object had before, where its declaration tells one."""
    return qualified(declared.schema, declared.renamed_from) if declared.renamed_from else None


def _text(sql: str | None, names: Mapping[str, str]) -> str | None:
    return None if sql is None else rename(sql, names)


def _inside(value: Any, names: Mapping[str, str], field: str) -> Any:
    """A part of a table with its columns under their new names; the part's own name stays."""
    if is_dataclass(value) and not isinstance(value, type | Column):
        own = {"name", "references", "table", "roles", *OPAQUE} | ({"index"} if field == "reorder" else set())
        return replace(value, **{each.name: _inside(getattr(value, each.name), names, each.name)
                                 for each in fields(value) if each.name not in own})
    if isinstance(value, tuple):
        return tuple(_inside(each, names, field) for each in value)
    if isinstance(value, str):
        return rename(value, names)
    return value
