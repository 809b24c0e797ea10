"""The report on a real database, on every edition."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from infra.automation.inspection import JobFailure, PolicyFacts, ServerFacts, StandbyFacts, TableFacts, read_server
from infra.automation.report import login_address, render, show_report
from infra.automation.screen import show
from infra.program.outputs import dsn
from tests.support.running.servers import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def screen(stack: str, outputs: dict[str, object], server: ServerFacts) -> str:
    output = io.StringIO()
    Console(file=output, width=140).print(render(stack, outputs, server, NOW))
    return output.getvalue()


def test_report_counts_rows_and_chunks(declared_database: Database) -> None:
    database = declared_database
    database.execute(
        "INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.com', 'x')",
        "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) "
        "SELECT id, 'sensor', 'AA:BB:CC:DD:EE:FF', 'home' FROM users",
        "INSERT INTO environmental_readings (device_id, measured_at, temperature) "
        "SELECT id, timestamp '2026-01-01' + n * interval '1 week', 20 FROM devices, generate_series(1, 3) n")

    report = read_server(database.admin)

    tables = {table.name: table for table in report.tables if not table.aggregate}
    assert {name: table.rows for name, table in tables.items()} == {
        "users": 1, "devices": 1, "environmental_readings": 3, "activity_classifications": 0, "notifications": 0}
    assert not any(table.estimated for table in tables.values())
    assert (tables["environmental_readings"].chunks, tables["users"].chunks) == (3, None)
    assert tables["environmental_readings"].size_bytes > tables["activity_classifications"].size_bytes
    community = database.server.community
    assert report.edition == ("timescale" if community else "apache")
    assert [table.name for table in report.tables if table.aggregate] == ([
        "activity_daily", "readings_daily", "readings_hourly"] if community else [])
    assert [(policy.table, policy.kind) for policy in report.policies] == ([
        ("activity_classifications", "retention"), ("activity_daily", "refresh"), ("activity_daily", "retention"),
        ("environmental_readings", "compression"), ("environmental_readings", "retention"),
        ("readings_daily", "refresh"), ("readings_daily", "retention"), ("readings_hourly", "compression"),
        ("readings_hourly", "refresh"), ("readings_hourly", "retention")] if community else [])


def test_screen_shows_no_password(declared_database: Database) -> None:
    database = declared_database
    logins = {role: {**address.to_dict(), "dsn": dsn(address.to_dict())}
              for role, address in (("admin", database.admin), ("owner", database.owner))}
    outputs = {"target": "docker", "logins": logins, "leaves_out": ["nothing much"],
               "primary": {key: database.admin.to_dict()[key] for key in ("host", "port", "database")}}
    output = io.StringIO()

    assert login_address(outputs, "owner") == database.owner
    show_report(Console(file=output, width=100), "dev", outputs)

    assert f"{database.admin.host}:{database.admin.port}/{database.admin.database}" in output.getvalue()
    assert "nothing much" in output.getvalue()
    for address in (database.admin, database.owner):
        assert address.password not in output.getvalue()


def test_screen_shows_lag_estimates_failures_and_next_runs() -> None:
    server = ServerFacts(
        "17.6", "2.29.2", "timescale",
        [TableFacts("environmental_readings", 2_000_000_000, True, 5 * 2**40, 52, 48)],
        [PolicyFacts("environmental_readings", "retention", "1 year", NOW + timedelta(hours=5), "Failed"),
         PolicyFacts("environmental_readings", "compression", "1 mon", None, None)],
        [StandbyFacts("replica_1", "streaming", 2_097_152, 1.26)])
    output = screen("dev", {"target": "docker", "primary": {"host": "127.0.0.1", "port": 54320.0, "database": "db"},
                            "replicas": [{"name": "lifecompanion-dev-replica-1", "host": "127.0.0.1", "port": 54321.0},
                                         {"name": "lifecompanion-dev-replica-2", "host": "127.0.0.1", "port": 54322.0}],
                            "bucket": {"name": "b", "endpoint": "https://127.0.0.1:9", "left_out": ["lifecycle"]}},
                  server)
    for words in ("TimescaleDB 2.29.2 (Community edition) on PostgreSQL 17.6", "127.0.0.1:54320/db",
                  "127.0.0.1:54321  streaming, 2 MB, 1.3 s behind", "127.0.0.1:54322  not streaming",
                  "~2,000,000,000", "5.0 TB", "52, 48 compressed", "retention 1 year (in 5 h, LAST RUN FAILED)",
                  "compression 1 mon (unscheduled)", "b  https://127.0.0.1:9", "without lifecycle",
                  "none is scheduled (lifecompanion:backupSchedule); take one: lcdb backup run --stack dev"):
        assert words in output, words


PATH = "/home/somebody/.lcdb/dev/a-folder-whose-name-leaves-no-room-for-anything-beside-it/ca.pem"
ERROR = 'could not open file "base/16384/17231": No space left on device'
WIDE_SERVER = ServerFacts(
    "17.6", "2.29.2", "timescale",
    [TableFacts("environmental_readings", 2_000_000_000, True, 5 * 2**40, 52, 48),
     TableFacts("a_table_whose_name_is_as_long_as_postgresql_lets_the_names_be_", 1, False, 8192),
     TableFacts("readings_hourly", 12_345, True, 2**24, 5, aggregate=True)],
    [PolicyFacts("readings_hourly", kind, "3 years", NOW + timedelta(hours=5), None)
     for kind in ("compression", "refresh", "retention")], [],
    [JobFailure(1002, "retention of environmental_readings", NOW - timedelta(minutes=3), 4, NOW + timedelta(hours=5),
                "53100", ERROR),
     JobFailure(1003, "public.tidy", None, 1, None)])
WIDE_OUTPUTS = {
    "target": "docker", "image": "timescale/timescaledb:2.29.2-pg17", "leaves_out": [f"the authority in {PATH} is new"],
    "primary": {"host": "127.0.0.1", "port": 54320, "database": "lifecompanion",
                "container": "lifecompanion-dev-primary"},
    "bucket": {"name": "lifecompanion-dev-backups", "endpoint": "https://127.0.0.1:54329"},
    "logins": {role: {} for role in ("admin", "app", "backup", "monitor", "owner", "readonly", "replicator")}}


def lines(width: int) -> list[str]:
    output = io.StringIO()
    show(Console(file=output, width=width), render("dev", WIDE_OUTPUTS, WIDE_SERVER, NOW))
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 60])
def test_screen_fits_its_width_and_breaks_no_word(width: int) -> None:
    assert " ".join(lines(width)).split() == " ".join(lines(400)).split()
    wider = [line.strip() for line in lines(width) if len(line) > width]
    assert [line for line in wider if " " in line and not line.startswith("lcdb ")] == []
    assert PATH in wider


def test_output_that_is_no_terminal_has_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    output = io.StringIO()
    show(Console(file=output), render("dev", WIDE_OUTPUTS, WIDE_SERVER, NOW))
    assert output.getvalue().splitlines() == lines(80)


def test_screen_says_why_a_job_failed_and_what_to_do() -> None:
    screen_lines = lines(80)
    first = next(number for number, line in enumerate(screen_lines) if line.startswith("job failed"))
    assert screen_lines[first:first + 11] == [
        "job failed  retention of environmental_readings (job 1002), 3 min ago, 4 times",
        "            in all",
        f"why         {ERROR}",
        "what to do  make room on the server's disk; it runs again in 5 h, or at once by",
        "  lcdb connect --stack dev --role owner -- -c 'CALL run_job(1002)'",
        "",
        "job failed  public.tidy (job 1003)",
        "why         the server has not kept its error; its log has it",
        "what to do  put right what it says; run it by",
        "  lcdb connect --stack dev --role owner -- -c 'CALL run_job(1003)'",
        ""]


def test_report_finds_the_last_error_of_a_failed_job(database: Database) -> None:
    if not database.server.community:
        # There is no scheduler, whose views are there and empty.
        assert read_server(database.admin).failures == []
        return
    [(ours,)] = database.execute(
        "CREATE PROCEDURE tidy(job_id int, config jsonb) LANGUAGE SQL AS 'SELECT 1'",
        "SELECT add_job('tidy', '1 day', initial_start => now() + interval '1 day')")
    assert read_server(database.admin).failures == []
    # As the scheduler leaves it, which the embedded server has not: two failures, the later one in two lines.
    with database.admin.connect() as connection:
        connection.execute(
            "INSERT INTO _timescaledb_internal.bgw_job_stat (job_id, last_start, last_finish, next_start, "
            "last_successful_finish, last_run_success, total_runs, total_duration, total_duration_failures, "
            "total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes) "
            "VALUES (%s, %s, %s, %s, '-infinity', false, 2, '2 s', '2 s', 0, 2, 0, 2, 0) "
            "ON CONFLICT (job_id) DO UPDATE SET last_start = excluded.last_start, "
            "last_finish = excluded.last_finish, next_start = excluded.next_start, "
            "last_run_success = false, total_failures = 2", [ours, NOW, NOW, NOW + timedelta(hours=1)])
        for started, message in ((NOW - timedelta(hours=1), "an older error"), (NOW, 'relation "x"\n  is not there')):
            connection.execute(
                "INSERT INTO _timescaledb_internal.bgw_job_stat_history (job_id, pid, execution_start, "
                "execution_finish, succeeded, data) VALUES (%s, 1, %s, %s, false, %s)",
                [ours, started, started, json.dumps({"error_data": {"sqlerrcode": "42P01", "message": message}})])
    assert read_server(database.admin).failures == [
        JobFailure(int(str(ours)), "public.tidy", NOW, 2, NOW + timedelta(hours=1), "42P01",
                   'relation "x" is not there')]


def test_report_reads_a_job_that_runs_now_whose_times_are_no_datetimes(declared_database: Database) -> None:
    if not declared_database.server.community:
        return
    with declared_database.admin.connect() as connection:
        connection.execute("UPDATE _timescaledb_internal.bgw_job_stat SET next_start = '-infinity'")
        connection.execute(
            "INSERT INTO _timescaledb_internal.bgw_job_stat (job_id, last_start, last_finish, next_start, "
            "last_successful_finish, last_run_success, total_runs, total_duration, total_duration_failures, "
            "total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes) "
            "SELECT job_id, '-infinity', '-infinity', '-infinity', '-infinity', false, 1, '0', '0', 0, 1, 0, 1, 0 "
            "FROM timescaledb_information.jobs WHERE job_id >= 1000 ON CONFLICT (job_id) DO NOTHING")
    policies = read_server(declared_database.admin).policies
    assert {policy.next_start for policy in policies} == {None}
    assert all(type(policy.runs_now) is bool for policy in policies)
