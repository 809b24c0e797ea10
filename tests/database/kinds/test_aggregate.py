"""Continuous aggregates on real servers: made, changed by the gentlest way, built beside, filled, resumed, dropped."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import (
    Column,
    Compression,
    ContinuousAggregate,
    Function,
    Hypertable,
    Index,
    Object,
    Refresh,
    Retention,
    Table,
)
from schema.model.properties import from_dict, to_dict
from tests.support.running.servers import Database
from tests.support.writers import everybody_writes, writing

pytestmark = pytest.mark.servers("official")

READINGS = Table(
    "readings", (Column("device_id", "bigint", null=False), Column("at", "timestamp", null=False),
                 Column("temperature", "numeric(5,2)"), Column("humidity", "numeric(5,2)")),
    hypertable=Hypertable("at", "7 days"), indexes=(Index("readings_at", ("at",)),))
HOURLY = ContinuousAggregate(
    "hourly", "SELECT device_id, time_bucket('1 hour', at) AS bucket, avg(temperature) AS temperature, count(*) AS n "
              "FROM readings GROUP BY device_id, bucket",
    refresh=Refresh("7 days", "1 hour"), indexes=(Index("hourly_device", ("device_id", "bucket DESC")),),
    compression=Compression("14 days", ("device_id",), ("bucket DESC",)), retention=Retention("5 years"),
    comment="By the hour")
DAILY = ContinuousAggregate(
    "daily", "SELECT device_id, time_bucket('1 day', bucket) AS bucket, sum(n) AS n FROM hourly GROUP BY 1, 2",
    real_time=True, refresh=Refresh("30 days", "1 day", "1 day"))
ALL: tuple[Object, ...] = (READINGS, HOURLY, DAILY)
WIDER = replace(HOURLY, query=HOURLY.query.replace("count(*) AS n", "count(*) AS n, max(temperature) AS most"))
OTHER = replace(HOURLY, query=HOURLY.query.replace("FROM readings", "FROM readings WHERE device_id > 0"))


def fill(database: Database, days: int = 40) -> None:
    """Readings of two devices every 20 minutes, the last an hour old."""
    database.execute(f"INSERT INTO readings SELECT n % 2, date_trunc('hour', localtimestamp) - n * interval '20 min', "
                     f"20 + n % 5, 50 FROM generate_series(3, {days * 72}) n")


def settled(database: Database, objects: tuple[Object, ...]) -> None:
    """Live equals declared, the plan is empty."""
    assert apply.plan(database.owner, objects).render() == []
    assert tuple(apply.read(database.owner, objects)) == objects


def sql(plan: apply.Plan) -> list[str]:
    return [" ".join(step.sql.split()) for step in plan.steps]


def test_aggregates_are_created_in_one_run_and_read_back(database: Database) -> None:
    applied = apply.ensure(database.owner, ALL)
    assert applied.warnings == ()
    settled(database, ALL)
    for declared in ALL:
        assert from_dict(to_dict(declared)) == declared
        assert apply.plan(database.owner, [declared], context=ALL).render() == []
    assert apply.plan(database.owner, ALL, options=apply.Options(whole_schema=True)).warnings == ()


def jobs(database: Database) -> dict[str, int]:
    """Job numbers by procedure, of every aggregate."""
    return {f"{name} {procedure}": int(str(job)) for name, procedure, job in database.execute(
        "SELECT hypertable_name, proc_name, job_id FROM timescaledb_information.jobs WHERE job_id >= 1000")}


def count(database: Database, query: str) -> int:
    ((number,),) = database.execute(f"SELECT count(*) FROM {query}")
    return int(str(number))


CHANGES = {
    "real time": replace(HOURLY, real_time=True),
    "refresh further back": replace(HOURLY, refresh=Refresh("10 days", "2 hours")),
    "refresh from the beginning": replace(HOURLY, refresh=Refresh(None, None), retention=None),
    "refresh more often": replace(HOURLY, refresh=Refresh("7 days", "1 hour", "30 minutes")),
    "refresh paused": replace(HOURLY, refresh=Refresh("7 days", "1 hour", paused=True)),
    "no refresh": replace(HOURLY, refresh=None),
    "another index": replace(HOURLY, indexes=(Index("hourly_device", ("device_id", "bucket")),)),
    "one index more": replace(HOURLY, indexes=(*HOURLY.indexes, Index("hourly_n", ("(n + 1)",), where="n > 0",
                                                                    comment="Busy hours"))),
    "columnstore later": replace(HOURLY, compression=Compression("20 days", ("device_id",), ("bucket DESC",))),
    "columnstore otherwise": replace(HOURLY, compression=Compression("14 days", (), ("bucket", "device_id"))),
    "no columnstore": replace(HOURLY, compression=None),
    "longer retention": replace(HOURLY, retention=Retention("6 years")),
    "no retention": replace(HOURLY, retention=None),
    "no comment": replace(HOURLY, comment=None),
    "another name": replace(HOURLY, name="by_hour", renamed_from="hourly"),
}


@pytest.mark.parametrize("part", ["real time", "refresh", "index", "columnstore", "retention", "comment", "name"])
def test_each_property_is_changed_in_place_and_back(database: Database, part: str) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    fill(database, 20)
    database.execute("CALL refresh_continuous_aggregate('hourly', NULL, NULL)")
    before, rows = jobs(database), count(database, "hourly")
    for other in (changed for change, changed in CHANGES.items() if part in change):
        steps = apply.ensure(database.owner, (READINGS, other)).steps
        assert not [step for step in steps if "CREATE MATERIALIZED" in step.sql or step.hazards]
        assert tuple(apply.read(database.owner, (READINGS, other))) == (READINGS, other)
        assert count(database, other.name) == rows
        after = {name.replace("by_hour", "hourly"): job for name, job in jobs(database).items()}
        assert after.items() <= before.items()
        back = replace(HOURLY, renamed_from=other.name if other.name != HOURLY.name else None)
        options = apply.Options(allow=frozenset({"drops_index"}))
        apply.ensure(database.owner, (READINGS, back), options=options)  # as what a hand has changed is repaired
        before = jobs(database)
    settled(database, (READINGS, HOURLY))


def test_a_policy_of_another_window_added_by_hand_is_dropped_only_where_that_is_allowed(database: Database) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    before = jobs(database)
    database.execute("SELECT add_continuous_aggregate_policy('hourly', interval '20 days', interval '8 days', "
                     "interval '1 day')")
    kept = apply.ensure(database.owner, (READINGS, HOURLY))
    assert kept.steps == ()
    assert [warning.partition(":")[0] for warning in kept.warnings] == ["hourly"]
    steps = apply.ensure(database.owner, (READINGS, HOURLY),
                         options=apply.Options(allow=frozenset({"drops_job"}))).steps
    assert [step.sql.split("(")[0] for step in steps] == ["SELECT delete_job"]
    assert jobs(database) == before


def test_readding_a_policy_neither_fails_nor_doubles_it(database: Database) -> None:
    apply.ensure(database.owner, (READINGS, replace(HOURLY, refresh=None)))
    database.execute("SELECT add_continuous_aggregate_policy('hourly', interval '3 days', interval '1 hour', "
                     "interval '5 hours')")
    before = jobs(database)
    apply.ensure(database.owner, (READINGS, HOURLY))
    settled(database, (READINGS, HOURLY))
    assert jobs(database) == before


def test_an_aggregate_over_rows_appears_complete(database: Database) -> None:
    apply.ensure(database.owner, (READINGS,))
    fill(database)
    plan = apply.plan(database.owner, ALL)
    assert [step.heavy for step in plan.steps if "CALL refresh" in step.sql].count(True) > 5
    apply.ensure(database.owner, ALL)
    settled(database, ALL)
    assert count(database, "hourly WHERE bucket < localtimestamp - interval '3 hours'") == count(
        database, "(SELECT DISTINCT device_id, date_trunc('hour', at) AS bucket FROM readings) r "
                  "WHERE bucket < localtimestamp - interval '3 hours'")
    assert count(database, "daily") >= 78


def test_an_aggregate_dropped_by_hand_plans_exactly_its_creation(database: Database) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    database.execute("DROP MATERIALIZED VIEW hourly")
    statements = sql(apply.plan(database.owner, (READINGS, HOURLY)))
    assert [line.split("(")[0] for line in statements] == [
        "CREATE MATERIALIZED VIEW hourly WITH ", "CREATE INDEX hourly_device ON hourly ",
        "SELECT add_continuous_aggregate_policy", "ALTER MATERIALIZED VIEW hourly SET ",
        "SELECT add_compression_policy", "SELECT add_retention_policy", "COMMENT ON VIEW hourly IS 'By the hour'"]
    apply.ensure(database.owner, (READINGS, HOURLY))
    settled(database, (READINGS, HOURLY))


def loaded(database: Database, days: int = 40) -> None:
    """The aggregates over rows, computed, with rights and views on the hourly one."""
    apply.ensure(database.owner, ALL)
    fill(database, days)
    database.execute(*(f"CALL refresh_continuous_aggregate('{aggregate.name}', NULL, NULL)" for aggregate in ALL[1:]))
    with database.admin.connect() as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'reader'").fetchone():
            connection.execute("CREATE ROLE reader")
    database.execute("GRANT SELECT ON hourly TO reader WITH GRANT OPTION", "GRANT UPDATE (n) ON hourly TO PUBLIC",
                     "CREATE VIEW busy WITH (security_barrier) AS SELECT bucket, n FROM hourly WHERE n > 1",
                     "CREATE VIEW busiest AS SELECT max(n) AS n FROM busy", "GRANT SELECT ON busy TO reader")


def rights(database: Database) -> list[tuple[object, ...]]:
    return database.execute("SELECT relname, relacl::text, reloptions FROM pg_class "
                            "WHERE relname IN ('hourly', 'busy', 'busiest') "
                            "UNION ALL SELECT attname, attacl::text, NULL FROM pg_attribute WHERE attacl IS NOT NULL "
                            "AND attrelid = 'hourly'::regclass ORDER BY 1")


def test_a_column_is_added_in_place_and_computed(database: Database) -> None:
    loaded(database)
    before = jobs(database), rights(database), count(database, "hourly")
    objects = (READINGS, WIDER, DAILY)
    applied = apply.ensure(database.owner, objects)
    assert not [step for step in applied.steps if step.hazards or "CREATE MATERIALIZED" in step.sql]
    assert all(step.heavy for step in applied.steps if "CALL" in step.sql)
    settled(database, objects)
    assert before == (jobs(database), rights(database), count(database, "hourly"))
    assert count(database, "hourly WHERE most IS NULL AND bucket < localtimestamp - interval '3 hours'") == 0
    assert database.execute("SELECT col_description('hourly'::regclass, 5)") == [(None,)]


def test_a_column_is_renamed_in_place(database: Database) -> None:
    loaded(database)
    other = replace(HOURLY, query=HOURLY.query.replace("count(*) AS n", "count(*) AS readings"))
    daily = replace(DAILY, query=DAILY.query.replace("sum(n)", "sum(readings)"))
    assert len(sql(apply.plan(database.owner, (READINGS, other, daily)))) == 1
    apply.ensure(database.owner, (READINGS, other, daily))
    settled(database, (READINGS, other, daily))
    assert count(database, "busy") > 0


def test_a_column_of_the_source_is_renamed_under_its_aggregates(database: Database) -> None:
    loaded(database)
    table = replace(READINGS, columns=(replace(READINGS.columns[0], name="device", renamed_from="device_id"),
                                       *READINGS.columns[1:]))
    other = replace(HOURLY, query=HOURLY.query.replace("device_id,", "device AS device_id,", 1)
                    .replace("BY device_id", "BY device"))
    assert len(sql(apply.plan(database.owner, (table, other, DAILY)))) == 1
    apply.ensure(database.owner, (table, other, DAILY))
    assert apply.plan(database.owner, (table, other, DAILY)).render() == []


def test_a_changed_query_is_built_under_another_name_and_takes_over_name_and_dependants(database: Database) -> None:
    loaded(database)
    before = rights(database)
    objects = (READINGS, OTHER, DAILY)
    applied = apply.ensure(database.owner, objects)
    assert not [step for step in applied.steps if step.hazards]
    settled(database, objects)
    assert rights(database) == before
    assert count(database, "hourly WHERE device_id = 0") == 0
    assert count(database, "daily WHERE device_id = 0 AND bucket < localtimestamp - interval '2 days'") == 0
    assert count(database, "hourly") > 900
    assert count(database, "daily") >= 39
    assert count(database, "busy") > 0
    assert count(database, "timescaledb_information.continuous_aggregates") == 2
    assert count(database, "pg_class WHERE relname LIKE '%\\_\\_old' OR relname LIKE '%\\_\\_new'") == 0


class Crash(Exception):
    """The process dies."""


def crash_at(step: int) -> apply.Progress:
    """Dies before this step, counted from 1."""
    seen = iter(range(1, step))

    def progress(_: str) -> None:
        if next(seen, None) is None:
            raise Crash

    return progress


@pytest.mark.parametrize("change", ["another query", "another column", "over rows"])
def test_a_crash_before_any_step_converges_to_the_same_end(database: Database, change: str) -> None:
    if change == "over rows":
        apply.ensure(database.owner, (READINGS,))
        fill(database, 16)
    else:
        loaded(database, 16)
    objects = {"another query": (READINGS, OTHER, DAILY), "another column": (READINGS, WIDER, DAILY),
               "over rows": ALL}[change]
    before = left = len(apply.plan(database.owner, objects).steps)
    deaths, place = 0, 2
    while left:  # each run dies as soon as it has done something that stands
        try:
            apply.ensure(database.owner, objects, progress=crash_at(place))
        except Crash:
            deaths += 1
        now = len(apply.plan(database.owner, objects).steps)
        place = 2 if now != left else place + 1
        left = now
        assert deaths < 3 * before
    settled(database, objects)
    assert deaths >= before // 3, (deaths, before)
    assert count(database, "pg_class WHERE relname LIKE '%\\_\\_old' OR relname LIKE '%\\_\\_new'") == 0
    assert count(database, "hourly") > 350


def test_each_dependent_aggregate_moves_to_the_new_source_by_its_own_plan(database: Database) -> None:
    loaded(database)
    objects = (READINGS, OTHER, DAILY)
    first = apply.ensure(database.owner, [OTHER], context=objects)
    assert any("daily stands on it" in warning for warning in first.warnings)
    assert count(database, "daily") > 70
    apply.ensure(database.owner, [DAILY], context=objects)
    for aggregate in objects:
        assert apply.plan(database.owner, [aggregate], context=objects).render() == []
    settled(database, objects)
    assert count(database, "timescaledb_information.continuous_aggregates") == 2


def test_a_change_that_would_lose_history_is_refused_by_name(database: Database) -> None:
    loaded(database)
    database.execute("SELECT drop_chunks('readings', older_than => interval '20 days')")
    ((oldest,),) = database.execute("SELECT min(bucket) FROM hourly")
    objects = (READINGS, OTHER, DAILY)
    with pytest.raises(UnsafeChangeError, match="hourly: loses_history is not allowed"):
        apply.ensure(database.owner, objects)
    assert database.execute("SELECT min(bucket) FROM hourly") == [(oldest,)]
    apply.ensure(database.owner, objects, options=apply.Options(allow=frozenset({"loses_history"})))
    settled(database, objects)
    assert database.execute("SELECT min(bucket) FROM hourly") > [(oldest,)]


def test_a_column_added_past_retention_keeps_history(database: Database) -> None:
    loaded(database)
    database.execute("SELECT drop_chunks('readings', older_than => interval '20 days')")
    rows, first = count(database, "hourly"), database.execute("SELECT min(at) FROM readings")[0][0]
    plan = apply.plan(database.owner, (READINGS, WIDER, DAILY))
    assert any("stays NULL" in warning for warning in plan.warnings)
    apply.ensure(database.owner, (READINGS, WIDER, DAILY))
    assert count(database, "hourly") == rows
    assert count(database, f"hourly WHERE most IS NULL AND bucket >= '{first}' "
                           "AND bucket < localtimestamp - interval '3 hours'") == 0


@pytest.mark.parametrize(("statement", "message"), [
    ("CREATE MATERIALIZED VIEW kept AS SELECT * FROM hourly", "materialized view kept stands on it"),
    ("CREATE VIEW means AS SELECT temperature FROM hourly", "view means uses temperature"),
    ("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(n) FROM hourly; END",
     "function f"),
    ("CREATE MATERIALIZED VIEW hourly__new WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', at) AS b "
     "FROM readings GROUP BY 1 WITH NO DATA", "hourly__new exists")])
def test_a_dependant_that_cannot_be_moved_is_named_before_any_change(database: Database, statement: str,
                                                               message: str) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    database.execute(statement)
    other = replace(HOURLY, query=HOURLY.query.replace("avg(temperature) AS temperature, ", ""))
    with pytest.raises(UnsafeChangeError, match=message):
        apply.ensure(database.owner, (READINGS, other))
    assert apply.plan(database.owner, (READINGS, HOURLY)).render() == []


def test_an_undeclared_aggregate_is_reported_and_dropped_only_where_that_is_allowed(database: Database) -> None:
    apply.ensure(database.owner, ALL)
    options = apply.Options(whole_schema=True)
    plan = apply.plan(database.owner, (READINGS,), options=options)
    assert plan.steps == ()
    assert len(plan.warnings) == 2
    apply.ensure(database.owner, (READINGS,), options=replace(options, allow=frozenset({"drops_aggregate"})))
    assert count(database, "timescaledb_information.continuous_aggregates") == 0


def test_an_aggregate_is_dropped_on_request(database: Database) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    with pytest.raises(UnsafeChangeError, match="drops_aggregate"):
        apply.drop(database.owner, HOURLY)
    options = apply.Options(allow=frozenset({"drops_aggregate"}))
    assert apply.drop(database.owner, HOURLY, options=options)
    assert not apply.drop(database.owner, HOURLY, options=options)


def test_an_aggregate_created_by_hand_is_adopted_and_timescaledbs_own_indexes_are_not_reported(
        database: Database) -> None:
    apply.ensure(database.owner, (READINGS,))
    database.execute(
        "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT time_bucket(interval '60 min', at) "
        "bucket, device_id, avg(temperature) temperature, count(*) n FROM readings GROUP BY 1, 2 WITH NO DATA",
        "SELECT add_continuous_aggregate_policy('hourly', interval '168 hours', interval '60 min', interval '1 hour')")
    steps = sql(apply.ensure(database.owner, (READINGS, HOURLY)).steps and apply.plan(database.owner, ALL[:2]))
    assert steps == []
    assert apply.plan(database.owner, ALL[:2], options=apply.Options(whole_schema=True)).warnings == ()
    assert tuple(apply.read(database.owner, ALL[:2])) == ALL[:2]


def test_the_declaration_of_a_live_database_plans_nothing(database: Database) -> None:
    apply.ensure(database.owner, ALL)
    database.execute("CREATE MATERIALIZED VIEW yearly WITH (timescaledb.continuous) AS SELECT time_bucket('1 year', "
                     "bucket) AS year, device_id, sum(n) AS n FROM daily GROUP BY 1, 2 WITH NO DATA")
    adopted = adopt(database.owner)
    assert adopted.remarks == ()
    assert [declared.name for declared in adopted.objects] == ["readings", "hourly", "daily", "yearly"]
    assert not [index for index in adopted.objects[3].indexes if index.name.startswith("_")]
    assert apply.plan(database.owner, adopted.objects, options=apply.Options(whole_schema=True)).render() == []


def test_an_index_that_doubles_timescaledbs_own_does_not_leave_its_aggregate_out(database: Database) -> None:
    apply.ensure(database.owner, (READINGS,))
    database.execute(
        "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', at) AS bucket, "
        "device_id, count(*) AS n FROM readings GROUP BY 1, 2 WITH NO DATA",
        "CREATE INDEX of_devices ON hourly (device_id, bucket DESC)", "CREATE VIEW seen AS SELECT n FROM hourly")
    adopted = adopt(database.owner)
    assert adopted.remarks == ("hourly.hourly_device_id_bucket_idx: the same index as of_devices, so it was left out",)
    objects = {declared.name: declared for declared in adopted.objects}
    assert set(objects) == {"readings", "hourly", "seen"}
    assert objects["hourly"].indexes == (Index("of_devices", ("device_id", "bucket DESC")),)  # type: ignore[union-attr]
    options = apply.Options(whole_schema=True, allow=frozenset({"drops_aggregate", "drops_index", "drops_view"}))
    assert apply.plan(database.owner, adopted.objects, options=options).render() == []


def test_an_undeclared_index_is_reported_and_dropped_only_where_that_is_allowed(database: Database) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    database.execute("CREATE INDEX mine ON hourly (n)")
    plan = apply.plan(database.owner, (READINGS, HOURLY))
    assert (plan.steps, [warning.split(" ")[0] for warning in plan.warnings]) == ((), ["hourly.mine"])
    apply.ensure(database.owner, (READINGS, HOURLY), options=apply.Options(allow=frozenset({"drops_index"})))
    assert apply.plan(database.owner, (READINGS, HOURLY)).warnings == ()


@pytest.mark.servers("embedded")
def test_an_older_timescaledb_rebuilds_an_aggregate_where_it_cannot_add_a_column(database: Database) -> None:
    apply.ensure(database.owner, ALL)
    fill(database, 10)
    database.execute("CALL refresh_continuous_aggregate('hourly', NULL, NULL)")
    assert any("hourly__new" in step.sql for step in apply.ensure(database.owner, (READINGS, WIDER, DAILY)).steps)
    settled(database, (READINGS, WIDER, DAILY))
    assert count(database, "hourly WHERE most IS NULL") == 0


@pytest.mark.servers("debian")
def test_the_apache_edition_goes_without_where_that_is_allowed(database: Database) -> None:
    skip = apply.Options(on_unsupported="skip")
    applied = apply.ensure(database.owner, ALL, options=skip)
    assert {warning.split(" ")[0] for warning in applied.warnings} == {"hourly", "daily"}
    assert apply.read(database.owner, ALL) == list(ALL)
    with pytest.raises(UnsupportedError, match="cannot have hourly, daily"):
        apply.plan(database.owner, ALL)


def test_writers_and_readers_continue_while_an_aggregate_is_rebuilt(database: Database) -> None:
    loaded(database)
    work = {"writer": "INSERT INTO readings VALUES (1, localtimestamp, 20, 50)", "reader": "SELECT max(n) FROM busy"}
    with writing(database.owner, tuple(work), every=0.01, statements=work) as writers:
        everybody_writes(writers, work)
        since = time.monotonic()
        apply.ensure(database.owner, (READINGS, OTHER, DAILY), options=apply.Options(attempts=30))
        until = time.monotonic()
    assert writers.failures == []
    assert writers.within(since, until) == set(work)
    settled(database, (READINGS, OTHER, DAILY))


def test_aggregates_over_joined_tables_of_another_schema_gain_columns_too(database: Database) -> None:
    kinds = Table("kinds", (Column("id", "bigint", null=False), Column("kind", "text")), schema="iot")
    readings = replace(READINGS, schema="iot")
    mean = ContinuousAggregate(
        "means", "SELECT k.kind, time_bucket('1 day', r.at) AS day, avg(r.temperature) AS mean FROM iot.readings r "
                 "JOIN iot.kinds k ON k.id = r.device_id GROUP BY 1, 2", schema="iot",
        refresh=Refresh("9 days", "1 day"), indexes=(Index("means_kind", ("kind", "day DESC")),))
    apply.ensure(database.owner, (kinds, readings, mean))
    database.execute("INSERT INTO iot.kinds VALUES (0, 'indoor')", "INSERT INTO iot.readings SELECT n % 2, "
                     "localtimestamp - n * interval '1 hour', 20, 50 FROM generate_series(1, 300) n",
                     "CALL refresh_continuous_aggregate('iot.means', NULL, NULL)")
    for query in (mean.query.replace("AS mean", "AS mean, max(r.humidity) AS most"),
                  mean.query.replace("avg(", "min(")):
        apply.ensure(database.owner, (kinds, readings, replace(mean, query=query)))
        settled(database, (kinds, readings, replace(mean, query=query)))
        # 300 hours begin and end within a day, and the policy leaves out the last one that is whole.
        assert count(database, "iot.means") >= 11


def test_new_columnstore_settings_reach_compressed_buckets_as_far_back_as_is_declared(database: Database) -> None:
    apply.ensure(database.owner, (READINGS, HOURLY))
    fill(database)
    database.execute("CALL refresh_continuous_aggregate('hourly', NULL, NULL)",
                     "SELECT compress_chunk(c) FROM show_chunks('hourly') c")
    future = replace(HOURLY, compression=Compression("14 days", ("device_id",), ("n", "bucket DESC")))
    assert not [line for line in sql(apply.plan(database.owner, (READINGS, future))) if "compress_chunk" in line]
    both = replace(HOURLY, compression=Compression("14 days", ("device_id",), ("n", "bucket DESC"),
                                                   recompress="1 year"))
    allow = apply.Options(allow=frozenset({"blocks_writes"}))
    steps = apply.ensure(database.owner, (READINGS, both), options=allow).steps
    assert [step for step in steps if "compress_chunk" in step.sql and step.heavy]
    settled(database, (READINGS, both))
    assert database.execute("SELECT DISTINCT orderby FROM timescaledb_information.chunk_compression_settings") == [
        ("n,bucket DESC",)]


def test_time_may_be_counted_in_integers(database: Database) -> None:
    now = Function("ticks_now", "SELECT 300000::bigint", returns="bigint", language="sql", volatility="stable")
    ticks = Table("ticks", (Column("at", "bigint", null=False), Column("n", "integer")),
                  hypertable=Hypertable("at", "100000", now="ticks_now"))
    means = ContinuousAggregate("means", "SELECT time_bucket(1000, at) AS bucket, count(*) AS n FROM ticks GROUP BY 1",
                                refresh=Refresh("50000", "1000", "1 hour"), retention=Retention("400000"))
    apply.ensure(database.owner, (now, ticks))
    database.execute("INSERT INTO ticks SELECT n, n % 5 FROM generate_series(1, 299999, 7) n")
    apply.ensure(database.owner, (now, ticks, means))
    settled(database, (now, ticks, means))
    assert count(database, "means") == 300
    other = replace(means, query=means.query.replace("count(*)", "max(n)"), refresh=Refresh("60000", None, "1 hour"))
    apply.ensure(database.owner, (now, ticks, other))
    settled(database, (now, ticks, other))
    assert count(database, "means") == 300


def test_a_bucket_that_retention_has_cut_in_two_is_history_too(database: Database) -> None:
    weekly = ContinuousAggregate("weekly", "SELECT time_bucket('1 week', at) AS bucket, count(*) AS n FROM readings "
                                           "GROUP BY 1", refresh=Refresh("21 days", "1 hour"))
    kept = replace(READINGS, retention=Retention("23 days", paused=True))
    apply.ensure(database.owner, (kept, weekly))
    fill(database)
    # Chunks begin on a Thursday, these buckets on a Monday: the oldest has rows in a chunk that goes and in one that
    # stays.
    ((monday,),) = database.execute("SELECT time_bucket('7 days', localtimestamp - interval '23 days', "
                                    "timestamp '1970-01-01') - interval '3 days'")
    database.execute(f"CALL refresh_continuous_aggregate('weekly', '{monday}', NULL)",
                     "SELECT drop_chunks('readings', older_than => interval '23 days')")
    assert database.execute("SELECT min(bucket) FROM weekly") == [(monday,)]
    assert count(database, f"readings WHERE at < timestamp '{monday}' + interval '7 days'") > 0
    other = replace(weekly, query=weekly.query.replace("count(*)", "count(humidity)"))
    with pytest.raises(UnsafeChangeError, match="loses_history"):
        apply.ensure(database.owner, (kept, other))
