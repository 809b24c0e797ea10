"""A database whose rows no restore could put where they belong is refused before anything is read."""

from __future__ import annotations

import pytest

from backups.errors import DumpError
from backups.logical.source.snapshot import snapshot_of
from tests.support.running.servers import Database

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
TYPES = ("CREATE TYPE state AS ENUM ('on', 'off')", "CREATE DOMAIN known AS state",
         "CREATE TYPE pair AS (n int, s known)", "CREATE TYPE span AS RANGE (subtype = state)")


def hypertable(type_: str, how: str = "by_hash('key', 2)") -> list[str]:
    return [f"CREATE TABLE r (at timestamptz NOT NULL, key {type_})",
            f"SELECT create_hypertable('r', by_range('at')); SELECT add_dimension('r', {how})"]


@pytest.mark.parametrize(("type_", "named"), [
    ("state", "state"), ("known", "state"), ("state[]", "state"), ("pair", "state"), ("span", "state"),
    ("regclass", "regclass")])
def test_a_hypertable_hashed_by_oids_is_refused_by_name(database: Database, type_: str, named: str) -> None:
    database.execute(*TYPES, *hypertable(type_))
    with pytest.raises(DumpError) as caught, snapshot_of(database.admin):
        pass
    line = str(caught.value)
    assert line.startswith(f"database {database.admin.database}: public.r by key (")
    assert f"{named}): partitioned by the hash of a type whose values are hashed by OIDs" in line
    assert "physical backups" in line
    assert "\n" not in line


def test_a_table_that_postgresql_partitions_by_such_a_hash_is_refused_by_name(database: Database) -> None:
    database.execute(*TYPES, 'CREATE TABLE "The parts" (n int, s state) PARTITION BY HASH (n, s)')
    with pytest.raises(DumpError, match=r'public\."The parts" by s \(public\.state\)'), snapshot_of(database.admin):
        pass


@pytest.mark.parametrize("statements", [
    hypertable("int"), hypertable("text"), ["CREATE TABLE p (s state) PARTITION BY LIST (s)"],
    [*hypertable("state", "by_hash('key', 2, partition_func => 'by_text'::regproc)")]])
def test_other_partitions_are_backed_up(database: Database, statements: list[str]) -> None:
    function = ("CREATE FUNCTION by_text(anyelement) RETURNS int IMMUTABLE LANGUAGE SQL "
                "AS $$ SELECT abs(hashtext($1::text)) $$")
    database.execute(*TYPES, function, *statements)
    with snapshot_of(database.admin) as source:
        assert source.tables is not None
