"""The table itself: created with its columns and constraints, put into the server's words, dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.kinds import check, column, foreign_key, hypertable, index, key, row_security, trigger
from schema.model.live import LiveTable
from schema.model.names import ident
from schema.model.objects import Table
from schema.model.step import Action, Hazard, Step


def create_step(table: Table) -> Step:
    """Create the table with its columns, keys, checks and foreign keys."""
    lines = [*(column.definition(each) for each in table.columns), *(key.definition(each) for each in table.keys),
             *(check.definition(each) for each in table.checks),
             *(foreign_key.definition(each) for each in table.foreign_keys)]
    body = ",\n    ".join(lines)
    return Step(Action.CREATE, table.full_name, f"CREATE TABLE {ident(table.full_name)} (\n    {body}\n)",
                "the table does not exist")


def drop_step(table: Table, why: str, cost: str = "") -> Step:
    """Drop the table with its rows, policies and sequences."""
    return Step(Action.DROP, table.full_name, f"DROP TABLE {ident(table.full_name)}", why, (Hazard.DROPS_TABLE,),
                cost=cost)


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


def wanted(table: Table, found: LiveTable) -> Table:
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
