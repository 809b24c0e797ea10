"""The report on a real database, on every edition."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from infra.inspection import PolicyFacts, ServerFacts, StandbyFacts, TableFacts, read_server
from infra.outputs import dsn
from infra.report import login_address, render, show_report
from tests.database.servers import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def screen(stack: str, outputs: dict[str, object], server: ServerFacts) -> str:
    said = io.StringIO()
    Console(file=said, width=140).print(render(stack, outputs, server, NOW))
    return said.getvalue()


def test_report_counts_what_is_there(declared_database: Database) -> None:
    database = declared_database
    database.execute(
        "INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.com', 'x')",
        "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) "
        "SELECT id, 'sensor', 'AA:BB:CC:DD:EE:FF', 'home' FROM users",
        "INSERT INTO environmental_readings (device_id, measured_at, temperature) "
        "SELECT id, timestamp '2026-01-01' + n * interval '1 week', 20 FROM devices, generate_series(1, 3) n")

    found = read_server(database.admin)

    tables = {table.name: table for table in found.tables if not table.aggregate}
    assert {name: table.rows for name, table in tables.items()} == {
        "users": 1, "devices": 1, "environmental_readings": 3, "activity_classifications": 0, "notifications": 0}
    assert not any(table.estimated for table in tables.values())
    assert (tables["environmental_readings"].chunks, tables["users"].chunks) == (3, None)
    assert tables["environmental_readings"].size_bytes > tables["activity_classifications"].size_bytes
    community = database.server.community
    assert found.edition == ("timescale" if community else "apache")
    assert [table.name for table in found.tables if table.aggregate] == ([
        "activity_daily", "readings_daily", "readings_hourly"] if community else [])
    assert [(policy.table, policy.kind) for policy in found.policies] == ([
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
    said = io.StringIO()

    assert login_address(outputs, "owner") == database.owner
    show_report(Console(file=said, width=100), "dev", outputs)

    assert f"{database.admin.host}:{database.admin.port}/{database.admin.database}" in said.getvalue()
    assert "nothing much" in said.getvalue()
    for address in (database.admin, database.owner):
        assert address.password not in said.getvalue()


def test_screen_tells_lag_estimates_failures_and_next_runs() -> None:
    server = ServerFacts(
        "17.6", "2.29.2", "timescale",
        [TableFacts("environmental_readings", 2_000_000_000, True, 5 * 2**40, 52, 48)],
        [PolicyFacts("environmental_readings", "retention", "1 year", NOW + timedelta(hours=5), "Failed"),
         PolicyFacts("environmental_readings", "compression", "1 mon", None, None)],
        [StandbyFacts("replica_1", "streaming", 2_097_152, 1.26)])
    said = screen("dev", {"target": "docker", "primary": {"host": "127.0.0.1", "port": 54320.0, "database": "db"},
                          "replicas": [{"name": "lifecompanion-dev-replica-1", "host": "127.0.0.1", "port": 54321.0},
                                       {"name": "lifecompanion-dev-replica-2", "host": "127.0.0.1", "port": 54322.0}],
                          "bucket": {"name": "b", "endpoint": "https://127.0.0.1:9", "left_out": ["lifecycle"]}},
                  server)
    for words in ("TimescaleDB 2.29.2 (Community edition) on PostgreSQL 17.6", "127.0.0.1:54320/db",
                  "127.0.0.1:54321  streaming, 2 MB, 1.3 s behind", "127.0.0.1:54322  not streaming",
                  "~2,000,000,000", "5.0 TB", "52, 48 compressed", "retention 1 year (in 5 h, LAST RUN FAILED)",
                  "compression 1 mon (unscheduled)", "b  https://127.0.0.1:9", "without lifecycle",
                  "none is scheduled (lifecompanion:backupSchedule); take one: lcdb backup run --stack dev"):
        assert words in said, words
