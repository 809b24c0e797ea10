"""What a change does beside what it names is noticed in its own transaction, said, and rolled back."""

from __future__ import annotations

from typing import Any

import pytest

from schema.catalog.attributes import CATALOGS, read_attributes
from schema.catalog.queries import read_capabilities
from schema.errors import ApplyError
from schema.execution.guard import Guard
from schema.model.change.step import Action, Step
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

HELD = """\
CREATE TABLE rooms (id int PRIMARY KEY, name text COLLATE "C", size numeric DEFAULT 1,
                    CONSTRAINT rooms_name_key UNIQUE NULLS NOT DISTINCT (name) DEFERRABLE) WITH (fillfactor = 80);
CREATE TABLE notes (room int CONSTRAINT notes_room_fk REFERENCES rooms ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
                    body text COLLATE "C");
CREATE TABLE visits (room int CONSTRAINT visits_room_fk REFERENCES rooms ON DELETE CASCADE
                       DEFERRABLE INITIALLY DEFERRED,
                     name text COLLATE "C", CONSTRAINT visits_name_key UNIQUE NULLS NOT DISTINCT (name) DEFERRABLE)
                    WITH (fillfactor = 80);
CREATE VIEW named WITH (security_barrier) AS SELECT id, name FROM rooms;
COMMENT ON VIEW named IS 'those with a name';
CREATE RULE nothing AS ON DELETE TO rooms DO INSTEAD NOTHING;
CREATE FUNCTION quick(x int) RETURNS boolean LANGUAGE sql IMMUTABLE COST 1 BEGIN ATOMIC SELECT x > 0; END;
CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER always BEFORE UPDATE ON rooms FOR EACH ROW EXECUTE FUNCTION changed();
ALTER TABLE rooms ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER always BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION changed();
ALTER TABLE visits ENABLE ALWAYS TRIGGER always;
CREATE TABLE readings (at timestamptz NOT NULL, device int, value float8);
SELECT create_hypertable('readings', 'at');
ALTER TABLE readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device');
SELECT alter_job(add_compression_policy('readings', INTERVAL '7 days'), max_retries => 3);
CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 hour', at) AS bucket, device, avg(value) AS value FROM readings GROUP BY 1, 2 WITH NO DATA;
CREATE INDEX hourly_value ON hourly (value);
SELECT add_continuous_aggregate_policy('hourly', INTERVAL '1 day', INTERVAL '1 hour', INTERVAL '1 hour',
                                       buckets_per_batch => 5);
SELECT alter_job(job_id, config => config || '{"verbose_log": true}')
  FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
"""
DECLARED = ("rooms", "notes", "named", "quick", "changed", "readings", "hourly")
LOSSES = {
    "the rights on a view that is made again": (
        "named", "GRANT UPDATE (name) ON named TO pg_monitor; DROP VIEW named; "
        "CREATE VIEW named WITH (security_barrier) AS SELECT id, name FROM rooms; GRANT SELECT ON named TO pg_monitor",
        "relation named: rights was "),
    "a key of an undeclared table": (
        "rooms", "ALTER TABLE visits DROP CONSTRAINT visits_name_key, ADD CONSTRAINT visits_name_key UNIQUE (name)",
        "constraint visits.visits_name_key: deferrable was True, would be False; "
        "index visits_name_key: checked at once was False, would be True; "
        "index visits_name_key: nulls not distinct was True, would be False"),
    "a foreign key of another table": (
        "rooms", "ALTER TABLE visits DROP CONSTRAINT visits_room_fk, ADD CONSTRAINT visits_room_fk FOREIGN KEY (room) "
        "REFERENCES rooms ON DELETE CASCADE",
        "constraint visits.visits_room_fk: deferrable was True, would be False; "
        "constraint visits.visits_room_fk: initially deferred was True, would be False"),
    "a collation of another table": ("rooms", "ALTER TABLE visits ALTER name TYPE varchar(100)",
                                     "column visits.name: collation was \"C\", would be none"),
    "a storage parameter of another table": ("rooms", "ALTER TABLE visits RESET (fillfactor)",
                                             "relation visits: options was ['fillfactor=80'], would be none"),
    "a trigger of another table that always fires": ("rooms", "ALTER TABLE visits ENABLE TRIGGER always",
                                                     "trigger visits.always: fires was A, would be none"),
    "a rule": ("rooms", "DROP RULE nothing ON rooms", "rule rooms.nothing is gone"),
    "the rights on a function": ("quick", "GRANT EXECUTE ON FUNCTION quick TO pg_monitor",
                                 "function quick(integer): rights was "),
    "a setting that no declaration has": (
        "hourly.refresh",
        "SELECT remove_continuous_aggregate_policy('hourly'), "
        "add_continuous_aggregate_policy('hourly', INTERVAL '2 days', INTERVAL '1 hour', INTERVAL '1 hour')",
        "policy_refresh_continuous_aggregate: settings was {'verbose_log': True}, would be {}"),
    "an aggregate's index": ("hourly", "DROP INDEX _timescaledb_internal.hourly_value",
                             "index of the aggregate CREATE INDEX USING btree (value) is gone"),
    "a right": ("rooms", "GRANT SELECT ON rooms TO PUBLIC", "relation rooms: rights was "),
}
ALLOWED = {
    "an option of a declared view": ("named", "CREATE OR REPLACE VIEW named AS SELECT id, name, size FROM rooms"),
    "the body and the cost of a declared function": (
        "quick", "CREATE OR REPLACE FUNCTION quick(x int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"),
    "a key that the step declares otherwise": (
        "rooms.rooms_name_key",
        "ALTER TABLE rooms DROP CONSTRAINT rooms_name_key, ADD CONSTRAINT rooms_name_key UNIQUE (name)"),
    "a column's collation": ("notes.body", "ALTER TABLE notes ALTER body TYPE varchar(100)"),
    "a storage parameter": ("rooms.options", "ALTER TABLE rooms RESET (fillfactor)"),
    "a trigger that always fires": ("rooms.always", "ALTER TABLE rooms ENABLE TRIGGER always"),
    "a column of another type": ("rooms.size", "ALTER TABLE rooms ALTER size TYPE bigint"),
    "a column that is renamed": ("readings.value", "ALTER TABLE readings RENAME value TO amount"),
    "a column that is dropped": ("notes.body", "ALTER TABLE notes DROP COLUMN body"),
    "another limit": ("readings.compression",
                      "SELECT alter_job(job_id, config => config || '{\"compress_after\": \"9 days\"}') "
                      "FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"),
    "another number of tries": ("readings.compression", "SELECT alter_job(job_id, max_retries => 5) FROM "
                                "timescaledb_information.jobs WHERE proc_name = 'policy_compression'"),
    "an aggregate's chunk interval": ("hourly.chunk", "SELECT set_chunk_time_interval('hourly', INTERVAL '1 day')"),
    "a declared default": ("rooms.size", "ALTER TABLE rooms ALTER size SET DEFAULT 2, ALTER size SET NOT NULL"),
    "an index that the step names": ("hourly.hourly_value", "DROP INDEX _timescaledb_internal.hourly_value"),
    "a view that is made again as it was": (
        "rooms.name", "DROP VIEW named; ALTER TABLE rooms ALTER name TYPE varchar(9) COLLATE \"C\"; "
        "CREATE VIEW named WITH (security_barrier) AS SELECT id, name FROM rooms; "
        "COMMENT ON VIEW named IS 'those with a name'"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_a_step_does_not_name_is_said_and_rolled_back(database: Database, name: str) -> None:
    subject, change, message = LOSSES[name]
    database.execute(*statements())
    before = attributes_of(database)
    with pytest.raises(ApplyError) as refused:
        carry_out(database, subject, change)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{subject}: refused, since it would change what nobody declares: ")
    assert attributes_of(database) == before


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_step_names_and_what_follows_from_it_passes(database: Database, name: str) -> None:
    database.execute(*statements())
    carry_out(database, *ALLOWED[name])


def test_a_step_that_grants_may_change_rights_and_owner_and_nothing_else(database: Database) -> None:
    database.execute(*statements())
    with database.owner.connect() as connection:
        guard = Guard(connection, read_capabilities(connection), DECLARED)
        grant = Step(Action.ALTER, "rooms", "GRANT SELECT ON rooms TO PUBLIC", "a test", rights=True)
        with connection.transaction(), guard.watch([grant]):
            connection.execute(grant.sql.encode())
        with pytest.raises(ApplyError, match=r"relation named: rights was "), connection.transaction(), \
                guard.watch([grant, Step(Action.ALTER, "named", "", "a test")]):
            connection.execute("GRANT SELECT ON named TO PUBLIC")


def test_every_attribute_is_either_proved_or_ignored_or_watched(database: Database) -> None:
    """A column that a later version of a catalog brings is watched without being listed; this list shows it."""
    database.execute(*statements())
    watched: dict[str, set[str]] = {}
    for catalog, names in attributes_of(database, values=False).items():
        known = CATALOGS[catalog]
        assert not known.declared & known.ignored
        watched[catalog] = set(names) - known.declared - known.ignored
    assert {catalog: " ".join(sorted(names)) for catalog, names in watched.items() if names} == WATCHED


WATCHED: dict[str, str] = {
    "bgw_job": "check_name check_schema owner settings",
    "hypertable": "chunk_sizing_func_name chunk_sizing_func_schema",
    "pg_attribute": "attacl attfdwoptions attinhcount attislocal attoptions labels",
    "pg_class": ("extension labels parents publications relacl relam relispartition relkind reloftype "
                    "relowner relpartbound"),
    "pg_constraint": "coninhcount conislocal",
    "pg_index": "relowner reltablespace",
    "pg_proc": "proacl proowner",
    "pg_rewrite": "comment definition ev_enabled ev_type is_instead",
}


def carry_out(database: Database, subject: str, change: str) -> None:
    with database.owner.connect() as connection:
        guard = Guard(connection, read_capabilities(connection), DECLARED)
        steps = [Step(Action.ALTER, subject, change, "a test")]
        with connection.transaction(), guard.watch(steps):
            connection.execute(change.encode())


def attributes_of(database: Database, *, values: bool = True) -> dict[str, Any]:
    with database.owner.connect() as connection:
        found = read_attributes(connection, read_capabilities(connection), DECLARED)
    if values:
        return {f"{entry.catalog} {entry.relation} {entry.name} {entry.number}": str(entry.values) for entry in found}
    return {catalog: {name for entry in found if entry.catalog == catalog for name in entry.values}
            for catalog in {entry.catalog for entry in found}}


def statements() -> list[str]:
    return [statement for statement in HELD.split(";\n") if statement.strip()]
