"""The columnstore: settings, policy, chunks compressed anew, and what may change while it is on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import ApplyError, UnsafeChangeError, UnsupportedError
from schema.model.objects import Check, Column, Compression, ForeignKey, Hypertable, Index, Key, Retention, Table
from schema.model.properties import from_dict, to_dict
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

SETTINGS = Compression("30 days", segment_by=("device",), order_by=("at DESC",))
TABLE = Table("readings", (Column("at", "timestamptz", null=False), Column("device", "bigint", null=False),
                           Column("value", "numeric(5,2)"), Column("note", "varchar(10)")),
              hypertable=Hypertable("at", "7 days"), compression=SETTINGS)
ROWS = ("INSERT INTO readings SELECT now() - n * interval '2 hours', n % 3, n, 'x' FROM generate_series(1, 500) n")
COMPRESS = "SELECT compress_chunk(c) FROM show_chunks('readings') c"
OWN_SETTINGS = "SELECT DISTINCT segmentby, orderby FROM timescaledb_information.chunk_compression_settings ORDER BY 1"
JOB = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' ORDER BY 1"


def changed(database: Database, table: Table, *allow: str) -> list[str]:
    """Apply, which proves that the next plan is empty; what was run. What is read back is the declaration."""
    steps = apply.ensure(database.owner, [table], options=apply.Options(allow=frozenset(allow))).steps
    assert apply.read(database.owner, [table]) == [table]
    assert from_dict(to_dict(table)) == table
    return [step.sql for step in steps]


def compressing(**changes: object) -> Table:
    return replace(TABLE, compression=replace(SETTINGS, **changes))  # type: ignore[arg-type]


@pytest.fixture
def plain(database: Database) -> Database:
    """The table with rows in several chunks, none of them compressed."""
    apply.ensure(database.owner, [TABLE])
    database.execute(ROWS)
    return database


@pytest.fixture
def compressed(plain: Database) -> Database:
    """The same, all of them compressed."""
    plain.execute(COMPRESS)
    return plain


@pytest.mark.parametrize("settings", [
    Compression("30 days"), Compression(None, segment_by=("device",)),
    Compression("30 days", segment_by=("device", "note"), order_by=("value", "at DESC NULLS LAST")),
    Compression("1 month", segment_by=("device",), schedule="6 hours", paused=True)])
def test_the_columnstore_comes_with_every_setting(database: Database, settings: Compression) -> None:
    changed(database, replace(TABLE, compression=settings))
    assert changed(database, replace(TABLE, compression=settings)) == []


@pytest.mark.servers("embedded")
def test_the_columnstore_on_the_embedded_server(plain: Database) -> None:
    plain.execute(COMPRESS)
    steps = changed(plain, compressing(segment_by=("note",), after="10 days", recompress="1 year"), "blocks_writes")
    assert len([step for step in steps if "recompress => true" in step]) >= 6


@pytest.mark.parametrize("change", [{"after": "10 days"}, {"schedule": "1 hour"}, {"paused": True}])
def test_the_policy_is_altered_in_place_and_back(plain: Database, change: dict[str, object]) -> None:
    start = compressing(schedule="12 hours")
    changed(plain, start)
    before = plain.execute(JOB)
    for wanted in (compressing(**{"schedule": "12 hours", **change}), start):
        (step,) = changed(plain, wanted)
        assert step.startswith("SELECT (alter_job(")
    assert plain.execute(JOB) == before


def test_altering_a_policy_keeps_the_time_zone_that_others_gave_it(plain: Database) -> None:
    plain.execute("SELECT remove_compression_policy('readings')",
                  "SELECT add_compression_policy('readings', interval '30 days', initial_start => now(), "
                  "timezone => 'Europe/Berlin')")
    changed(plain, compressing(after="10 days"))
    zone = "SELECT timezone FROM _timescaledb_config.bgw_job WHERE proc_name = 'policy_compression'"
    assert plain.execute(zone) == [("Europe/Berlin",)]


def test_a_policy_that_goes_by_the_chunks_creation_is_altered_to_go_by_their_rows(plain: Database) -> None:
    plain.execute("SELECT remove_compression_policy('readings')",
                  "SELECT add_compression_policy('readings', compress_created_before => interval '30 days')")
    before = plain.execute(JOB)
    (step,) = changed(plain, TABLE)
    assert "compress_created_before" in step
    assert plain.execute(JOB) == before


def test_the_policy_is_removed_and_added(plain: Database) -> None:
    assert changed(plain, compressing(after=None)) == ["SELECT remove_compression_policy('readings')"]
    assert changed(plain, TABLE) == ["SELECT add_compression_policy('readings', interval '30 days')"]


def test_the_columnstore_is_disabled_only_where_no_chunk_is_compressed(plain: Database) -> None:
    without = replace(TABLE, compression=None)
    plain.execute(COMPRESS + " LIMIT 1")
    with pytest.raises(UnsupportedError, match="readings: 1 chunks are in the columnstore, which is no longer decl"):
        apply.plan(plain.owner, [without])
    plain.execute("SELECT decompress_chunk(c, true) FROM show_chunks('readings') c")
    assert changed(plain, without) == ["SELECT remove_compression_policy('readings')",
                                       "ALTER TABLE readings SET (timescaledb.compress = false)"]
    assert len(changed(plain, TABLE)) == 2


def test_changed_settings_say_that_they_reach_future_chunks_only(compressed: Database) -> None:
    wanted = compressing(segment_by=("note",), order_by=("at",))
    (step,) = apply.plan(compressed.owner, [wanted]).steps
    assert "chunks that are compressed already keep that: it reaches future chunks only" in step.why
    changed(compressed, wanted)
    assert compressed.execute(OWN_SETTINGS) == [("device", "at DESC")]


def test_young_chunks_are_recompressed_one_by_one_where_that_is_declared(compressed: Database) -> None:
    wanted = compressing(segment_by=("note",), order_by=("at",), recompress="20 days")
    steps = apply.plan(compressed.owner, [wanted]).steps
    again = [step for step in steps if "recompress => true" in step.sql]
    (chunks,), = compressed.execute("SELECT count(*) FROM show_chunks('readings')")
    assert isinstance(chunks, int)
    assert 1 < len(again) < chunks
    assert {(step.hazards, step.heavy, step.transaction) for step in again} == {(("blocks_writes",), True, "own")}
    assert all(step.cost.startswith("ACCESS EXCLUSIVE on this chunk, ") for step in again)
    with pytest.raises(UnsafeChangeError, match="blocks_writes is not allowed"):
        apply.ensure(compressed.owner, [wanted])
    changed(compressed, wanted, "blocks_writes")
    assert compressed.execute(OWN_SETTINGS) == [("device", "at DESC"), ("note", "at")]
    assert compressed.execute("SELECT count(*) FROM readings") == [(500,)]


def test_an_interrupted_recompression_continues_with_the_next_chunk(compressed: Database) -> None:
    wanted = compressing(segment_by=("note",), recompress="1 year")
    options = apply.Options(allow=frozenset({"blocks_writes"}))
    seen: list[str] = []

    def kill(line: str) -> None:
        seen.append(line)
        if len(seen) == 4:
            with compressed.admin.connect() as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                                   [apply.APPLICATION])

    all_steps = len(apply.plan(compressed.owner, [wanted]).steps)
    with pytest.raises(ApplyError):
        apply.ensure(compressed.owner, [wanted], options=options, progress=kill)
    assert len(apply.plan(compressed.owner, [wanted]).steps) == all_steps - 3
    changed(compressed, wanted, "blocks_writes")


def test_a_table_with_unchanged_settings_is_not_recompressed(compressed: Database) -> None:
    assert changed(compressed, compressing(recompress="1 year")) == []


COMPUTED = {"serial": Column("more", "bigint", null=False, serial=True), "now": Column("more", "timestamptz",
            default="now()"), "uuid": Column("more", "uuid", default="gen_random_uuid()"),
            "identity": Column("more", "bigint", null=False, identity="always"),
            "generated": Column("more", "bigint", generated="device + 1")}


@pytest.mark.parametrize("column", COMPUTED)
def test_a_generated_column_under_the_columnstore_is_refused_with_a_remedy(compressed: Database, column: str) -> None:
    refusal = r"readings\.more: a column whose values are computed .* constant"
    if column == "identity":
        refusal = r"readings\.more: a hypertable with chunks takes no identity column; declare it serial"
    with pytest.raises(UnsupportedError, match=refusal):
        apply.plan(compressed.owner, [replace(TABLE, columns=(*TABLE.columns, COMPUTED[column]))])


@pytest.mark.parametrize(("column", "value"), [
    (Column("more", "integer"), None), (Column("more", "integer", null=False, default="5"), 5),
    (Column("more", "jsonb", default="'{}'"), {})])
def test_a_column_is_added_to_compressed_chunks(compressed: Database, column: Column, value: object) -> None:
    assert len(changed(compressed, replace(TABLE, columns=(*TABLE.columns, column)))) == 1
    assert compressed.execute("SELECT DISTINCT more FROM readings") == [(value,)]


def test_a_not_null_column_is_added_to_an_empty_table_with_the_columnstore(database: Database) -> None:
    apply.ensure(database.owner, [TABLE])
    changed(database, replace(TABLE, columns=(*TABLE.columns, Column("more", "integer", null=False))))


def test_a_column_is_dropped_and_renamed_under_the_columnstore(compressed: Database) -> None:
    fewer = replace(TABLE, columns=TABLE.columns[:3])
    assert changed(compressed, fewer, "drops_column") == ["ALTER TABLE readings DROP COLUMN note"]
    columns = (replace(TABLE.columns[0], name="measured_at", renamed_from="at"),
               replace(TABLE.columns[1], name="sensor", renamed_from="device"), TABLE.columns[2])
    renamed = Table("readings", columns, hypertable=Hypertable("measured_at", "7 days"),
                    compression=Compression("30 days", ("sensor",), ("measured_at DESC",), recompress="1 year"))
    assert len(changed(compressed, renamed)) == 2
    assert compressed.execute("SELECT count(*), count(measured_at), count(sensor) FROM readings") == [(500, 500, 500)]


def test_a_column_removed_from_the_settings_is_dropped_after_them(plain: Database) -> None:
    columns = (TABLE.columns[0], *TABLE.columns[2:])
    wanted = replace(TABLE, columns=columns, compression=replace(SETTINGS, segment_by=("note",)))
    steps = changed(plain, wanted, "drops_column")
    assert ["SET (timescaledb" in step for step in steps] == [True, False]


def test_a_column_that_compressed_chunks_are_segmented_by_stays_until_they_are_recompressed(
        compressed: Database) -> None:
    wanted = replace(TABLE, columns=(TABLE.columns[0], *TABLE.columns[2:]),
                     compression=replace(SETTINGS, segment_by=("note",)))
    options = apply.Options(allow=frozenset({"drops_column"}))
    with pytest.raises(UnsupportedError, match=r"readings\.device: compressed chunks .*Compression\.recompress"):
        apply.plan(compressed.owner, [wanted], options=options)
    changed(compressed, compressing(segment_by=("note",), recompress="1 year"), "blocks_writes")
    changed(compressed, wanted, "drops_column")


def test_a_type_changes_while_no_chunk_is_compressed(plain: Database) -> None:
    columns = (*TABLE.columns[:2], replace(TABLE.columns[2], type="numeric(6,2)"), TABLE.columns[3])
    wanted = replace(TABLE, columns=columns)
    changed(plain, wanted)
    plain.execute(COMPRESS + " LIMIT 2")
    with pytest.raises(UnsupportedError, match=r"readings\.value: type numeric\(6,2\) .* while chunks are compressed"):
        apply.plan(plain.owner, [TABLE])


def test_an_identity_under_the_columnstore_is_refused_with_a_remedy(plain: Database) -> None:
    columns = (TABLE.columns[0], replace(TABLE.columns[1], identity="by default"), *TABLE.columns[2:])
    with pytest.raises(UnsupportedError, match=r"readings\.device: identity and generation cannot be changed while"):
        apply.plan(plain.owner, [replace(TABLE, columns=columns)])


def test_constraints_keys_and_indexes_are_added_to_compressed_chunks(compressed: Database) -> None:
    compressed.execute("CREATE TABLE devices (id bigint CONSTRAINT devices_pkey PRIMARY KEY)",
                       "INSERT INTO devices VALUES (0), (1), (2)")
    wanted = replace(TABLE, checks=(Check("positive", "value >= 0"),), keys=(Key("one", ("at", "device")),),
                     foreign_keys=(ForeignKey("of_device", ("device",), "devices"),),
                     indexes=(Index("by_value", ("value", "at")),))
    steps = apply.plan(compressed.owner, [wanted]).steps
    assert [("blocks_writes" in step.hazards, step.heavy) for step in steps] == [
        (True, True), (True, True), (True, True), (False, True)]
    changed(compressed, wanted, "blocks_writes")


def test_a_check_that_compressed_rows_break_fails_by_name(compressed: Database) -> None:
    wanted = replace(TABLE, checks=(Check("small", "value < 100"),))
    with pytest.raises(ApplyError, match=r"readings\.small: .*is violated by some row"):
        apply.ensure(compressed.owner, [wanted], options=apply.Options(allow=frozenset({"blocks_writes"})))


@pytest.mark.parametrize("statements", [
    ["CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL)"],
    ["CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL)",
     "SELECT create_hypertable('readings', 'at')", "ALTER TABLE readings SET (timescaledb.compress)"],
    ["CREATE TABLE readings (at timestamptz NOT NULL, device bigint NOT NULL)",
     "SELECT create_hypertable('readings', 'at')",
     "ALTER TABLE readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device')",
     "SELECT add_compression_policy('readings', interval '3 days')",
     "SELECT add_retention_policy('readings', interval '9 years')"]], ids=["plain", "no policy", "other policies"])
def test_every_earlier_state_becomes_the_declared_one(database: Database, statements: list[str]) -> None:
    database.execute("SET client_min_messages = error", *statements)
    changed(database, replace(TABLE, retention=Retention("1 year")))
