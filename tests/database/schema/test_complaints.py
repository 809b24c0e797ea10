"""What users of other tools complain of most, with the place where they do: each is a fact about this one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import ApplyError, DeclarationError, UnsupportedError
from schema.model.objects import Column, Compression, Hypertable, Index, Key, Retention, Table
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

TABLE = Table("readings", (Column("at", "timestamptz", null=False), Column("device", "bigint", null=False),
                           Column("value", "double precision")),
              hypertable=Hypertable("at", "7 days"), compression=Compression("30 days", ("device",), ("at DESC",)),
              retention=Retention("1 year"))
PLAIN = replace(TABLE, hypertable=None, compression=None, retention=None)
ROWS = "INSERT INTO readings SELECT now() - n * interval '2 hours', n % 3, n FROM generate_series(1, 500) n"
COMPRESS = "SELECT compress_chunk(c) FROM show_chunks('readings') c"
JOBS = "SELECT job_id, proc_name::text FROM timescaledb_information.jobs WHERE hypertable_name = 'readings' ORDER BY 1"


@pytest.fixture
def filled(database: Database) -> Database:
    """The table with rows in several chunks."""
    apply.ensure(database.owner, [TABLE])
    database.execute(ROWS)
    return database


def test_an_index_comes_to_a_hypertable_that_refuses_to_build_it_concurrently(filled: Database) -> None:
    """pgschema#153: CREATE INDEX CONCURRENTLY fails on hypertables."""
    more = replace(TABLE, indexes=(Index("by_value", ("value", "at")),))
    (step,) = apply.ensure(filled.owner, [more]).steps
    assert "CONCURRENTLY" not in step.sql
    assert "transaction_per_chunk" in step.sql
    assert step.hazards == ()


def test_the_index_that_timescaledb_adds_on_time_is_never_dropped(database: Database) -> None:
    """sqlalchemy-timescaledb#21, timescaledb-ts#40: diff tools drop *_time_idx."""
    database.execute("CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL, value float)",
                     "SELECT create_hypertable('readings', 'at')")
    options = apply.Options(whole_schema=True, allow=frozenset({"drops_index", "drops_table"}))
    apply.ensure(database.owner, [TABLE], options=options)
    assert database.execute("SELECT 1 FROM pg_indexes WHERE indexname = 'readings_at_idx'") == [(1,)]


def test_nothing_of_timescaledbs_own_is_ever_in_a_plan(filled: Database) -> None:
    """Chunks, internal schemas and triggers, with every drop allowed."""
    filled.execute(COMPRESS)
    hazards = ("drops_table", "drops_index", "drops_trigger", "drops_function", "drops_view", "drops_job",
               "drops_constraint", "drops_column", "without_backup")
    plan = apply.plan(filled.owner, [TABLE], options=apply.Options(whole_schema=True, allow=frozenset(hazards)))
    assert plan.steps == ()
    assert plan.warnings == ()


def test_an_existing_policy_is_neither_an_error_nor_duplicated(filled: Database) -> None:
    """timescaledb#2622, #3296: adding a policy again errors or doubles a job."""
    before = filled.execute(JOBS)
    for change in (TABLE, replace(TABLE, retention=Retention("2 years")), TABLE):
        apply.ensure(filled.owner, [change])
        assert filled.execute(JOBS) == before


def test_a_table_is_altered_while_compression_is_on(filled: Database) -> None:
    """timescaledb#2663, #1543: ALTER TABLE is refused while compression is on. What it can do is done."""
    filled.execute(COMPRESS)
    columns = (TABLE.columns[0], replace(TABLE.columns[1], name="sensor", renamed_from="device"),
               Column("quality", "integer", null=False, default="1"))
    wanted = replace(TABLE, columns=columns, compression=Compression("30 days", ("sensor",), ("at DESC",)))
    apply.ensure(filled.owner, [wanted], options=apply.Options(allow=frozenset({"drops_column"})))
    assert apply.plan(filled.owner, [wanted]).steps == ()
    assert filled.execute("SELECT count(*), min(quality), count(sensor) FROM readings") == [(500, 1, 500)]


def test_what_cannot_be_altered_while_compression_is_on_is_refused_before_anything_is_done(filled: Database) -> None:
    """timescaledb#2663: not in the middle of a migration, and with the way."""
    filled.execute(COMPRESS)
    columns = (*TABLE.columns[:2], Column("value", "real"), Column("extra", "integer"))
    with pytest.raises(UnsupportedError, match="decompress them"):
        apply.ensure(filled.owner, [replace(TABLE, columns=columns)])
    assert filled.execute("SELECT 1 FROM pg_attribute WHERE attname = 'extra'") == []


def test_settings_that_reach_future_chunks_only_say_so_and_reach_others_where_that_is_declared(
        filled: Database) -> None:
    """timescaledb#9559: settings only reach future chunks."""
    filled.execute(COMPRESS)
    other = Compression("30 days", (), ("device", "at DESC"))
    (step,) = apply.plan(filled.owner, [replace(TABLE, compression=other)]).steps
    assert "it reaches future chunks only" in step.why
    all_of_them = replace(TABLE, compression=replace(other, recompress="1 year"), allow=("blocks_writes",))
    apply.ensure(filled.owner, [all_of_them])
    settings = filled.execute("SELECT DISTINCT segmentby, orderby FROM timescaledb_information."
                              "chunk_compression_settings")
    assert settings == [("", "device,at DESC")]
    assert apply.plan(filled.owner, [all_of_them]).steps == ()


@pytest.mark.servers("official", "debian")
def test_a_conversion_leaves_no_chunk_without_its_indexes(database: Database) -> None:
    """timescaledb#6835: migrate_data leaves chunks without indexes. They are looked for in every chunk."""
    indexed = replace(PLAIN, indexes=(Index("by_device", ("device", "at DESC")),))
    apply.ensure(database.owner, [indexed])
    database.execute(ROWS)
    wanted = replace(indexed, hypertable=TABLE.hypertable, allow=("blocks_writes", "rewrites_table"))
    apply.ensure(database.owner, [wanted])
    without = ("SELECT count(*) FROM pg_inherits WHERE inhparent = 'readings'::regclass AND NOT EXISTS "
               "(SELECT FROM pg_index WHERE indrelid = inhrelid AND indisvalid AND indnkeyatts = 2)")
    assert database.execute(without) == [(0,)]
    database.execute("DO $$ BEGIN EXECUTE (SELECT 'DROP INDEX ' || indexrelid::regclass FROM pg_index WHERE indrelid = "
                     "(SELECT c FROM show_chunks('readings') c LIMIT 1)); END $$")
    assert database.execute(without) == [(1,)]
    apply.ensure(database.owner, [wanted])
    assert database.execute(without) == [(0,)]


@pytest.mark.servers("official", "debian")
def test_an_index_build_that_was_interrupted_leaves_no_chunk_without_it(database: Database) -> None:
    """A build with a transaction for each chunk that fails in one of them leaves an invalid, half-built index."""
    table = replace(TABLE, compression=None, retention=None)
    apply.ensure(database.owner, [table])
    database.execute(ROWS)
    wanted = replace(table, indexes=(Index("inverse", ("(1 / (value - 250))", "at")),))
    with pytest.raises(ApplyError, match="division by zero"):
        apply.ensure(database.owner, [wanted])
    database.execute("DELETE FROM readings WHERE value = 250")
    apply.ensure(database.owner, [wanted])
    assert apply.plan(database.owner, [wanted]).steps == ()
    counts = database.execute("SELECT count(*) FROM pg_inherits LEFT JOIN pg_index ON indrelid = inhrelid AND "
                              "indisvalid WHERE inhparent = 'readings'::regclass GROUP BY inhrelid")
    assert set(counts) == {(1,)}


def test_a_unique_index_without_the_partition_columns_is_refused_without_a_server(database: Database) -> None:
    """Unique indexes need the partition column."""
    for wrong in (replace(TABLE, keys=(Key("by_device", ("device",)),)),
                  replace(TABLE, indexes=(Index("by_device", ("device",), unique=True),))):
        with pytest.raises(DeclarationError, match=r"readings\.by_device: a .* of a hypertable must contain 'at'"):
            apply.plan(database.owner, [wrong])
