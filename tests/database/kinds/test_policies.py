"""Policies, columnstore settings and aggregates that people made in SQL: adopted, planned empty, changed by name alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schema import apply
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import (
    Column,
    Compression,
    ContinuousAggregate,
    Hypertable,
    Index,
    Job,
    Object,
    Refresh,
    Reorder,
    Retention,
    Table,
)
from schema.model.properties import from_dict, to_dict
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

SETTINGS: dict[str, Any] = {
    "initial_start": "2026-01-01 03:00:00+00", "timezone": "Europe/Berlin", "max_runtime": "00:10:00", "max_retries": 3,
    "retry_period": "00:02:00"}
TABLE = Table(
    "readings", (Column("at", "timestamptz", null=False), Column("device", "integer"), Column("value", "integer")),
    indexes=(Index("readings_at_idx", ("at DESC",)),), hypertable=Hypertable("at", "7 days"),
    compression=Compression(segment_by=("device",), order_by=("at DESC",), schedule="1 day", created_before="7 days",
                            **SETTINGS),
    retention=Retention(drop_created_before="30 days", schedule="1 day", **SETTINGS),
    reorder=Reorder("readings_at_idx", "4 days", **SETTINGS))
REFRESH = Refresh("30 days", "01:00:00", "01:00:00", buckets_per_batch=5, max_batches_per_execution=3,
                  refresh_newest_first=False, include_tiered_data=True, **SETTINGS)
PLAIN = replace(TABLE, compression=None, retention=None, reorder=None)
DAILY = ContinuousAggregate(
    "daily", "SELECT time_bucket('1 day', at) AS bucket, device, sum(value) AS value FROM readings GROUP BY 1, 2",
    refresh=REFRESH, further_refreshes=(Refresh("300 days", "40 days", "7 days"),), chunk="90 days")
JOBS = "SELECT job_id FROM timescaledb_information.jobs WHERE hypertable_name = 'readings' ORDER BY job_id"


def changed(database: Database, *objects: Object, allow: tuple[str, ...] = ()) -> list[str]:
    """Apply, which proves that the next plan is empty; what was run. What is read back is the declaration."""
    steps = apply.ensure(database.owner, objects, options=apply.Options(allow=frozenset(allow))).steps
    assert tuple(apply.read(database.owner, objects)) == objects
    return [step.sql for step in steps]


def adopted(database: Database) -> tuple[Object, ...]:
    """Everything in the database as declarations, against which nothing is planned."""
    objects = adopt(database.owner).objects
    assert apply.plan(database.owner, objects).render() == []
    assert tuple(from_dict(to_dict(value)) for value in objects) == objects
    return objects


def named(objects: tuple[Object, ...], name: str) -> Any:
    return next(value for value in objects if value.name == name)


def test_every_setting_of_a_policy_is_made_read_back_and_altered_in_place(database: Database) -> None:
    changed(database, TABLE)
    assert adopted(database) == (TABLE,)
    before = database.execute(JOBS)
    assert TABLE.retention
    assert TABLE.compression
    assert TABLE.reorder
    other = {"initial_start": "2026-02-01 04:00:00+00", "timezone": "Asia/Tokyo", "max_runtime": "00:20:00",
             "max_retries": 5, "retry_period": "00:03:00"}
    wanted = replace(TABLE, retention=replace(TABLE.retention, drop_created_before="40 days", **other),
                     compression=replace(TABLE.compression, created_before="8 days", **other),
                     reorder=replace(TABLE.reorder, **other))
    assert len(changed(database, wanted)) == 3
    assert database.execute(JOBS) == before


def test_settings_that_are_left_out_stay(database: Database) -> None:
    changed(database, TABLE)
    wanted = replace(TABLE, retention=Retention(drop_created_before="50 days"))
    apply.ensure(database.owner, [wanted])
    assert TABLE.retention
    assert named(adopted(database), "readings").retention == replace(TABLE.retention, drop_created_before="50 days")


def test_a_policy_by_creation_is_removed_only_where_that_is_allowed(database: Database) -> None:
    changed(database, TABLE)
    wanted = replace(TABLE, retention=None, reorder=None)
    planned = apply.plan(database.owner, [wanted])
    assert [step.sql for step in planned.steps] == ["SELECT remove_reorder_policy('readings')"]
    assert "readings.retention is not declared and was left in place; declare it, or allow drops_job to drop it" in \
        planned.warnings
    apply.ensure(database.owner, [wanted], options=apply.Options(allow=frozenset({"drops_job"})))
    assert named(adopted(database), "readings").retention is None


def test_refresh_policies_of_two_windows_are_declared_altered_and_left_in_place(database: Database) -> None:
    changed(database, PLAIN, DAILY)
    assert adopted(database) == (PLAIN, replace(DAILY, query=named(adopted(database), "daily").query))
    swapped = replace(DAILY, refresh=DAILY.further_refreshes[0], further_refreshes=(REFRESH,))
    assert apply.plan(database.owner, [PLAIN, swapped]).render() == []
    later = replace(DAILY, further_refreshes=(Refresh("300 days", "40 days", "8 days"),))
    (step,) = changed(database, PLAIN, later)
    assert step.startswith("SELECT (alter_job(")
    one = replace(DAILY, further_refreshes=())
    planned = apply.plan(database.owner, [PLAIN, one])
    assert planned.steps == ()
    assert "daily: its refresh policy from 300 days to 40 days is not declared and was left in place; declare it in " \
           "further_refreshes, or allow drops_job to drop it" in planned.warnings
    assert len(changed(database, PLAIN, one, allow=("drops_job",))) == 1


def test_an_aggregate_that_is_rebuilt_keeps_what_its_declaration_leaves_out(database: Database) -> None:
    changed(database, PLAIN, DAILY)
    database.execute("CREATE INDEX ON daily (value DESC, bucket)",
                     "INSERT INTO readings SELECT now() - n * interval '1 hour', n % 2, 1 "
                     "FROM generate_series(1, 500) n")
    wanted = replace(DAILY, query=DAILY.query.replace("sum(value)", "max(value)"), chunk=None,
                     refresh=Refresh("30 days", "1 hour", "1 hour"), further_refreshes=())
    apply.ensure(database.owner, [PLAIN, wanted])
    live = named(adopted(database), "daily")
    assert (live.refresh, live.further_refreshes, live.chunk) == (REFRESH, DAILY.further_refreshes, "90 days")
    assert live.indexes == (Index("daily_value_bucket_idx", ("value DESC", "bucket")),)


def test_jobs_of_one_procedure_have_names_of_their_own(database: Database) -> None:
    database.execute("CREATE PROCEDURE remake(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'",
                     "CREATE FUNCTION checked(config jsonb) RETURNS void LANGUAGE sql AS 'SELECT'",
                     "SELECT add_job('remake', '1 h', config => '{\"view\": \"a\"}')",
                     "SELECT add_job('remake', '1 h', config => '{\"view\": \"b\"}', check_config => 'checked')",
                     "SELECT add_job('remake', '2 h', config => '{\"view\": \"a\"}', timezone => 'Europe/Berlin', "
                     "initial_start => '2026-01-01 03:00+00')")
    jobs = [value for value in adopted(database) if isinstance(value, Job)]
    assert [(job.name, job.check, job.initial_start) for job in jobs] == [
        ("remake", None, None), ("remake_2", "checked", None), ("remake_3", None, "2026-01-01 03:00:00+00")]
    moved = [*jobs[:2], replace(jobs[2], initial_start="2026-01-02 03:00:00+00")]
    (step,) = apply.ensure(database.owner, moved).steps
    assert "initial_start => timestamptz '2026-01-02 03:00:00+00'" in step.sql
    assert database.execute("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'remake'") == [(3,)]


def test_what_the_columnstore_leaves_to_the_server_stays_so(database: Database) -> None:
    database.execute(
        "CREATE TABLE plain (at timestamptz NOT NULL, device int) WITH (tsdb.hypertable, tsdb.partition_column = 'at')",
        "CREATE TABLE half (at timestamptz NOT NULL, device int)", "SELECT create_hypertable('half', 'at')",
        "ALTER TABLE half SET (timescaledb.compress, timescaledb.compress_segmentby = 'device')")
    plain, half = adopted(database)
    assert plain.compression.segment_by is None
    assert plain.compression.order_by is None
    assert half.compression == Compression(segment_by=("device",), order_by=None)  # type: ignore[attr-defined]
    unnamed = replace(half, compression=Compression(segment_by=("device",)))  # type: ignore[call-arg]
    assert apply.plan(database.owner, [unnamed]).render() == []
    ordered = replace(half, compression=Compression(segment_by=None, order_by=("at DESC",)))  # type: ignore[call-arg]
    changed(database, ordered)
    changed(database, half)


def test_columns_of_any_name_segment_and_order(database: Database) -> None:
    database.execute(
        'CREATE TABLE "Quote" ("symbolKey" text NOT NULL, ts timestamptz NOT NULL, "user" int, "my col" int)',
        "SELECT create_hypertable('\"Quote\"', 'ts', create_default_indexes => false)",
        'ALTER TABLE "Quote" SET (timescaledb.enable_columnstore, timescaledb.segmentby = \'"symbolKey"\', '
        'timescaledb.orderby = \'ts DESC, "user"\')')
    (quote,) = adopted(database)
    assert quote.compression == Compression(  # type: ignore[attr-defined]
        segment_by=("symbolKey",), order_by=("ts DESC", '"user"'))
    quoted = replace(quote, compression=Compression(  # type: ignore[call-arg]
        segment_by=('"symbolKey"',), order_by=("ts DESC", "user")))
    assert apply.plan(database.owner, [quoted]).render() == []
    changed(database, replace(quote, compression=Compression(  # type: ignore[call-arg]
        segment_by=("user",), order_by=('"my col" DESC', "ts DESC"))))
    named_time = Table("timed", (Column("Time", "timestamptz", null=False),), hypertable=Hypertable("Time", "7 days"),
                       compression=Compression("7 days"))
    apply.ensure(database.owner, [named_time])


def test_sparse_indexes_merged_chunks_and_chunk_skipping_are_made_and_read_back(database: Database) -> None:
    table = replace(PLAIN, hypertable=Hypertable("at", "1 day", chunk_skipping=("device",)), compression=Compression(
        order_by=("at DESC",), sparse_index=("bloom(device)", "minmax(value)"), chunk_interval="7 days"))
    changed(database, table)
    assert adopted(database) == (table,)
    left = replace(table, hypertable=Hypertable("at", "1 day"), compression=Compression(
        segment_by=("device",), order_by=("at DESC",), sparse_index=("minmax(value)",)))
    apply.ensure(database.owner, [left])
    live = named(adopted(database), "readings")
    assert live.hypertable.chunk_skipping == ("device",)
    assert live.compression == replace(left.compression or Compression(), chunk_interval="7 days")
    changed(database, replace(live, hypertable=Hypertable("at", "1 day", chunk_skipping=("value",))))


@pytest.mark.parametrize("bucket", [
    "time_bucket(BIGINT '60000', at)", "time_bucket(60000::bigint, at)", "time_bucket('60000', at)",
    "time_bucket(bucket_width => 60000, ts => at)"])
def test_buckets_of_numbers_are_read_in_every_spelling(database: Database, bucket: str) -> None:
    database.execute("CREATE TABLE ticks (at bigint NOT NULL, price int)",
                     "SELECT create_hypertable('ticks', 'at', chunk_time_interval => 86400000)",
                     "CREATE FUNCTION ticks_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint'",
                     "SELECT set_integer_now_func('ticks', 'ticks_now')",
                     f"CREATE MATERIALIZED VIEW bars WITH (timescaledb.continuous) AS SELECT {bucket} AS b, "
                     "max(price) AS high FROM ticks GROUP BY 1 WITH NO DATA")
    objects = adopted(database)
    bars = ContinuousAggregate("bars", "SELECT time_bucket(60000, at) AS b, max(price) AS high FROM ticks GROUP BY 1")
    others = [value for value in objects if value.name != "bars"]
    assert len(others) == len(objects) - 1
    if "=>" not in bucket:
        assert apply.plan(database.owner, [*others, bars]).render() == []


def test_buckets_with_named_arguments_are_adopted(database: Database) -> None:
    database.execute(
        "CREATE TABLE met (at timestamptz NOT NULL, v int)", "SELECT create_hypertable('met', 'at')",
        *(f"CREATE MATERIALIZED VIEW m{number} WITH (timescaledb.continuous) AS SELECT time_bucket({arguments}) AS b, "
          "sum(v) AS v FROM met GROUP BY 1 WITH NO DATA" for number, arguments in enumerate((
              "bucket_width => INTERVAL '1 day', ts => at, timezone => 'Europe/Berlin'",
              "'1 month', at, 'Asia/Amman', \"offset\" => INTERVAL '10 days'",
              "'1 week', at, origin => TIMESTAMPTZ '2000-01-03 00:00+00'"))))
    assert [value.name for value in adopted(database)] == ["met", "m0", "m1", "m2"]


def test_an_aggregate_on_an_aggregate_is_computed_over_old_rows_on_every_level(database: Database) -> None:
    apply.ensure(database.owner, [PLAIN])
    database.execute("INSERT INTO readings SELECT '2025-01-06 00:00+00'::timestamptz + n * interval '1 hour', 1, 1 "
                     "FROM generate_series(0, 24 * 7 * 40 - 1) n")
    daily = ContinuousAggregate("daily", "SELECT time_bucket('1 day', at) AS b, count(*) AS n FROM readings GROUP BY 1")
    weekly = ContinuousAggregate("weekly", "SELECT time_bucket('1 week', b) AS c, sum(n) AS n FROM daily GROUP BY 1")
    top = ContinuousAggregate("top", "SELECT time_bucket('2 weeks', c) AS d, sum(n) AS n FROM weekly GROUP BY 1")
    apply.ensure(database.owner, [PLAIN, daily, weekly, top])
    assert database.execute("SELECT (SELECT sum(n) FROM daily), (SELECT sum(n) FROM weekly), "
                            "(SELECT sum(n) FROM top)") == [(6720, 6720, 6720)]


def test_retention_over_local_time_is_refused_where_jobs_are_not_in_utc(database: Database) -> None:
    table = Table("logs", (Column("at", "timestamp", null=False),), hypertable=Hypertable("at", "1 hour"),
                  retention=Retention("8 hours"))
    jobs = f'ALTER ROLE "{database.owner.user}" IN DATABASE "{database.owner.database}"'
    database.execute(f"{jobs} SET timezone = 'Asia/Tokyo'")
    with pytest.raises(UnsafeChangeError, match=r"logs\.retention: its time column has no time zone.*Asia/Tokyo"):
        apply.ensure(database.owner, [table])
    database.execute(f"{jobs} SET timezone = 'UTC'")
    changed(database, table)
    database.execute(f"{jobs} SET timezone = 'Asia/Tokyo'")
    planned = apply.plan(database.owner, [table])
    assert planned.steps == ()
    assert any("compares it with the present in Asia/Tokyo" in line for line in planned.warnings)


def test_views_on_timescaledbs_own_relations_are_named(database: Database) -> None:
    database.execute("CREATE TABLE c (at timestamptz NOT NULL)", "SELECT create_hypertable('c', 'at')",
                     "INSERT INTO c VALUES (now())",
                     "DO $$ BEGIN EXECUTE 'CREATE VIEW peek AS SELECT * FROM ' || (SELECT show_chunks('c')); END $$",
                     "CREATE VIEW hot AS SELECT id FROM _timescaledb_catalog.hypertable",
                     "CREATE VIEW fine AS SELECT job_id FROM timescaledb_information.jobs")
    written = adopt(database.owner)
    assert {value.name for value in written.objects} == {"c", "hot", "fine"}
    assert [line.partition(",")[0] for line in written.remarks] == [
        "peek: it stands on _timescaledb_internal._hyper_1_1_chunk",
        "hot: it stands on _timescaledb_catalog.hypertable"]


@pytest.mark.servers("embedded")
def test_a_renamed_column_and_real_time_go_together_and_are_refused_one_after_the_other_before_226(
        database: Database) -> None:
    plain = ContinuousAggregate(
        "daily", "SELECT time_bucket('1 day', at) AS bucket, max(value) AS value FROM readings GROUP BY 1")
    highest = replace(plain, query=plain.query.replace("AS value", "AS highest"))
    apply.ensure(database.owner, [PLAIN, plain])
    database.execute("INSERT INTO readings VALUES (now(), 1, 7)")
    apply.ensure(database.owner, [PLAIN, replace(highest, real_time=True)])
    assert database.execute("SELECT highest FROM daily") == [(7,)]
    with pytest.raises(UnsupportedError, match=r"daily\.real_time: highest was renamed, and TimescaleDB 2\.23"):
        apply.plan(database.owner, [PLAIN, highest])
