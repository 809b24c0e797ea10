"""Databases that others made: what is right is adopted, what differs is repaired, what nobody declares stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.lifecompanion import tables as declared
from schema.model.objects import Retention
from tests.support.running.servers import Database

SKIP = apply.Options(on_unsupported="skip")
# The user's own DDL from the specification, with the two lines that do not run as written put right.
TABLES = """
CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL, email VARCHAR(255) UNIQUE NOT NULL,
    email_verified_at TIMESTAMP NULL, password VARCHAR(255) NOT NULL, preferences JSONB DEFAULT '{}',
    settings JSONB DEFAULT '{}', created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW());
CREATE TABLE devices (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users(id), type VARCHAR(50) NOT NULL,
    mac_address VARCHAR(17) UNIQUE NOT NULL, mqtt_topic VARCHAR(255) NOT NULL, is_active BOOLEAN DEFAULT TRUE,
    metadata JSONB DEFAULT '{}', created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW());
CREATE TABLE environmental_readings (id BIGSERIAL, device_id BIGINT NOT NULL REFERENCES devices(id),
    measured_at TIMESTAMP NOT NULL, temperature DECIMAL(5,2), humidity DECIMAL(5,2), pressure DECIMAL(7,2),
    air_quality INTEGER, battery_level INTEGER);
CREATE TABLE activity_classifications (id BIGSERIAL, user_id BIGINT NOT NULL REFERENCES users(id),
    started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP, activity_type VARCHAR(50) NOT NULL,
    confidence_score DECIMAL(3,2), metadata JSONB DEFAULT '{}');
CREATE TABLE notifications (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users(id),
    title VARCHAR(255) NOT NULL, message TEXT, type VARCHAR(50) NOT NULL, status VARCHAR(20) DEFAULT 'unread',
    sent_at TIMESTAMP NOT NULL DEFAULT NOW(), read_at TIMESTAMP NULL, created_at TIMESTAMP NOT NULL DEFAULT NOW());
SELECT create_hypertable('environmental_readings', 'measured_at', chunk_time_interval => INTERVAL '1 week');
SELECT create_hypertable('activity_classifications', 'started_at', chunk_time_interval => INTERVAL '1 week');
CREATE INDEX idx_environmental_device_time ON environmental_readings (device_id, measured_at DESC);
CREATE INDEX idx_environmental_time_temp  ON environmental_readings (measured_at, temperature);
CREATE INDEX idx_activity_user_time       ON activity_classifications (user_id, started_at DESC);
CREATE INDEX idx_activity_type_time       ON activity_classifications (activity_type, started_at);
CREATE INDEX idx_notifications_user_status ON notifications (user_id, status, sent_at DESC);
"""
POLICIES = """
ALTER TABLE environmental_readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id',
    timescaledb.compress_orderby = 'measured_at DESC');
SELECT add_compression_policy('environmental_readings', INTERVAL '1 month');
SELECT add_retention_policy('environmental_readings', INTERVAL '1 year');
SELECT add_retention_policy('activity_classifications', INTERVAL '2 years');
"""


def create_by_hand(database: Database) -> None:
    """Run the user's DDL as they would."""
    text = TABLES + (POLICIES if database.server.community else "")
    database.execute("SET client_min_messages = error",
                     *(statement for statement in text.split(";") if statement.strip()))


def bare() -> tuple[apply.Object, ...]:
    """The declaration without what the specification's DDL leaves to us: checks and comments."""
    return tuple(replace(table, checks=(), comment=None,
                         columns=tuple(replace(column, comment=None) for column in table.columns))
                 for table in declared())


def test_the_users_own_ddl_is_adopted_without_a_step(database: Database) -> None:
    create_by_hand(database)
    plan = apply.plan(database.owner, bare(), options=replace(SKIP, whole_schema=True))
    assert plan.render() == []
    assert not [warning for warning in plan.warnings if "not declared" in warning]


def test_adoption_adds_only_checks_and_comments(database: Database) -> None:
    create_by_hand(database)
    steps = apply.ensure(database.owner, declared(), options=SKIP).steps
    assert steps
    assert all(" CHECK (" in step.sql or step.sql.startswith("COMMENT ON ") for step in steps)
    assert tuple(apply.read(database.owner, declared())) == declared()


def test_adoption_keeps_the_rows(database: Database) -> None:
    create_by_hand(database)
    database.execute("INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.org', 'x')",
                     "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) "
                     "SELECT 1, 'phone', 'AA:BB:CC:DD:EE:0' || n, 'a' FROM generate_series(1, 3) n",
                     "INSERT INTO environmental_readings (device_id, measured_at, temperature) SELECT 1 + n % 3, "
                     "now() - n * interval '1 hour', 20 FROM generate_series(1, 500) n")
    before = database.execute("SELECT md5(string_agg(r::text, '' ORDER BY id)) FROM environmental_readings r")
    options = replace(SKIP, allow=frozenset({"blocks_writes"}))
    apply.ensure(database.owner, declared(), options=options)
    after = database.execute("SELECT md5(string_agg(r::text, '' ORDER BY id)) FROM environmental_readings r")
    assert before == after
    assert apply.plan(database.owner, declared(), options=SKIP).steps == ()


def test_undeclared_parts_are_reported_and_left(database: Database) -> None:
    apply.ensure(database.owner, declared(), options=SKIP)
    database.execute("ALTER TABLE users ADD COLUMN nickname text", "CREATE INDEX mine ON users (nickname)",
                     "ALTER TABLE users ADD CONSTRAINT short CHECK (length(name) < 200)", "CREATE TABLE other (a int)")
    plan = apply.plan(database.owner, declared(), options=replace(SKIP, whole_schema=True))
    assert plan.steps == ()
    named = [warning.split(" ")[0] for warning in plan.warnings if "not declared" in warning]
    assert sorted(named) == ["other", "users.mine", "users.nickname", "users.short"]
    assert tuple(apply.read(database.owner, declared())) == declared()


def test_other_tables_are_not_reported_when_one_table_is_planned(database: Database) -> None:
    apply.ensure(database.owner, declared(), options=SKIP)
    for table in declared():
        plan = apply.plan(database.owner, [table], options=SKIP)
        assert plan.steps == ()
        assert not [warning for warning in plan.warnings if "not declared" in warning]


def test_undeclared_parts_are_dropped_where_their_hazards_are_allowed(database: Database) -> None:
    apply.ensure(database.owner, declared(), options=SKIP)
    database.execute("ALTER TABLE users ADD COLUMN nickname text", "CREATE INDEX mine ON users (name)",
                     "ALTER TABLE users ADD CONSTRAINT short CHECK (length(name) < 200)")
    allow = frozenset({"drops_column", "drops_index", "drops_constraint"})
    steps = apply.ensure(database.owner, declared(), options=replace(SKIP, allow=allow)).steps
    assert sorted(hazard for step in steps for hazard in step.hazards) == sorted(allow)
    assert apply.plan(database.owner, declared(), options=SKIP).warnings == \
        apply.plan(database.owner, declared(), options=replace(SKIP, allow=allow)).warnings


def test_constraints_and_indexes_under_other_names_are_renamed(database: Database) -> None:
    apply.ensure(database.owner, declared(), options=SKIP)
    database.execute("ALTER TABLE users RENAME CONSTRAINT users_email_key TO old_unique",
                     "ALTER TABLE devices RENAME CONSTRAINT devices_user_id_fkey TO old_foreign",
                     "ALTER TABLE devices RENAME CONSTRAINT devices_type_not_empty TO old_check",
                     "ALTER INDEX idx_notifications_user_status RENAME TO old_index")
    steps = apply.ensure(database.owner, declared(), options=SKIP).steps
    assert len(steps) == 4
    assert all(" RENAME " in step.sql for step in steps)


@pytest.mark.servers("official", "embedded")
def test_duplicate_policies_added_by_hand_are_merged_into_the_oldest(database: Database) -> None:
    apply.ensure(database.owner, declared())
    jobs = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' " \
           "AND hypertable_name = 'environmental_readings' ORDER BY 1"
    (first,), = database.execute(jobs)
    with database.admin.connect() as connection:  # as a hand in the catalog leaves it, wherever this version has it
        row = connection.execute("SELECT coalesce(to_regclass('_timescaledb_catalog.bgw_job'), "
                                 "to_regclass('_timescaledb_config.bgw_job'))::text").fetchone()
        assert row
        connection.execute(f"INSERT INTO {row[0]} SELECT (jsonb_populate_record(j, jsonb_build_object('id', 2000))).* "
                           f"FROM {row[0]} j WHERE id = {first}".encode())
    assert len(database.execute(jobs)) == 2
    steps = apply.ensure(database.owner, declared()).steps
    assert [step.sql.split("(")[0] for step in steps] == ["SELECT delete_job"]
    assert database.execute(jobs) == [(first,)]


@pytest.mark.servers("official", "embedded")
def test_a_year_is_a_year_however_it_is_written(database: Database) -> None:
    apply.ensure(database.owner, declared())
    others = {"1 year": "12 months", "2 years": "2 yrs"}
    same = tuple(replace(table, retention=Retention(others[table.retention.drop_after])) if table.retention else table
                 for table in declared())
    assert apply.plan(database.owner, same).steps == ()
    assert tuple(apply.read(database.owner, same)) == same
