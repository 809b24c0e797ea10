"""From any declared schema to any other: live equals declared, nothing is left to do, and the rows are still there.

`LCDB_PAIRS` sets how many pairs are tried, 12 without it; more than that are new ones in each run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from schema import apply
from schema.comparison.declaration import Options
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.model.change.step import Hazard
from schema.model.names import quoted
from schema.model.objects import Object, Table
from schema.model.properties import from_dict, to_dict
from tests.support.running.servers import Database, Server, create_database, drop_database
from tests.support.schemas.random_schemas import Pair, pairs

PAIRS = int(os.environ.get("LCDB_PAIRS", "12"))
EVERYTHING = Options(on_unsupported="skip", allow=frozenset(Hazard), whole_schema=True)
# Why a change may be refused, and in what share of pairs at the most: a fifth to a quarter were seen of 200 pairs.
REFUSED = {
    "an enum loses a value": "PostgreSQL cannot drop an enum's value",
    "a type cannot be changed under what stands on it": "which PostgreSQL cannot change in place, and",
    "a column cannot be dropped under what is no plain view": "the column is going to be dropped, and",
    "a column's type cannot be changed under what is no plain view": "its type is going to be changed, and",
    "a generated column stands in the way": "it is computed from a column whose type changes",
    "a new column is not filled": "NOT NULL without a default cannot be added",
    "rows are moved under no forced row-level security": "its row-level security is forced",
    "the columnstore takes no such change": "while the columnstore is enabled",
}
SHARE = 0.4
Rows = dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[object, ...]]]


@pytest.mark.servers("official")
@pytest.mark.timeout(0)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_any_schema_becomes_any_other(server: Server) -> None:
    @settings(max_examples=PAIRS, derandomize=PAIRS <= 20, deadline=None, database=None, print_blob=False,
              phases=(Phase.explicit, Phase.generate),
              suppress_health_check=list(HealthCheck))
    @given(pairs())
    def check(pair: Pair) -> None:
        with fresh(server) as database:
            reasons.append(becomes(database, pair))

    reasons: list[str | None] = []
    check()
    refused = Counter(reason for reason in reasons if reason)
    assert refused.total() <= SHARE * len(reasons), refused


@contextmanager
def fresh(server: Server) -> Iterator[Database]:
    database = create_database(server, "t_random")
    try:
        yield database
    finally:
        drop_database(database)


def becomes(database: Database, pair: Pair) -> str | None:
    """Go from one schema to the other, with rows in every table; a refusal leaves everything as it was, and has one of
    the known reasons, which is returned."""
    require_created(database, pair.first)
    for value in pair.first:
        if isinstance(value, Table):
            database.execute(pair.fill(value))
    # A trigger that is disabled is enabled in chunks that came later: that is drift.
    require_created(database, pair.first)
    before = rows(database, pair)
    try:
        planned = apply.plan(database.owner, pair.second, options=EVERYTHING).render()
    except (UnsupportedError, UnsafeChangeError) as refusal:
        note(f"refused: {refusal}")
        assert apply.plan(database.owner, pair.first, options=EVERYTHING).steps == ()
        return next(reason for reason, words in REFUSED.items() if words in str(refusal))
    note("\n".join(planned))
    require_created(database, pair.second)
    assert rows(database, pair) == before
    return None


def require_created(database: Database, objects: tuple[Object, ...]) -> None:
    apply.ensure(database.owner, objects, options=EVERYTHING)
    again = apply.plan(database.owner, objects, options=EVERYTHING)
    assert again.render() == []
    assert {*again.warnings} <= unreadable(objects)
    assert apply.read(database.owner, objects, options=EVERYTHING) == list(objects)
    assert [from_dict(to_dict(value)) for value in objects] == list(objects)


def unreadable(objects: tuple[Object, ...]) -> set[str]:
    """What may be warned of tables whose policies hold for their owner, too."""
    return {f"{table.full_name}: the login may not read its rows, so it was taken for a table with rows"
            for table in objects if isinstance(table, Table) and table.row_security and table.row_security.forced}


def rows(database: Database, pair: Pair) -> Rows:
    """The rows of what both schemas have: tables, and columns of one type."""
    after = {table.name: table for table in pair.second if isinstance(table, Table)}
    contents: Rows = {}
    for table in pair.first:
        if not isinstance(table, Table) or table.name not in after:
            continue
        types = {column.name: column.type for column in after[table.name].columns}
        kept = [column.name for column in table.columns
                if types.get(column.name) == column.type and not column.generated]
        names = ", ".join(map(quoted, kept))
        contents[table.name, tuple((column, types[column]) for column in kept)] = database.execute(
            f"SELECT {names} FROM {pair.layout.places[table.name].sql} ORDER BY id")
    return contents
