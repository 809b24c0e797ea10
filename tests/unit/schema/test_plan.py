"""Plans made without a server: order, hazards, fingerprints, and the gentlest way for each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from schema.canonical.normalising import settle
from schema.errors import UnsafeChangeError, UnsupportedError
from schema.lifecompanion import tables as declared
from schema.model.change.diff import Context, TableDiff
from schema.model.change.step import Hazard, Transaction
from schema.model.live.jobs import PolicyJob
from schema.model.live.tables import LiveTable, Weight
from schema.model.objects import Check, Column, Compression, Index, Key, Retention, Table
from schema.planning.plan import Plan, plan, plan_from_empty

USERS, DEVICES, READINGS, ACTIVITIES, NOTIFICATIONS = declared()
ROWS = Weight(has_rows=True, bytes=3 * 2**20, chunks=4)
JOBS = (PolicyJob(1000, "policy_compression", "1 mon", "12:00:00", False),
        PolicyJob(1001, "policy_retention", "1 year", "1 day", False))


def change(live: Table, wanted: Table, weight: Weight = ROWS, **details: object) -> Plan:
    """The plan from one table to another, both taken to be in the server's words."""
    present = LiveTable(live, **details)  # type: ignore[arg-type]
    return plan([TableDiff(wanted, settle(wanted, live), present, Context(170000, weight=weight))])


def sql(planned: Plan) -> list[str]:
    return [" ".join(step.sql.split()) for step in planned.steps]


def with_column(table: Table, name: str, edit: Callable[[Column], Column]) -> Table:
    return replace(table, columns=tuple(edit(column) if column.name == name else column for column in table.columns))


def test_equal_tables_need_no_step() -> None:
    for table in declared():
        jobs = tuple(job for job, part in zip(JOBS, (table.compression, table.retention), strict=True) if part)
        assert change(table, table, jobs=jobs).steps == ()


def test_tables_are_created_in_the_order_given_and_before_their_parts() -> None:
    statements = sql(plan_from_empty(declared()))
    created = [line.split()[2] for line in statements if line.startswith("CREATE TABLE")]
    assert created == [table.name for table in declared()]
    place = [next(n for n, line in enumerate(statements) if line.startswith(start)) for start in (
        "CREATE TABLE environmental_readings", "SELECT create_hypertable('environmental_readings'",
        "CREATE INDEX idx_environmental_device_time", "ALTER TABLE environmental_readings SET (timescaledb.compress",
        "SELECT add_compression_policy", "SELECT add_retention_policy('environmental_readings'")]
    assert place == sorted(place)


def test_a_plan_for_an_empty_database_has_no_hazard_and_is_one_transaction() -> None:
    planned = plan_from_empty(declared())
    assert not any(step.hazards for step in planned.steps)
    assert {step.transaction for step in planned.steps} == {Transaction.SHARED}


def test_no_default_time_index_is_asked_for() -> None:
    calls = [line for line in sql(plan_from_empty(declared())) if "create_hypertable" in line]
    assert len(calls) == 2
    assert all("create_default_indexes => false" in line for line in calls)


def test_a_fingerprint_is_that_of_the_steps() -> None:
    assert plan_from_empty(declared()).fingerprint == plan_from_empty(declared()).fingerprint
    assert plan_from_empty(declared()).fingerprint != plan_from_empty(declared()[:1]).fingerprint
    assert Plan().fingerprint == Plan(warnings=("something",)).fingerprint


def test_hazards_are_refused_by_name() -> None:
    narrower = change(NOTIFICATIONS, with_column(NOTIFICATIONS, "title",
                                                      lambda title: replace(title, type="varchar(9)")))
    assert [step.hazards for step in narrower.refused(())] == [(Hazard.REWRITES_TABLE,)]
    assert narrower.refused({"drops_table"}) == narrower.steps
    assert narrower.refused({"rewrites_table"}) == ()


@pytest.mark.parametrize(("before", "after", "rewrites"), [
    ("character varying(50)", "character varying(60)", False), ("character varying(50)", "character varying(40)", True),
    ("character varying(50)", "text", False), ("numeric(5,2)", "numeric(6,2)", False),
    ("numeric(5,2)", "numeric(6,3)", True), ("integer", "bigint", True), ("text", "jsonb", True)])
def test_a_type_change_that_rewrites_says_so(before: str, after: str, rewrites: bool) -> None:
    live, wanted = (Table("t", (Column("a", type_),)) for type_ in (before, after))
    (step,) = change(live, wanted).steps
    assert (Hazard.REWRITES_TABLE in step.hazards) == rewrites
    assert change(live, wanted, Weight()).steps[0].hazards == ()


def test_a_timestamp_becomes_one_with_time_zone_in_utc() -> None:
    live, wanted = (Table("t", (Column("a", f"timestamp {zone} time zone"),)) for zone in ("without", "with"))
    assert sql(change(live, wanted)) == [
        "ALTER TABLE t ALTER COLUMN a TYPE timestamp with time zone USING a AT TIME ZONE 'UTC'"]


@pytest.mark.parametrize(("default", "rewrites"), [
    ("0", False), ("now()", False), ("'{}'::jsonb", False), ("gen_random_uuid()", True), ("clock_timestamp()", True)])
def test_a_new_column_that_is_computed_row_by_row_says_so(default: str, rewrites: bool) -> None:
    table = Table("t", (Column("a", "int"),))
    (step,) = change(table, replace(table, columns=(*table.columns, Column("b", "int", default=default)))).steps
    assert (Hazard.REWRITES_TABLE in step.hazards) == rewrites


def test_a_new_not_null_column_without_default_needs_an_empty_table() -> None:
    table = Table("t", (Column("a", "int"),))
    wanted = replace(table, columns=(*table.columns, Column("b", "int", null=False)))
    with pytest.raises(UnsafeChangeError, match=r"t\.b: NOT NULL without a default"):
        change(table, wanted)
    assert sql(change(table, wanted, Weight())) == ["ALTER TABLE t ADD COLUMN b int NOT NULL"]


def test_a_check_on_rows_is_added_first_and_proven_later() -> None:
    wanted = replace(USERS, checks=(*USERS.checks, Check("c", "id > 0")))
    assert sql(change(USERS, wanted)) == ["ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
                                          "ALTER TABLE users VALIDATE CONSTRAINT c"]
    assert sql(change(USERS, wanted, Weight())) == ["ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)"]


def test_a_check_on_rows_under_the_columnstore_blocks_writers_and_says_so() -> None:
    wanted = replace(READINGS, checks=(*READINGS.checks, Check("c", "id > 0")))
    (step,) = change(READINGS, wanted, jobs=JOBS).steps
    assert step.hazards == (Hazard.BLOCKS_WRITES,)
    assert step.cost == "ACCESS EXCLUSIVE, 4 chunks, 3.0 MiB"


def test_a_constraint_that_was_never_validated_is_validated() -> None:
    assert sql(change(USERS, USERS, not_valid=frozenset({"users_email_shape"}))) == [
        "ALTER TABLE users VALIDATE CONSTRAINT users_email_shape"]


def test_a_key_on_rows_is_built_as_an_index_first() -> None:
    wanted = replace(USERS, keys=(*USERS.keys, Key("users_name_key", ("name",))))
    planned = change(USERS, wanted)
    assert sql(planned) == ["CREATE UNIQUE INDEX CONCURRENTLY users_name_key ON users (name)",
                            "ALTER TABLE users ADD CONSTRAINT users_name_key UNIQUE USING INDEX users_name_key"]
    assert [step.transactional for step in planned.steps] == [False, True]


def test_a_key_whose_index_was_left_half_built_starts_anew() -> None:
    wanted = replace(USERS, keys=(*USERS.keys, Key("users_name_key", ("name",))))
    half = replace(USERS, indexes=(Index("users_name_key", ("name",), unique=True),))
    planned = change(half, wanted, invalid=frozenset({"users_name_key"}))
    assert sql(planned)[0] == "DROP INDEX CONCURRENTLY users_name_key"
    assert len(planned.steps) == 3
    assert planned.warnings == ()


def test_indexes_on_rows_block_no_writer() -> None:
    plain = replace(NOTIFICATIONS, indexes=(*NOTIFICATIONS.indexes, Index("i", ("type",))))
    assert sql(change(NOTIFICATIONS, plain)) == ["CREATE INDEX CONCURRENTLY i ON notifications (type)"]
    index = Index("i", ("humidity",), include=("pressure",), where="id > 0")
    hyper = replace(READINGS, indexes=(*READINGS.indexes, index))
    assert sql(change(READINGS, hyper, jobs=JOBS)) == [
        "CREATE INDEX i ON environmental_readings (humidity) INCLUDE (pressure) "
        "WITH (timescaledb.transaction_per_chunk) WHERE id > 0"]


def test_timescaledbs_own_index_on_time_is_never_in_a_plan() -> None:
    own = Index("environmental_readings_measured_at_idx", ("measured_at DESC",))
    live = replace(READINGS, indexes=(*READINGS.indexes, own))
    context: Context[LiveTable] = Context(allow=frozenset({"drops_index"}))
    planned = plan([TableDiff(READINGS, settle(READINGS, live), LiveTable(live, jobs=JOBS), context)])
    assert (planned.steps, planned.warnings) == ((), ())


def test_a_changed_retention_alters_its_job_and_keeps_the_rest() -> None:
    longer = replace(READINGS, retention=Retention("2 years"))
    assert sql(change(READINGS, longer, jobs=JOBS)) == [
        "SELECT (alter_job(1001, config => jsonb_set(config, '{drop_after}', '\"2 years\"'))).job_id "
        "FROM timescaledb_information.jobs WHERE job_id = 1001"]


@pytest.mark.parametrize(("limit", "expired", "hazards"), [
    ("30 days", 3, (Hazard.DELETES_DATA,)), ("30 days", 0, ()), ("2 years", 3, ())])
def test_a_retention_that_deletes_rows_says_so(limit: str, expired: int, hazards: tuple[Hazard, ...]) -> None:
    shorter = replace(READINGS, compression=replace(READINGS.compression, after="1 day"), retention=Retention(limit)) \
        if READINGS.compression else READINGS
    planned = change(READINGS, shorter, replace(ROWS, expired_chunks=expired), jobs=JOBS)
    assert [step.hazards for step in planned.steps if step.object.endswith(".retention")] == [hazards]


def test_doubled_policies_are_folded_into_the_oldest() -> None:
    doubled = (*JOBS, replace(JOBS[1], id=1005))
    assert sql(change(READINGS, READINGS, jobs=doubled)) == ["SELECT delete_job(1005)"]


def test_the_servers_schedule_is_kept_unless_one_is_declared() -> None:
    live = replace(READINGS, retention=Retention("1 year", schedule="3 days"))
    assert change(live, READINGS, jobs=JOBS).steps == ()
    daily = replace(READINGS, retention=Retention("1 year", schedule="1 day"))
    assert sql(change(live, daily, jobs=JOBS)) == [
        "SELECT (alter_job(1001, schedule_interval => interval '1 day')).job_id"]


def test_settings_changed_over_compressed_chunks_say_that_those_stay() -> None:
    wanted = replace(READINGS, compression=Compression("1 month", (), ("measured_at DESC",)))
    (step,) = change(READINGS, wanted, replace(ROWS, compressed_chunks=2), jobs=JOBS).steps
    assert "2 chunks that are compressed already keep that" in step.why


def test_a_columnstore_with_chunks_in_it_is_not_taken_away() -> None:
    wanted = replace(READINGS, compression=None)
    with pytest.raises(UnsupportedError, match="2 chunks are in the columnstore"):
        change(READINGS, wanted, replace(ROWS, compressed_chunks=2), jobs=JOBS)


def test_undeclared_parts_are_warnings_until_their_hazard_is_allowed() -> None:
    live = replace(USERS, columns=(*USERS.columns, Column("nickname", "text")))
    diff = TableDiff(USERS, USERS, LiveTable(live), Context(weight=ROWS))
    assert plan([diff]).steps == ()
    assert plan([diff]).warnings == (
        "users.nickname is not declared and was left in place; declare it, or allow drops_column to drop it",)
    allowed = replace(diff, context=Context(allow=frozenset({"drops_column"}), weight=ROWS))
    assert sql(plan([allowed])) == ["ALTER TABLE users DROP COLUMN nickname"]


def test_names_that_need_quotes_get_them() -> None:
    table = Table("order", (Column("user", "int"), Column("Mixed Case", "text", comment="it's")))
    assert sql(plan_from_empty([table])) == [
        'CREATE TABLE "order" ( "user" int, "Mixed Case" text )',
        "COMMENT ON COLUMN \"order\".\"Mixed Case\" IS 'it''s'"]
