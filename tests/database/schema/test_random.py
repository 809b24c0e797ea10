"""From any declared schema to any other: live equals declared, nothing is left to do, and the rows are still there.

`LCDB_PAIRS` sets how many pairs are tried, 20 without it; more than that are new ones in each run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from schema import apply
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.model.objects import Object, Table
from schema.model.properties import from_dict, to_dict
from schema.model.step import Hazard
from tests.support.random_schemas import fill, pairs, quoted
from tests.support.servers import Database, Server, create_database, drop_database

PAIRS = int(os.environ.get("LCDB_PAIRS", "20"))
EVERYTHING = apply.Options(on_unsupported="skip", allow=frozenset(Hazard), whole_schema=True)
Rows = dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[object, ...]]]


@pytest.mark.servers("official")
@pytest.mark.timeout(0)
def test_any_schema_becomes_any_other(server: Server) -> None:
    @settings(max_examples=PAIRS, derandomize=PAIRS <= 20, deadline=None, database=None, print_blob=False,
              phases=(Phase.explicit, Phase.generate),
              suppress_health_check=list(HealthCheck))
    @given(pairs())
    def check(pair: tuple[tuple[Object, ...], tuple[Object, ...]]) -> None:
        with fresh(server) as database:
            becomes(database, *pair)

    check()


@contextmanager
def fresh(server: Server) -> Iterator[Database]:
    database = create_database(server, "t_random")
    try:
        yield database
    finally:
        drop_database(database)


def becomes(database: Database, first: tuple[Object, ...], second: tuple[Object, ...]) -> None:
    """Go from one schema to the other, with rows in every table; a refusal leaves everything as it was."""
    require_created(database, first)
    for value in first:
        if isinstance(value, Table):
            database.execute(fill(value))
    # A trigger that is disabled is enabled in chunks that came later: that is drift.
    require_created(database, first)
    before = rows(database, first, second)
    try:
        planned = apply.plan(database.owner, second, options=EVERYTHING).render()
    except (UnsupportedError, UnsafeChangeError) as refusal:
        note(f"refused: {refusal}")
        assert apply.plan(database.owner, first, options=EVERYTHING).steps == ()
        return
    note("\n".join(planned))
    require_created(database, second)
    assert rows(database, first, second) == before


def require_created(database: Database, objects: tuple[Object, ...]) -> None:
    apply.ensure(database.owner, objects, options=EVERYTHING)
    again = apply.plan(database.owner, objects, options=EVERYTHING)
    assert (again.render(), again.warnings) == ([], ())
    assert apply.read(database.owner, objects, options=EVERYTHING) == list(objects)
    assert [from_dict(to_dict(value)) for value in objects] == list(objects)


def rows(database: Database, first: tuple[Object, ...], second: tuple[Object, ...]) -> Rows:
    """The rows of what both schemas have: tables, and columns of one type."""
    after = {table.name: table for table in second if isinstance(table, Table)}
    contents: Rows = {}
    for table in first:
        if not isinstance(table, Table) or table.name not in after:
            continue
        types = {column.name: column.type for column in after[table.name].columns}
        kept = [column.name for column in table.columns
                if types.get(column.name) == column.type and not column.generated]
        names = ", ".join(map(quoted, kept))
        contents[table.name, tuple((column, types[column]) for column in kept)] = database.execute(
            f"SELECT {names} FROM {table.name} ORDER BY id")
    return contents
