"""Columns, constraints, indexes and triggers of tables, from the rows of their queries; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schema.catalog.queries import Row
from schema.model.names import literal
from schema.model.objects import Check, Column, Exclusion, ForeignKey, Index, Key, Numbers, Trigger
from schema.model.table_options import numbers, options, targets, term

ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}


def columns(rows: Iterable[Row]) -> tuple[Column, ...]:
    """The columns of one table, in their order."""
    return tuple(Column(row["name"], row["type"], row["null"], row["default"], row["serial"], row["identity"],
                        row["generated"], row["comment"], None, row["collation"], row["storage"], row["compression"],
                        row["statistics"], _numbers(row["numbers"]), row["virtual"])
                 for row in rows if row["name"] is not None)


def _numbers(row: dict[str, Any] | None) -> Numbers | None:
    return numbers(Numbers(**{name: value for name, value in row.items() if name != "type"}), row["type"]) \
        if row else None


def keys(rows: Iterable[Row], indexes: Iterable[Row]) -> tuple[Key, ...]:
    """The primary and unique constraints, with what their indexes have."""
    by_name = {row["name"]: row for row in indexes if row["constraint"]}
    return tuple(Key(row["name"], tuple(row["columns"]), row["type"] == "p", row["comment"],
                     tuple(by_name[row["name"]]["include"]), by_name[row["name"]]["nulls_distinct"],
                     row["deferrable"], row["initially_deferred"], row["period"],
                     options(by_name[row["name"]]["options"]))
                 for row in rows if row["type"] in "pu")


def foreign_keys(rows: Iterable[Row]) -> tuple[ForeignKey, ...]:
    """The foreign keys."""
    return tuple(ForeignKey(row["name"], tuple(row["columns"]), row["target"], tuple(row["references"]),
                            ACTIONS[row["on_delete"]], ACTIONS[row["on_update"]], row["comment"], row["match"],
                            tuple(row["set_columns"]), row["deferrable"], row["initially_deferred"], row["period"],
                            row["validated"] or not row["enforced"], row["enforced"])
                 for row in rows if row["type"] == "f")


def checks(rows: Iterable[Row]) -> tuple[Check, ...]:
    """The check constraints."""
    return tuple(Check(row["name"], row["expression"], row["comment"], row["no_inherit"],
                       row["validated"] or not row["enforced"], row["enforced"]) for row in rows if row["type"] == "c")


def exclusions(rows: Iterable[Row], indexes: Iterable[Row]) -> tuple[Exclusion, ...]:
    """The exclusion constraints."""
    by_name = {row["name"]: index(row) for row in indexes if row["constraint"] == "x"}
    return tuple(Exclusion(row["name"], tuple(f"{element} WITH {operator}" for element, operator in
                                              zip(by_name[row["name"]].columns, row["operators"], strict=True)),
                           by_name[row["name"]].method, by_name[row["name"]].include, by_name[row["name"]].where,
                           row["deferrable"], row["initially_deferred"], by_name[row["name"]].options, row["comment"],
                           by_name[row["name"]].statistics)
                 for row in rows if row["type"] == "x")


def index(row: Row) -> Index:
    """One index."""
    return Index(row["name"], tuple(map(term, row["columns"])), row["unique"], row["method"], tuple(row["include"]),
                 row["where"], row["comment"], row["nulls_distinct"], options(row["options"]),
                 targets(row["statistics"]))


def trigger(row: Row) -> Trigger:
    """One trigger; its condition is what the server's definition has between FOR EACH and the function's call."""
    arguments = [argument.decode() for argument in bytes(row["arguments"]).split(b"\0")[:-1]]
    # As the server prints them: without E, with standard_conforming_strings on or off.
    plain = ", ".join("'" + argument.replace("'", "''") + "'" for argument in arguments)
    before = row["definition"].removesuffix(f"({plain})").removesuffix("({})".format(plain.replace("\\", "\\\\")))
    condition = before.rpartition(" EXECUTE ")[0].partition(f" FOR EACH {row['each'].upper()} WHEN (")[2]
    condition = condition.removesuffix(")")
    calls = f"{row['function']}({', '.join(map(literal, arguments))})"
    return Trigger(row["name"], row["fires"], calls, row["each"],
                   condition if row["conditional"] else None, row["referencing"], row["disabled"], row["comment"],
                   row["constraint"], row["deferrable"], row["initially_deferred"], row["from_table"], row["role"])
