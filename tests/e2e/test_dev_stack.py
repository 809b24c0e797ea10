"""A developer's stack from nothing to nothing: up, unchanged, drifted, repaired, grown, shrunk, destroyed.

The tests share one stack, and each leaves it as declared for the next.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups.storage.client import S3Login
from infra.components import PACKAGE
from tests.support.programs.checkout import Checkout, Stack, left_in_docker
from tests.support.programs.flat_state import flattened

COUNTS = {"users": 5, "devices": 15, "environmental_readings": 50_000, "activity_classifications": 5_000,
          "notifications": 500}
INDEXES = {"idx_environmental_device_time", "idx_environmental_time_temp", "idx_activity_user_time",
           "idx_activity_type_time", "idx_notifications_user_status"}


@pytest.fixture(scope="module")
def stack(checkout: Checkout, suffix: str) -> Iterator[Stack]:
    created = checkout.stack(f"e2e{suffix}", {
        "target": "docker", "image": "auto", "memory": "512MiB", "replicas": 1, "onUnsupported": "skip", "seed": True,
        "s3": "local", "s3OnUnsupported": "warn", "allowBucketDeletion": True})
    created.up()
    yield created
    created.destroy()
    assert left_in_docker(created.name) == []


def community(stack: Stack) -> bool:
    """Whether the stack's edition has policies and aggregates."""
    return stack.query("SHOW timescaledb.license") == [("timescale",)]


@pytest.fixture
def up(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The stack as declared; a test that failed half-way is tidied up after."""
    failed = request.session.testsfailed
    yield stack
    if request.session.testsfailed > failed:
        stack.up()


def test_up_brings_the_whole_database(up: Stack) -> None:
    for table, count in COUNTS.items():
        assert up.query(f"SELECT count(*) FROM {table}", role="readonly") == [(count,)]
    assert {name for (name,) in up.query("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'idx_%'"
                                         " AND schemaname = 'public'")} == INDEXES
    assert up.query("SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1") == [
        ("activity_classifications",), ("environmental_readings",)]
    assert up.query("SHOW timezone", role="app") == [("UTC",)]
    assert up.outputs()["seed"] == COUNTS


def test_replica_streams_and_serves_reads(up: Stack) -> None:
    assert up.query("SELECT application_name, state FROM pg_stat_replication") == [("replica_1", "streaming")]
    (replica,) = up.outputs()["replicas"]
    assert up.query("SELECT pg_is_in_recovery(), count(*) FROM users", role="app", port=int(replica["port"])) == [
        (True, 5)]


def test_bucket_is_on_a_real_server_with_tls(up: Stack) -> None:
    assert up.outputs()["bucket"]["endpoint"].startswith("https://localhost:")
    client, bucket = _bucket(up)
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert "aws:SecureTransport" in client.get_bucket_policy(Bucket=bucket)["Policy"]


def test_second_up_changes_nothing(up: Stack) -> None:
    assert set(up.up()) == {"same"}


def test_refresh_finds_nothing_where_nothing_drifted(up: Stack) -> None:
    assert set(up.refresh()) == {"same"}


def test_a_stack_from_before_the_components_is_grouped_without_recreating_anything(up: Stack, tmp_path: Path) -> None:
    flat = tmp_path / "flat.json"
    flat.write_text(flattened(up.state()))
    assert PACKAGE not in flat.read_text()
    done = up.checkout.pulumi("stack", "import", "--stack", up.name, "--file", str(flat))
    assert done.returncode == 0, done.stderr
    planned = up.preview()
    assert f"+ {PACKAGE}Server: (create)" in planned
    assert not [line for line in planned.splitlines() if "delete" in line or "replace" in line]
    changes = up.up()
    assert set(changes) == {"create", "same"}
    assert changes["create"] == up.state().count(f'"type": "{PACKAGE}')
    assert set(up.up()) == set(up.refresh()) == {"same"}


def test_nothing_listens_beyond_loopback(up: Stack) -> None:
    inspected = json.loads(_docker("inspect", *_containers(up)))
    bound = {binding["HostIp"] for container in inspected
             for bindings in container["NetworkSettings"]["Ports"].values() for binding in bindings or ()}
    assert bound == {"127.0.0.1"}


def test_roles_may_do_what_they_need_and_no_more(up: Stack) -> None:
    up.query("BEGIN; UPDATE users SET name = name; ROLLBACK", role="app")
    up.query("SELECT count(*) FROM environmental_readings", role="backup")
    up.query("SELECT count(*) FROM pg_stat_activity", role="monitor")
    for role, sql in (("readonly", "UPDATE users SET name = name"), ("app", "DROP TABLE notifications"),
                      ("monitor", "SELECT count(*) FROM users"), ("backup", "DELETE FROM users")):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            up.query(sql, role=role)


def test_future_tables_are_covered_by_default_privileges(up: Stack) -> None:
    up.query("CREATE TABLE later (id bigserial PRIMARY KEY)", role="owner")
    up.query("INSERT INTO later DEFAULT VALUES", role="app")
    assert up.query("SELECT count(*) FROM later", role="readonly") == [(1,)]
    up.query("DROP TABLE later", role="owner")


def test_drift_is_shown_by_refresh_and_preview_and_repaired_by_up(up: Stack) -> None:
    up.query("DROP INDEX idx_environmental_time_temp; COMMENT ON TABLE users IS 'drifted';"
             "ALTER TABLE users ALTER COLUMN preferences DROP DEFAULT; ALTER DATABASE lifecompanion RESET timezone",
             role="owner")
    up.query("REVOKE SELECT ON users FROM lifecompanion_readonly", role="owner")
    aggregates = community(up)
    if aggregates:
        up.query("SELECT remove_continuous_aggregate_policy('readings_hourly');"
                 "ALTER MATERIALIZED VIEW activity_daily SET (timescaledb.materialized_only = true)", role="owner")
    without_refresh = up.preview()
    assert "CREATE INDEX idx_environmental_time_temp" in without_refresh
    assert ("add_continuous_aggregate_policy" in without_refresh) == aggregates

    assert up.refresh()["update"] == (6 if aggregates else 4)
    shown = up.preview()
    assert ("+ refresh" in shown and "real_time" in shown) == aggregates
    assert "\"drifted\" => \"People who use" in shown
    assert "ALTER TABLE users ALTER COLUMN preferences SET DEFAULT" in shown
    assert "+ timezone: \"UTC\"" in shown

    up.up()
    assert set(up.refresh()) == {"same"}
    if aggregates:
        assert up.query("SELECT materialized_only FROM timescaledb_information.continuous_aggregates "
                        "WHERE view_name = 'activity_daily'") == [(False,)]
        assert up.query("SELECT schedule_interval::text FROM timescaledb_information.jobs j "
                        "JOIN timescaledb_information.continuous_aggregates a ON a.view_name = 'readings_hourly' "
                        "AND j.hypertable_name IN (a.view_name, a.materialization_hypertable_name) "
                        "WHERE j.proc_name = 'policy_refresh_continuous_aggregate'") == [("00:30:00",)]
    assert up.query("SELECT count(*) FROM environmental_readings", role="readonly") == [(50_000,)]
    assert up.query("SELECT count(*) FROM users", role="readonly") == [(5,)]


def test_table_dropped_by_hand_comes_back(up: Stack) -> None:
    up.query("DROP TABLE notifications", role="owner")
    assert up.up()["update"] == 1
    assert up.query("SELECT count(*) FROM notifications", role="app") == [(0,)]


def test_a_changed_declaration_changes_one_table(up: Stack, checkout: Checkout) -> None:
    declared = checkout.root / "schema" / "lifecompanion" / "devices.py"
    before = declared.read_text()
    declared.write_text(before.replace('comment="', 'comment="Changed: ', 1))
    try:
        assert "COMMENT ON TABLE devices IS 'Changed: " in up.preview()
        assert up.up()["update"] == 1
        assert set(up.up()) == {"same"}
    finally:
        declared.write_text(before)
    assert up.up()["update"] == 1


def test_an_object_no_longer_declared_stays_unless_todays_config_allows_its_drop(up: Stack, checkout: Checkout) -> None:
    program = checkout.root / "schema" / "lifecompanion" / "__init__.py"
    before = program.read_text()
    assert "ACTIVITY_DAILY)\n" in before
    grown = before.replace("ACTIVITY_DAILY)\n", "ACTIVITY_DAILY, View('warm', 'SELECT id FROM users'))\n").replace(
        "import Object, Table", "import Object, Table, View")
    exists = "SELECT to_regclass('public.warm') IS NOT NULL"
    try:
        program.write_text(grown)
        assert up.up()["create"] == 1
        program.write_text(before)
        assert up.up()["delete"] == 1
        assert up.query(exists) == [(True,)]
        program.write_text(grown)
        assert up.up()["create"] == 1
        up.set("allow.warm[0]", "drops_view", path=True)
        program.write_text(before)
        assert up.up()["delete"] == 1
        assert up.query(exists) == [(False,)]
    finally:
        program.write_text(before)
    assert set(up.up()) == {"same"}


def test_more_memory_replaces_the_containers_and_keeps_the_data(up: Stack) -> None:
    up.set("memory", "640MiB")
    changes = up.up()
    assert changes["replace"] == 2
    assert "delete" not in changes
    assert up.query("SHOW shared_buffers") == [("160MB",)]
    assert up.query("SELECT count(*) FROM environmental_readings", role="app") == [(50_000,)]
    assert set(up.up()) == {"same"}


def test_replicas_go_and_come_back(up: Stack) -> None:
    up.set("replicas", "0")
    up.up()
    assert up.query("SELECT count(*) FROM pg_replication_slots") == [(0,)]
    assert [name for name in left_in_docker(up.name) if "replica" in name] == []
    up.set("replicas", "1")
    up.up()
    assert up.query("SELECT state FROM pg_stat_replication") == [("streaming",)]


def test_no_generated_secret_is_in_state_logs_inspect_or_process_list(up: Stack) -> None:
    secrets = _secrets(up)
    assert len(secrets) == 10
    again = up.checkout.lcdb("up", "--stack", up.name)
    public = {
        "state": up.state(),
        "inspect": _docker("inspect", *_containers(up)),
        "logs": "".join(_docker("logs", name) for name in _containers(up)),
        "processes": subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout,
        "images": "".join(_docker("history", "--no-trunc", image) for image in
                          {container["Image"] for container in json.loads(_docker("inspect", *_containers(up)))}),
        "lcdb": again.stdout + again.stderr,
        "log": (up.checkout.root / ".lcdb" / up.name / "log").read_text(),
        "statements": str(up.query("SELECT query FROM public.pg_stat_statements")),
    }
    for place, text in public.items():
        assert not [secret for secret in secrets if secret in text], place


def test_bucket_that_refuses_to_go_stops_destroy_before_anything_is_lost(up: Stack) -> None:
    client, bucket = _bucket(up)
    client.put_object(Bucket=bucket, Key="backups/one", Body=b"precious")
    up.set("allowBucketDeletion", "false")
    up.up()
    refused = up.checkout.lcdb("destroy", "--stack", up.name, "--yes")
    assert refused.returncode == 1
    assert "it holds backups" in refused.stderr
    assert up.query("SELECT count(*) FROM users", role="app") == [(5,)]
    assert set(up.up()) == {"same"}
    up.set("allowBucketDeletion", "true")
    up.up()


def _containers(stack: Stack) -> list[str]:
    listed = _docker("ps", "-a", "--format", "{{.Names}}").split()
    return [name for name in listed if f"lifecompanion-{stack.name}-" in name]


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def _bucket(stack: Stack) -> tuple[Any, str]:
    """A client that logs in as the stack does, and the bucket's name."""
    inputs = next(resource["inputs"] for resource in _revealed(stack) if resource["type"].endswith("storage:Bucket"))
    login = S3Login.from_dict(_plain(inputs["login"]) if "plaintext" in inputs["login"] else {
        key: _plain(value) for key, value in inputs["login"].items()})
    return replace(login, ca_file=str(stack.checkout.root / str(login.ca_file))).client(), inputs["bucket"]


def _revealed(stack: Stack) -> list[dict[str, Any]]:
    """The resources of the state with their secrets in plain text."""
    exported = stack.checkout.pulumi("stack", "export", "--show-secrets", "--stack", stack.name).stdout
    return list(json.loads(exported)["deployment"]["resources"])


def _secrets(stack: Stack) -> set[str]:
    """Every generated secret: the passwords, and a line out of the middle of the certificate's key."""
    resources = _revealed(stack)
    passwords = {str(_plain(resource["outputs"]["value"])) for resource in resources
                 if resource["type"].endswith(":Password")}
    keys = {str(_plain(resource["outputs"]["key_pem"])).splitlines()[1]
            for resource in resources if resource["type"].endswith(":Certificate")}
    return passwords | keys


def _plain(value: Any) -> Any:
    """A revealed secret is wrapped, its value JSON."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) else value
