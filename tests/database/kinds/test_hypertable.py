"""Hypertables: made of tables, partitioned further, and changed for the chunks to come; never made tables again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsafeChangeError
from schema.model.objects import (
    Column,
    Compression,
    ContinuousAggregate,
    Dimension,
    Function,
    Hypertable,
    Index,
    Key,
    Object,
    Reorder,
    Retention,
    Table,
    Trigger,
)
from schema.model.properties import from_dict, to_dict
from tests.support.convergence import Crash
from tests.support.running.servers import Database

EVERYWHERE = pytest.mark.servers("official", "debian")
OFFICIAL = pytest.mark.servers("official")
pytestmark = OFFICIAL
CONVERTS = ("blocks_writes", "rewrites_table")
TYPES = {"timestamp": ("timestamp", "7 days"), "timestamptz": ("timestamptz", "1 day"), "date": ("date", "1 month"),
         "integer": ("integer", "1000"), "bigint": ("bigint", "86400000")}


def readings(type_: str = "timestamptz", chunk: str = "7 days", **more: object) -> Table:
    """A table of measurements, a hypertable on `at`."""
    parts = {"hypertable": Hypertable("at", chunk), **more}
    return Table("readings", (Column("at", type_, null=False), Column("device", "bigint", null=False),
                              Column("value", "double precision")), **parts)  # type: ignore[arg-type]


TABLE = readings()
PLAIN = replace(TABLE, hypertable=None)
ROWS = ("INSERT INTO readings SELECT timestamptz '2026-01-01' + n * interval '1 hour', n % 5, n "
        "FROM generate_series(1, 500) n")
CHUNKS = "SELECT count(*) FROM show_chunks('readings')"


def changed(database: Database, *objects: Object, allow: tuple[str, ...] = ()) -> list[str]:
    """Apply, which proves that the next plan is empty; what was run. What is read back is the declaration."""
    steps = apply.ensure(database.owner, objects, options=apply.Options(allow=frozenset(allow))).steps
    assert tuple(apply.read(database.owner, objects)) == objects
    assert tuple(from_dict(to_dict(value)) for value in objects) == objects
    return [step.sql for step in steps]


@pytest.mark.parametrize("kind", TYPES)
def test_a_table_is_partitioned_by_a_column_of_each_type(database: Database, kind: str) -> None:
    table = readings(*TYPES[kind])
    assert len(changed(database, table)) == 2
    assert changed(database, table) == []


@pytest.mark.servers("embedded")
def test_a_hypertable_with_a_further_dimension_on_the_embedded_server(database: Database) -> None:
    changed(database, replace(TABLE, hypertable=Hypertable("at", "7 days", (Dimension("device", 2),))))


@pytest.mark.parametrize(("before", "after"), [("7 days", "1 day"), ("7 days", "1 month"), ("1 day", "36 hours")])
def test_a_new_chunk_interval_applies_to_future_chunks(database: Database, before: str, after: str) -> None:
    changed(database, readings(chunk=before))
    database.execute(ROWS)
    chunks = database.execute(CHUNKS)
    (step,) = changed(database, readings(chunk=after))
    assert step == f"SELECT set_chunk_time_interval('readings', interval '{after}')"
    assert database.execute(CHUNKS) == chunks
    assert changed(database, readings(chunk=before)) == [
        f"SELECT set_chunk_time_interval('readings', interval '{before}')"]


def test_an_interval_of_equal_value_is_no_change(database: Database) -> None:
    changed(database, TABLE)
    assert changed(database, readings(chunk="1 week")) == []
    assert changed(database, readings(chunk="168 hours")) == []


def partitioned(*dimensions: Dimension) -> Table:
    return replace(TABLE, hypertable=Hypertable("at", "7 days", dimensions))


@EVERYWHERE
def test_dimensions_are_created_with_the_table(database: Database) -> None:
    columns = (*TABLE.columns, Column("room", "integer", null=False))
    table = replace(partitioned(Dimension("device", 4), Dimension("room", interval="10")), columns=columns)
    assert len(changed(database, table)) == 4
    database.execute("INSERT INTO readings SELECT timestamptz '2026-01-01', n, n, n FROM generate_series(1, 40) n")
    (chunks,), = database.execute(CHUNKS)
    assert isinstance(chunks, int)
    assert chunks > 4


@EVERYWHERE
def test_a_dimension_is_added_to_a_hypertable_with_rows_and_its_chunks_are_not_split(database: Database) -> None:
    changed(database, TABLE)
    database.execute(ROWS)
    chunks = database.execute(CHUNKS)
    (step,) = changed(database, partitioned(Dimension("device", 4)))
    assert step == "SELECT add_dimension('readings', by_hash('device', 4))"
    assert database.execute(CHUNKS) == chunks
    assert database.execute("SELECT count(*) FROM readings") == [(500,)]


@EVERYWHERE
def test_the_number_of_partitions_changes_for_future_chunks(database: Database) -> None:
    changed(database, partitioned(Dimension("device", 4)))
    assert changed(database, partitioned(Dimension("device", 2))) == [
        "SELECT set_number_partitions('readings', 2, 'device')"]


def test_the_interval_of_a_range_dimension_changes_for_future_chunks(database: Database) -> None:
    changed(database, partitioned(Dimension("device", interval="1000")))
    assert changed(database, partitioned(Dimension("device", interval="500"))) == [
        "SELECT set_chunk_time_interval('readings', 500, 'device')"]


@pytest.mark.parametrize(("wanted", "message"), [
    (TABLE, "partitioned by device, too, which is not declared"),
    (partitioned(Dimension("device", interval="10")), "partitioned by hash, declared by the other"),
    (PLAIN, "it is a hypertable on at and declared as a plain table"),
    (replace(TABLE, hypertable=Hypertable("device", "10")), "it is partitioned by at, declared by device")])
def test_a_dimension_that_cannot_be_removed_is_refused_with_a_remedy(
        database: Database, wanted: Table, message: str) -> None:
    changed(database, partitioned(Dimension("device", 4)))
    with pytest.raises(UnsafeChangeError, match=message) as refused:
        apply.plan(database.owner, [wanted])
    assert "declare " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_integer_column_has_a_function_for_the_present_which_policies_need(database: Database) -> None:
    now = Function("steps_now", "SELECT 100000", returns="integer", language="sql", volatility="stable")
    database.execute("CREATE FUNCTION steps_now() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 100000'",
                     "CREATE FUNCTION later() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 200000'")
    table = readings("integer", "1000", hypertable=Hypertable("at", "1000", now=f"public.{now.name}"),
                     retention=Retention("50000"))
    assert [step.split("(")[0] for step in changed(database, table)] == [
        "CREATE TABLE readings ", "SELECT create_hypertable", "SELECT set_integer_now_func",
        "SELECT add_retention_policy"]
    other = replace(table, hypertable=Hypertable("at", "1000", now="later"))
    assert changed(database, other) == [
        "SELECT set_integer_now_func('readings', 'later', replace_if_exists => true)"]
    with pytest.raises(UnsafeChangeError, match="later tells its present, declared is none"):
        apply.plan(database.owner, [replace(table, hypertable=Hypertable("at", "1000"), retention=None)])


def test_an_integer_policy_without_a_now_function_is_refused_without_a_server(database: Database) -> None:
    with pytest.raises(DeclarationError, match="needs a function that returns the current time"):
        apply.plan(database.owner, [readings("integer", "1000", retention=Retention("500"))])


def test_tablespaces_are_attached_and_detached(database: Database) -> None:
    with database.admin.connect() as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        for name in ("space_a", "space_b"):
            exists = connection.execute("SELECT FROM pg_tablespace WHERE spcname = %s", [name]).fetchone()
            if exists is None:
                connection.execute(f"CREATE TABLESPACE {name} LOCATION ''".encode())
            connection.execute(f"GRANT CREATE ON TABLESPACE {name} TO test_owner".encode())
    both = replace(TABLE, hypertable=Hypertable("at", "7 days", tablespaces=("space_b", "space_a")))
    assert len(changed(database, both)) == 4
    database.execute(ROWS)
    one = replace(TABLE, hypertable=Hypertable("at", "7 days", tablespaces=("space_a",)))
    assert changed(database, one) == ["SELECT detach_tablespace('space_b', 'readings', if_attached => true)"]
    assert changed(database, TABLE) == ["SELECT detach_tablespace('space_a', 'readings', if_attached => true)"]


def test_a_table_with_rows_is_converted_with_its_hazards_and_keeps_them(database: Database) -> None:
    changed(database, PLAIN)
    database.execute(ROWS)
    table = partitioned(Dimension("device", 2))
    (step,) = apply.plan(database.owner, [table]).steps
    assert step.hazards == CONVERTS
    assert step.cost.startswith("ACCESS EXCLUSIVE, ")
    assert step.heavy
    with pytest.raises(UnsafeChangeError, match="blocks_writes, rewrites_table is not allowed"):
        apply.ensure(database.owner, [table])
    changed(database, table, allow=CONVERTS)
    assert database.execute("SELECT count(*), sum(value) FROM readings") == [(500, 125250.0)]
    assert database.execute("SELECT count(*) FROM ONLY readings") == [(0,)]


@EVERYWHERE
def test_a_conversion_brings_keys_and_indexes_along(database: Database) -> None:
    narrow = replace(PLAIN, keys=(Key("readings_pkey", ("value",), primary=True),),
                     columns=(*TABLE.columns[:2], Column("value", "double precision", null=False)))
    changed(database, narrow)
    database.execute(ROWS)
    wide = replace(narrow, hypertable=TABLE.hypertable, keys=(Key("readings_pkey", ("value", "at"), primary=True),),
                   indexes=(Index("by_device", ("device", "at DESC")),))
    steps = changed(database, wide, allow=CONVERTS)
    assert any("transaction_per_chunk" in step for step in steps)
    missing = database.execute(
        "SELECT inhrelid::regclass, count(*) FROM pg_inherits JOIN pg_index ON indrelid = inhrelid AND indisvalid "
        "WHERE inhparent = 'readings'::regclass GROUP BY 1 HAVING count(*) <> 2")
    assert missing == []


def test_a_unique_key_that_a_hypertable_cannot_keep_is_refused_with_a_remedy(database: Database) -> None:
    database.execute("CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL, "
                     "value double precision CONSTRAINT alone UNIQUE)", ROWS)
    with pytest.raises(UnsafeChangeError, match="alone is unique without at"):
        apply.plan(database.owner, [TABLE])


@pytest.mark.parametrize("statements", [
    ["CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL, value double precision)"],
    ["CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL)",
     "SELECT create_hypertable('readings', 'at', chunk_time_interval => interval '1 hour')"],
    ["CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL, value double precision)",
     "SELECT create_hypertable('readings', 'at')", "SELECT add_dimension('readings', by_hash('device', 7))"],
    ["CREATE TABLE readings (device bigint NOT NULL, at timestamptz NOT NULL, value double precision)",
     "SELECT create_hypertable('readings', 'at', 'device', 3)"]], ids=["plain", "other chunk", "more", "whole"])
def test_every_earlier_state_becomes_the_declared_one(database: Database, statements: list[str]) -> None:
    database.execute("SET client_min_messages = error", *statements)
    table = replace(partitioned(Dimension("device", 3)), indexes=(Index("by_device", ("device", "at")),))
    changed(database, table)


@EVERYWHERE
def test_a_hypertable_in_a_schema_of_its_own(database: Database) -> None:
    table = replace(partitioned(Dimension("device", 4)), schema="iot", indexes=(Index("by_v", ("(value + 1)",)),))
    changed(database, table)
    again = replace(table, hypertable=Hypertable("at", "1 day", (Dimension("device", 2),)))
    assert len(changed(database, again)) == 2


def test_dependants_of_a_hypertable_in_another_schema_are_canonicalized(database: Database) -> None:
    present = Function("present", "SELECT 5000", returns="integer", language="sql", volatility="stable", schema="iot")
    stamp = Function("stamp", "BEGIN RETURN NEW; END", returns="trigger", schema="iot")
    table = replace(readings("integer", "1000", hypertable=Hypertable("at", "1000", now="iot.present")), schema="iot",
                    triggers=(Trigger("stamped", "BEFORE UPDATE", "iot.stamp()"),))
    hourly = ContinuousAggregate("hourly", "SELECT time_bucket(1000, at) AS bucket, max(value) AS highest "
                                 "FROM iot.readings GROUP BY 1", schema="iot")
    changed(database, present, stamp, table, hourly)


def test_a_renamed_partition_column_stays_one(database: Database) -> None:
    changed(database, TABLE)
    database.execute(ROWS)
    columns = (replace(TABLE.columns[0], name="measured_at", renamed_from="at"), *TABLE.columns[1:])
    table = replace(TABLE, columns=columns, hypertable=Hypertable("measured_at", "7 days"))
    assert changed(database, table) == ["ALTER TABLE readings RENAME COLUMN at TO measured_at"]


@EVERYWHERE
@pytest.mark.parametrize("lost", [
    "DROP INDEX {}", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass"],
    ids=["dropped", "invalid"])
def test_an_index_missing_on_one_chunk_is_rebuilt(database: Database, lost: str) -> None:
    table = replace(TABLE, indexes=(Index("by_device", ("device", "at DESC")), Index("by_value", ("value",))))
    changed(database, table)
    database.execute(ROWS)
    chunk, = database.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = (SELECT c FROM "
                              "show_chunks('readings') c LIMIT 1) AND indnkeyatts = 2")
    with database.admin.connect() as connection:
        connection.execute(lost.format(*chunk).encode())
    steps = apply.plan(database.owner, [table]).steps
    # Where TimescaleDB goes by likeness, swapping a like index in would take the new one away again.
    anew = ["DROP INDEX", "CREATE INDEX"] if database.server.kind == "official" else ["CREATE INDEX", "DROP INDEX"]
    begin = [" ".join(step.sql.split()[:2]) for step in steps]
    assert begin == (anew if lost.startswith("DROP") else ["REINDEX INDEX"])
    changed(database, table)
    rest = database.execute("SELECT count(*) FROM pg_inherits JOIN pg_index ON indrelid = inhrelid AND indisvalid "
                            "WHERE inhparent = 'readings'::regclass")
    assert rest == [(2 * 3,)]


def test_a_key_whose_index_is_missing_on_one_chunk_is_recreated_with_its_hazard(database: Database) -> None:
    table = replace(TABLE, keys=(Key("readings_pkey", ("device", "at"), primary=True),))
    changed(database, table)
    database.execute(ROWS)
    with database.admin.connect() as connection:
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indrelid = (SELECT c FROM "
                           "show_chunks('readings') c LIMIT 1)")
    with pytest.raises(UnsafeChangeError, match=r"blocks_writes is not allowed .*1 chunks lack its index"):
        apply.ensure(database.owner, [table])
    changed(database, table, allow=("blocks_writes",))


def test_a_crash_before_any_step_of_a_conversion_leaves_what_the_next_run_finishes(database: Database) -> None:
    index = Index("by_device", ("device", "at DESC"))
    table = replace(partitioned(Dimension("device", 2), Dimension("floor", interval="10")), indexes=(index,),
                    columns=(*TABLE.columns, Column("floor", "integer", null=False, default="1")),
                    compression=Compression("30 years", ("device",), ("at DESC",)), retention=Retention("90 years"),
                    reorder=Reorder("by_device"))
    statements = ("SET client_min_messages = error", "DROP TABLE IF EXISTS readings", "CREATE TABLE readings "
                  "(at timestamptz NOT NULL, device bigint NOT NULL, value double precision)", ROWS)
    database.execute(*statements)
    count = len(apply.plan(database.owner, [table]).steps)
    assert count == 8
    for survives in range(count):
        database.execute(*statements)
        seen: list[str] = []

        def die(line: str, seen: list[str] = seen, survives: int = survives) -> None:
            seen.append(line)
            if len(seen) > survives:
                raise Crash

        with pytest.raises(Crash):
            apply.ensure(database.owner, [table], options=apply.Options(allow=frozenset(CONVERTS)), progress=die)
        assert len(changed(database, table, allow=CONVERTS)) == count - survives
        assert database.execute("SELECT count(*), sum(value) FROM readings") == [(500, 125250.0)]
