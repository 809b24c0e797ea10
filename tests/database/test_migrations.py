"""The migrations tests that the specification names: tables, hypertables, indexes, foreign keys, policies."""

from __future__ import annotations

import psycopg
import pytest

from schema import apply
from schema.lifecompanion import declared
from schema.planning.plan import plan_from_empty
from tests.support.running.servers import Database

SKIP = apply.Options(on_unsupported="skip")
TABLES = {"users", "devices", "environmental_readings", "activity_classifications", "notifications"}
INDEXES = {
    "idx_environmental_device_time": "btree (device_id, measured_at DESC)",
    "idx_environmental_time_temp": "btree (measured_at, temperature)",
    "idx_activity_user_time": "btree (user_id, started_at DESC)",
    "idx_activity_type_time": "btree (activity_type, started_at)",
    "idx_notifications_user_status": "btree (user_id, status, sent_at DESC)",
}
KEYS = {"users_pkey", "users_email_key", "devices_pkey", "devices_mac_address_key", "notifications_pkey"}


@pytest.fixture
def migrated(declared_database: Database) -> Database:
    """The database with the whole schema applied."""
    return declared_database


def test_all_tables_are_created(migrated: Database) -> None:
    tables = migrated.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in tables} == TABLES


def test_columns_have_the_specified_types_and_defaults(migrated: Database) -> None:
    columns = {(table, column): (kind, null, default) for table, column, kind, null, default in migrated.execute("""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0""")}
    moment = "timestamp without time zone"
    assert columns["users", "email"] == ("character varying(255)", False, None)
    assert columns["users", "preferences"] == ("jsonb", True, "'{}'::jsonb")
    assert columns["users", "created_at"] == (moment, False, "now()")
    assert columns["devices", "mac_address"] == ("character varying(17)", False, None)
    assert columns["devices", "is_active"] == ("boolean", True, "true")
    assert columns["environmental_readings", "id"][0] == "bigint"
    assert columns["environmental_readings", "measured_at"] == (moment, False, None)
    assert columns["environmental_readings", "temperature"] == ("numeric(5,2)", True, None)
    assert columns["environmental_readings", "pressure"] == ("numeric(7,2)", True, None)
    assert columns["activity_classifications", "confidence_score"] == ("numeric(3,2)", True, None)
    assert columns["notifications", "status"] == ("character varying(20)", True, "'unread'::character varying")
    assert columns["notifications", "message"] == ("text", True, None)
    assert len(columns) == 9 + 9 + 8 + 7 + 9


def test_hypertables_are_configured(migrated: Database) -> None:
    hypertables = migrated.execute("SELECT hypertable_name, column_name, time_interval::text "
                                   "FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' "
                                   "ORDER BY 1")
    assert hypertables == [("activity_classifications", "started_at", "7 days"),
                           ("environmental_readings", "measured_at", "7 days")]


def test_the_five_indexes_exist_and_no_others_but_keys(migrated: Database) -> None:
    indexes = {name: definition.split(" USING ")[1] for name, definition in migrated.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")}
    assert {name: text for name, text in indexes.items() if name not in KEYS} == INDEXES
    assert set(indexes) >= KEYS


@pytest.mark.parametrize("statement", [
    "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) VALUES (99, 'phone', 'AA:BB:CC:DD:EE:FF', 'a/b')",
    "INSERT INTO environmental_readings (device_id, measured_at) VALUES (99, '2026-01-01')",
    "INSERT INTO activity_classifications (user_id, started_at, activity_type) VALUES (99, '2026-01-01', 'rest')",
    "INSERT INTO notifications (user_id, title, type) VALUES (99, 'High', 'temperature')",
])
def test_foreign_keys_refuse_rows_without_their_parent(migrated: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        migrated.execute(statement)


def test_foreign_keys_keep_parents_of_rows(migrated: Database) -> None:
    migrated.execute("INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.org', 'x')",
                     "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) "
                     "VALUES (1, 'phone', 'AA:BB:CC:DD:EE:FF', 'a/b')",
                     "INSERT INTO environmental_readings (device_id, measured_at) VALUES (1, '2026-01-01')")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        migrated.execute("DELETE FROM devices")


@pytest.mark.parametrize(("statement", "constraint"), [
    ("INSERT INTO users (name, email, password) VALUES ('', 'a@b.org', 'x')", "users_name_not_empty"),
    ("INSERT INTO users (name, email, password) VALUES ('A', 'a.b.org', 'x')", "users_email_shape"),
    ("INSERT INTO devices (user_id, type, mac_address, mqtt_topic) VALUES (1, 'phone', 'AA:BB', 'a')",
     "devices_mac_address_format"),
    *[(f"INSERT INTO environmental_readings (device_id, measured_at, {column}) VALUES (1, now(), {value})", name)
      for column, value, name in [
          ("temperature", "-90.01", "environmental_readings_temperature_plausible"),
          ("humidity", "100.01", "environmental_readings_humidity_percent"),
          ("humidity", "-1", "environmental_readings_humidity_percent"),
          ("pressure", "799.99", "environmental_readings_pressure_plausible"),
          ("air_quality", "501", "environmental_readings_air_quality_index"),
          ("battery_level", "101", "environmental_readings_battery_percent")]],
    ("INSERT INTO activity_classifications (user_id, started_at, ended_at, activity_type) "
     "VALUES (1, '2026-01-02', '2026-01-01', 'rest')", "activity_classifications_ends_after_start"),
    ("INSERT INTO activity_classifications (user_id, started_at, activity_type, confidence_score) "
     "VALUES (1, '2026-01-02', 'rest', 1.01)", "activity_classifications_confidence_range"),
    ("INSERT INTO notifications (user_id, title, type, status) VALUES (1, 'A', 'b', 'lost')",
     "notifications_status_known"),
    ("INSERT INTO notifications (user_id, title, type, sent_at, read_at) "
     "VALUES (1, 'A', 'b', '2026-01-02', '2026-01-01')", "notifications_read_after_sent"),
])
def test_validation_refuses_impossible_values_by_name(migrated: Database, statement: str, constraint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        migrated.execute(statement)


@pytest.mark.servers("official", "embedded")
def test_policies_are_set(migrated: Database) -> None:
    policies = migrated.execute("""
        SELECT hypertable_name, proc_name,
               coalesce(config ->> 'drop_after', config ->> 'compress_after')::interval::text
          FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL ORDER BY 1, 2""")
    refresh = "policy_refresh_continuous_aggregate"
    assert policies == [("activity_classifications", "policy_retention", "2 years"),
                        ("activity_daily", refresh, None), ("activity_daily", "policy_retention", "10 years"),
                        ("environmental_readings", "policy_compression", "1 mon"),
                        ("environmental_readings", "policy_retention", "1 year"),
                        ("readings_daily", refresh, None), ("readings_daily", "policy_retention", "10 years"),
                        ("readings_hourly", "policy_compression", "2 mons"), ("readings_hourly", refresh, None),
                        ("readings_hourly", "policy_retention", "5 years")]


@pytest.mark.servers("official", "embedded")
def test_the_columnstore_is_segmented_by_device_newest_first(migrated: Database) -> None:
    settings = migrated.execute("SELECT hypertable::text, segmentby, orderby "
                                "FROM timescaledb_information.hypertable_compression_settings "
                                "WHERE hypertable = 'environmental_readings'::regclass")
    assert settings == [("environmental_readings", "device_id", "measured_at DESC")]


@pytest.mark.servers("official", "embedded")
def test_aggregates_summarize_readings_by_hour_and_day_and_activities_by_day(migrated: Database) -> None:
    migrated.execute(
        "INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.org', 'x')",
        "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) "
        "VALUES (1, 'phone', 'AA:BB:CC:DD:EE:FF', 'a/b')",
        # one reading in the first hour, three in the second, one of them without a temperature
        "INSERT INTO environmental_readings (device_id, measured_at, temperature) VALUES (1, '2026-01-01 00:10', 10), "
        "(1, '2026-01-01 01:10', 20), (1, '2026-01-01 01:20', 30), (1, '2026-01-01 01:30', NULL)",
        "INSERT INTO activity_classifications (user_id, started_at, ended_at, activity_type) VALUES "
        "(1, '2026-01-01 08:00', '2026-01-01 12:00', 'work'), (1, '2026-01-01 13:00', '2026-01-01 17:00', 'work')")
    assert migrated.execute("SELECT readings, temperature_min, temperature_avg, temperature_max, temperature_count "
                            "FROM readings_hourly ORDER BY bucket") == [(1, 10, 10, 10, 1), (3, 20, 25, 30, 2)]
    assert migrated.execute("SELECT readings, temperature_min, temperature_avg, temperature_max, temperature_count, "
                            "humidity_avg FROM readings_daily") == [(4, 10, 20, 30, 3, None)]
    assert migrated.execute("SELECT activity_type, activities, time_spent::text FROM activity_daily") == [
        ("work", 2, "08:00:00")]


def test_tables_and_columns_are_commented(migrated: Database) -> None:
    comments = dict(migrated.execute("SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
                                     "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"))
    assert all(comments[name] for name in TABLES)
    comment = migrated.execute("SELECT col_description('environmental_readings'::regclass, 4)")
    assert comment == [("Air temperature, degrees Celsius",)]


def test_timestamps_can_all_have_a_time_zone(database: Database) -> None:
    apply.ensure(database.owner, declared("timestamptz"), options=SKIP)
    types = database.execute("SELECT DISTINCT data_type FROM information_schema.columns "
                             "WHERE table_schema = 'public' AND data_type LIKE 'timestamp%'")
    assert types == [("timestamp with time zone",)]
    assert apply.plan(database.owner, declared("timestamptz"), options=SKIP).steps == ()


def test_second_apply_plans_nothing_and_live_equals_declared(migrated: Database) -> None:
    again = apply.ensure(migrated.owner, declared(), options=SKIP)
    assert again.steps == ()
    assert tuple(apply.read(migrated.owner, declared())) == declared()


@pytest.mark.servers("official", "embedded")
def test_the_plan_for_an_empty_database_needs_no_server(database: Database) -> None:
    assert apply.plan(database.owner, declared()).render() == plan_from_empty(declared()).render()
