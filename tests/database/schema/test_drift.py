"""Drift made by hand: the plan names exactly what differs, applying repairs it, and then nothing is left to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsafeChangeError
from schema.lifecompanion import tables as declared
from schema.model.objects import Table
from schema.planning.plan import plan_from_empty
from tests.support.running.servers import Database

SKIP = apply.Options(on_unsupported="skip")
DRIFTS = {
    "column dropped": ("ALTER TABLE devices DROP COLUMN is_active", "ALTER TABLE devices ADD COLUMN is_active"),
    "type changed": ("ALTER TABLE devices ALTER COLUMN type TYPE varchar(60)",
                     "ALTER TABLE devices ALTER COLUMN type TYPE varchar(50)"),
    "not null dropped": ("ALTER TABLE devices ALTER COLUMN mqtt_topic DROP NOT NULL",
                         "ALTER TABLE devices ALTER COLUMN mqtt_topic SET NOT NULL"),
    "not null added": ("ALTER TABLE notifications ALTER COLUMN message SET NOT NULL",
                       "ALTER TABLE notifications ALTER COLUMN message DROP NOT NULL"),
    "default changed": ("ALTER TABLE notifications ALTER COLUMN status SET DEFAULT 'read'",
                        "ALTER TABLE notifications ALTER COLUMN status SET DEFAULT 'unread'"),
    "default dropped": ("ALTER TABLE users ALTER COLUMN created_at DROP DEFAULT",
                        "ALTER TABLE users ALTER COLUMN created_at SET DEFAULT now()"),
    "comment changed": ("COMMENT ON COLUMN devices.type IS 'wrong'", "COMMENT ON COLUMN devices.type IS"),
    "table comment dropped": ("COMMENT ON TABLE users IS NULL", "COMMENT ON TABLE users IS"),
    "unique dropped": ("ALTER TABLE users DROP CONSTRAINT users_email_key",
                       "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email)"),
    "primary key dropped": ("ALTER TABLE notifications DROP CONSTRAINT notifications_pkey",
                            "ALTER TABLE notifications ADD CONSTRAINT notifications_pkey PRIMARY KEY (id)"),
    "check dropped": ("ALTER TABLE environmental_readings DROP CONSTRAINT environmental_readings_humidity_percent",
                      "ALTER TABLE environmental_readings ADD CONSTRAINT environmental_readings_humidity_percent"),
    "check changed": ("ALTER TABLE environmental_readings DROP CONSTRAINT environmental_readings_battery_percent, "
                      "ADD CONSTRAINT environmental_readings_battery_percent CHECK (battery_level BETWEEN 0 AND 200)",
                      "ALTER TABLE environmental_readings DROP CONSTRAINT environmental_readings_battery_percent, ADD"),
    "foreign key dropped": ("ALTER TABLE devices DROP CONSTRAINT devices_user_id_fkey",
                            "ALTER TABLE devices ADD CONSTRAINT devices_user_id_fkey FOREIGN KEY"),
    "foreign key changed": ("ALTER TABLE devices DROP CONSTRAINT devices_user_id_fkey, ADD CONSTRAINT "
                            "devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
                            "ALTER TABLE devices DROP CONSTRAINT devices_user_id_fkey, ADD CONSTRAINT"),
    "hypertable's index dropped": ("DROP INDEX idx_environmental_time_temp",
                                   "CREATE INDEX idx_environmental_time_temp ON environmental_readings"),
    "plain table's index dropped": ("DROP INDEX idx_notifications_user_status",
                                    "CREATE INDEX idx_notifications_user_status ON notifications"),
    "chunk interval changed": ("SELECT set_chunk_time_interval('environmental_readings', interval '1 day')",
                               "SELECT set_chunk_time_interval('environmental_readings', interval '1 week')"),
}
POLICY_DRIFTS = {
    "retention dropped": ("SELECT remove_retention_policy('environmental_readings')",
                          "SELECT add_retention_policy('environmental_readings', interval '1 year')"),
    "compression policy dropped": ("SELECT remove_compression_policy('environmental_readings')",
                                   "SELECT add_compression_policy('environmental_readings', interval '1 month')"),
    "segment-by changed": ("ALTER TABLE environmental_readings SET (timescaledb.compress, "
                           "timescaledb.compress_segmentby = '', timescaledb.compress_orderby = 'measured_at')",
                           "ALTER TABLE environmental_readings SET (timescaledb.compress,"),
}
ALTERED = {
    "retention's limit": ("policy_retention", "config => jsonb_set(config, '{drop_after}', '\"3 years\"')"),
    "compression's limit": ("policy_compression", "config => jsonb_set(config, '{compress_after}', '\"3 days\"')"),
    "paused": ("policy_retention", "scheduled => false"),
}


def repaired(database: Database, expected: str) -> None:
    """One step of the expected beginning; applying it does just that, and live equals declared again."""
    plan = apply.plan(database.owner, declared(), options=SKIP)
    repairs = [step for step in plan.steps if not step.sql.startswith("COMMENT ON COLUMN devices.is_active")]
    assert len(repairs) == 1, plan.render()
    assert repairs[0].sql.startswith(expected)
    assert apply.ensure(database.owner, declared(), options=SKIP).steps == plan.steps
    assert apply.plan(database.owner, declared(), options=SKIP).steps == ()
    assert tuple(apply.read(database.owner, declared())) == declared()


@pytest.mark.repeats("debian")
@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_repaired_by_the_one_step_it_takes(declared_database: Database, drift: str) -> None:
    database = declared_database
    by_hand, repair = DRIFTS[drift]
    database.execute(by_hand)
    repaired(database, repair)


@pytest.mark.servers("official", "embedded")
@pytest.mark.parametrize("drift", POLICY_DRIFTS)
def test_policy_drift_is_repaired_by_the_one_step_it_takes(declared_database: Database, drift: str) -> None:
    database = declared_database
    by_hand, repair = POLICY_DRIFTS[drift]
    database.execute(by_hand)
    repaired(database, repair)


@pytest.mark.servers("official", "embedded")
@pytest.mark.parametrize("drift", ALTERED)
def test_an_altered_policy_is_altered_back_and_keeps_its_job(declared_database: Database, drift: str) -> None:
    database = declared_database
    procedure, change = ALTERED[drift]
    job = "FROM timescaledb_information.jobs WHERE hypertable_name = 'environmental_readings' " \
          f"AND proc_name = '{procedure}'"
    before = database.execute(f"SELECT job_id {job}")
    database.execute(f"SELECT (alter_job(job_id, {change})).job_id {job}")
    repaired(database, "SELECT (alter_job(")
    assert database.execute(f"SELECT job_id {job}") == before


@pytest.mark.parametrize("table", declared(), ids=lambda table: table.name)
def test_a_table_dropped_by_hand_plans_exactly_its_creation(declared_database: Database, table: Table) -> None:
    database = declared_database
    database.execute("SET client_min_messages = error", f"DROP TABLE {table.name} CASCADE")
    plan = apply.plan(database.owner, [table], options=SKIP)
    fitting = table if database.server.community else replace(table, compression=None, retention=None)
    assert plan.render() == plan_from_empty([fitting]).render()
    apply.ensure(database.owner, declared(), options=SKIP)
    assert tuple(apply.read(database.owner, declared())) == declared()


def test_read_shows_the_drift_where_it_is(declared_database: Database) -> None:
    database = declared_database
    database.execute("SELECT set_chunk_time_interval('environmental_readings', interval '3 days')",
                     "ALTER TABLE environmental_readings ALTER COLUMN temperature TYPE numeric(6,2)"
                     if not database.server.community else "SELECT 1")
    live = apply.read(database.owner, declared())[2]
    wanted = declared()[2]
    assert live is not None
    assert wanted.hypertable is not None
    assert live.hypertable == replace(wanted.hypertable, chunk="3 days")
    assert live.indexes == wanted.indexes
    assert live.checks == wanted.checks
    assert live.retention == wanted.retention


def test_read_says_none_for_what_is_absent(database: Database) -> None:
    assert apply.read(database.owner, declared()) == [None] * 5


@pytest.mark.parametrize("change", ["column", "table"])
def test_dropping_is_refused_unless_its_hazard_is_allowed(declared_database: Database, change: str) -> None:
    database = declared_database
    notifications = declared()[4]
    if change == "table":
        with pytest.raises(UnsafeChangeError, match="drops_table"):
            apply.drop(database.owner, notifications)
        assert apply.drop(database.owner, notifications, options=apply.Options(allow=frozenset({"drops_table"})))
        assert not apply.drop(database.owner, notifications)
        return
    columns = tuple(column for column in notifications.columns if column.name != "message")
    shorter = replace(notifications, columns=columns)
    assert apply.ensure(database.owner, [shorter], options=SKIP).steps == ()
    assert database.execute("SELECT count(*) FROM information_schema.columns "
                            "WHERE table_name = 'notifications' AND column_name = 'message'") == [(1,)]


@pytest.mark.servers("official", "embedded")
def test_a_shorter_retention_that_deletes_rows_is_refused_and_says_how_many_chunks(declared_database: Database) -> None:
    database = declared_database
    database.execute("INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.org', 'x')",
                     "INSERT INTO activity_classifications (user_id, started_at, activity_type) "
                     "SELECT 1, now() - n * interval '30 days', 'rest' FROM generate_series(0, 10) n")
    activities = declared()[3]
    assert activities.retention is not None
    shorter = replace(activities, retention=replace(activities.retention, drop_after="90 days"))
    with pytest.raises(UnsafeChangeError, match="deletes_data") as refused:
        apply.ensure(database.owner, [shorter])
    assert "chunks will be dropped" in str(refused.value)
    longer = replace(activities, retention=replace(activities.retention, drop_after="3 years"))
    assert len(apply.ensure(database.owner, [longer]).steps) == 1
    allowed = apply.Options(allow=frozenset({"deletes_data"}))
    assert len(apply.ensure(database.owner, [shorter], options=allowed).steps) == 1


def test_a_reviewed_plan_is_refused_after_the_database_has_moved(database: Database) -> None:
    reviewed = apply.plan(database.owner, declared(), options=SKIP)
    apply.ensure(database.owner, declared()[:1], options=SKIP)
    with pytest.raises(UnsafeChangeError, match="moved since"):
        apply.ensure(database.owner, declared(), options=replace(SKIP, fingerprint=reviewed.fingerprint))


