"""Put declarations into the server's own words: create them in a scratch schema, read them back, roll back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import Connection, sql

from schema.capabilities import Capabilities
from schema.catalog import read_tables
from schema.errors import DeclarationError
from schema.kinds import index, table
from schema.objects import Table
from schema.step import Step


def in_server_words(connection: Connection[Any], tables: Sequence[Table],
                    capabilities: Capabilities) -> tuple[Table, ...]:
    """The tables as the server would describe them had they been made as declared. Leaves nothing behind.

    Foreign keys, hypertable and policies are plain values and are kept; foreign keys are not even made here, since a
    reference to a live table would lock its writers out.
    """
    if not tables:
        return ()
    scratch = f"lifecompanion_scratch_{connection.info.backend_pid}"
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(scratch)))
        connection.execute("SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), "
                           "true)", [scratch])
        for each in tables:
            _create(connection, replace(each, schema=scratch, foreign_keys=()))
        found = read_tables(connection, [each.name for each in tables], capabilities, schema=scratch)
    return tuple(_as_wanted(each, found[each.name].table) for each in tables)


def _create(connection: Connection[Any], each: Table) -> None:
    steps = [table.create_step(each),
             *(Step(one.name, index.definition(each, one), "") for one in each.indexes)]
    for step in steps:
        try:
            connection.execute(step.sql.encode())
        except psycopg.Error as error:
            said = " ".join((error.diag.message_primary or str(error)).split())
            raise DeclarationError(f"{step.object.split('.')[-1]}: the server cannot make it: {said}; correct the "
                                   "declaration") from None


def _as_wanted(declared: Table, found: Table) -> Table:
    """Named parts in declared order, so that they stand beside their declarations."""
    columns = {each.name: each for each in found.columns}
    return replace(
        declared,
        columns=tuple(replace(columns[each.name], comment=each.comment) for each in declared.columns),
        checks=_ordered(declared.checks, found.checks),
        indexes=_ordered(declared.indexes, found.indexes),
    )


def _ordered(declared: Sequence[Any], found: Sequence[Any]) -> tuple[Any, ...]:
    by_name = {each.name: each for each in found}
    return tuple(by_name[each.name] for each in declared)
